"""ONNX Runtime: on an NVIDIA GPU or by Apple's CoreML if it is built for them, else on the CPU."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from inpaint_model.artefacts import Generator, GeneratorArtefact
from inpaint_model.engines.base import Engine, EngineStatus, Session, SessionInfo
from inpaint_model.engines.batches import POWERS_OF_TWO, pad, run_in_batches
from inpaint_model.engines.cpu import int8_instructions
from inpaint_model.engines.cuda.driver import find_gpu
from inpaint_model.errors import UserError

if TYPE_CHECKING:
    import onnxruntime

_CPU = "CPUExecutionProvider"
_CUDA = "CUDAExecutionProvider"
_CORE_ML = "CoreMLExecutionProvider"
_PROVIDER_OPTIONS: dict[str, dict[str, str]] = {
    _CPU: {},
    _CUDA: {"cudnn_conv_algo_search": "EXHAUSTIVE"},  # slow once for every batch size
    _CORE_ML: {"ModelFormat": "MLProgram"},
}
_MENDS = {
    _CUDA: "pip install 'onnxruntime-gpu[cuda,cudnn]', look at nvidia-smi",
    _CORE_ML: "update macOS",
}
_LOG_SEVERITY_ERROR = 3  # ONNX Runtime logs errors alone


class OnnxRuntimeEngine(Engine):
    """Runs the best execution provider that is built in and has its hardware here.

    ONNX Runtime silently takes the CPU if a provider cannot start; here that is an error.

    Args:
        cpu_only: leave accelerators alone.
    """

    name = "onnxruntime"

    def __init__(self, cpu_only: bool = False) -> None:
        self._cpu_only = cpu_only

    def probe(self) -> EngineStatus:
        """Import ONNX Runtime and look for an accelerator; it is not started."""
        try:
            import onnxruntime

            built_in = onnxruntime.get_available_providers()
        except (ImportError, OSError, AttributeError) as error:
            return EngineStatus(self.name, False, "", str(error), mend="pip install onnxruntime")
        version, provider = onnxruntime.__version__, self._provider(built_in)
        if provider == _CUDA:
            detail = f"CUDA on {find_gpu().gpu}"
            return EngineStatus(self.name, True, version, detail, accelerated=True)
        if provider == _CORE_ML:
            detail = "CoreML, on what the system picks"
            return EngineStatus(self.name, True, version, detail, accelerated=True)
        int8 = int8_instructions()
        detail = f"CPU: int8 ({int8}), fp32" if int8 else "CPU: fp32"
        if self._cpu_only:
            return EngineStatus(self.name, True, version, detail)
        if _CUDA in built_in:
            detail += "; built for CUDA, and no NVIDIA GPU is here"
        elif card := find_gpu().gpu:
            detail += f"; {card} is not used, as this ONNX Runtime is built without CUDA"
            return EngineStatus(self.name, True, version, detail, mend=_MENDS[_CUDA])
        return EngineStatus(self.name, True, version, detail)

    def load(self, generator: Generator, threads: int | None) -> Session:
        """Load the full-precision file on an accelerator, on a CPU with int8 the quantised file."""
        import onnxruntime

        provider = self._provider(onnxruntime.get_available_providers())
        int8 = int8_instructions() if provider == _CPU else ""
        file = generator.open(int8=bool(int8))
        session = _open_session(file, provider, threads)
        precision, why = _precision(file, provider, int8)
        info = SessionInfo(self.name, onnxruntime.__version__, precision, why, file.sha256)
        return OnnxRuntimeSession(session, info, () if provider == _CPU else POWERS_OF_TWO)

    def _provider(self, built_in: Sequence[str]) -> str:
        if not self._cpu_only:
            if _CUDA in built_in and find_gpu().gpu is not None:
                return _CUDA
            if _CORE_ML in built_in:
                return _CORE_ML
        return _CPU


class OnnxRuntimeSession(Session):
    """A loaded network of any batch size.

    Args:
        session: ONNX Runtime's session.
        info: what was loaded.
        sizes: the batch sizes to run, if the first run of a size is slow; empty for any size.
    """

    def __init__(
        self, session: onnxruntime.InferenceSession, info: SessionInfo, sizes: Sequence[int] = ()
    ) -> None:
        self.info = info
        self._session = session
        self._sizes = sizes

    def run(self, crops: NDArray[np.uint8], holes: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Fill holes; see `Session.run`."""
        return run_in_batches(crops, holes, self._sizes or (len(crops),), self._run_batch)

    def _run_batch(
        self, crops: NDArray[np.uint8], holes: NDArray[np.uint8], size: int
    ) -> NDArray[np.uint8]:
        inputs = {"crops": pad(crops, size), "holes": pad(holes, size)}
        return np.asarray(self._session.run(["filled"], inputs)[0])


def _open_session(
    file: GeneratorArtefact, provider: str, threads: int | None
) -> onnxruntime.InferenceSession:
    """Open ONNX Runtime's session on this execution provider, and on no other.

    Raises:
        UserError: the provider did not start.
    """
    import onnxruntime

    onnxruntime.disable_telemetry_events()  # of its builds for Windows
    options = onnxruntime.SessionOptions()
    options.log_severity_level = _LOG_SEVERITY_ERROR
    options.intra_op_num_threads = threads or 0
    options.inter_op_num_threads = 1
    # Threads that wait by spinning take the cores from decoding, segmenting and encoding.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    wanted: list[Any] = [(provider, _PROVIDER_OPTIONS[provider])]
    if provider == _CUDA:
        onnxruntime.preload_dlls()
    if provider != _CPU:
        wanted.append(_CPU)  # for the few operators that an accelerator lacks
    session = onnxruntime.InferenceSession(
        str(file.path), options, providers=wanted, enable_fallback=0
    )
    if session.get_providers()[0] != provider:
        name = provider.removesuffix("ExecutionProvider")
        raise UserError(
            f"engine onnxruntime: {name} did not start: {_MENDS[provider]}, or take another engine"
        )
    return session


def _precision(file: GeneratorArtefact, provider: str, int8: str) -> tuple[str, str]:
    """Return the arithmetic of most of the network, and why it is this one."""
    if provider != _CPU:
        return file.precision, f"as in the file, by {provider.removesuffix('ExecutionProvider')}"
    if file.quantised:
        return "int8", f"the CPU has {int8}" if int8 else "the given file is quantised"
    return "fp32", "no int8 version of the model" if int8 else "the CPU has no AVX2, VNNI or AMX"

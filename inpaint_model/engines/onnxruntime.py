"""ONNX Runtime: on an NVIDIA GPU or Apple's CoreML where it is built for them, else on the CPU."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from inpaint_model.artefacts import Generator, GeneratorArtefact
from inpaint_model.engines.base import Engine, EngineStatus, Session, SessionInfo
from inpaint_model.engines.batches import DOUBLING_SIZES, padded, split
from inpaint_model.engines.cpu import int8_instructions
from inpaint_model.engines.cuda.driver import find_gpu
from inpaint_model.errors import UserError

if TYPE_CHECKING:
    import onnxruntime

_CPU = "CPUExecutionProvider"
_CUDA = "CUDAExecutionProvider"
_CORE_ML = "CoreMLExecutionProvider"
_OPTIONS: dict[str, dict[str, str]] = {
    _CPU: {},
    _CUDA: {"cudnn_conv_algo_search": "EXHAUSTIVE"},  # slow once for every batch size
    _CORE_ML: {"ModelFormat": "MLProgram"},
}
_MENDS = {
    _CUDA: "pip install 'onnxruntime-gpu[cuda,cudnn]', look at nvidia-smi",
    _CORE_ML: "update macOS",
}
_ERRORS_ONLY = 3


class OnnxRuntimeEngine(Engine):
    """Runs the best provider that is built in and has its hardware here.

    ONNX Runtime takes the CPU in silence where a provider cannot start; here that is an error.

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
        kinds = f"int8 ({int8}), fp32" if int8 else "fp32"
        unused = "; built for CUDA, and no NVIDIA GPU is here" if _CUDA in built_in else ""
        if self._cpu_only:
            unused = ""
        return EngineStatus(self.name, True, version, f"CPU: {kinds}{unused}")

    def load(self, generator: Generator, threads: int | None) -> Session:
        """Load on the accelerator the full-precision file, on the CPU the one it is made for."""
        import onnxruntime

        provider = self._provider(onnxruntime.get_available_providers())
        int8 = int8_instructions() if provider == _CPU else ""
        file = generator.open(int8=bool(int8))
        session = _open(file, provider, threads)
        precision, why = _precision(file, provider, int8)
        info = SessionInfo(self.name, onnxruntime.__version__, precision, why, file.sha256)
        return OnnxRuntimeSession(session, info, () if provider == _CPU else DOUBLING_SIZES)

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
        session: ONNX Runtime's.
        info: what was loaded.
        sizes: the batches to run crops in, where each size costs once; all at once where empty.
    """

    def __init__(
        self, session: onnxruntime.InferenceSession, info: SessionInfo, sizes: Sequence[int] = ()
    ) -> None:
        self.info = info
        self._session = session
        self._sizes = sizes

    def run(self, crops: NDArray[np.uint8], holes: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Fill holes; see `Session.run`."""
        if not self._sizes:
            return self._fill(crops, holes)
        filled = np.empty_like(crops)
        for start, count, size in split(len(crops), self._sizes):
            part = slice(start, start + count)
            out = self._fill(padded(crops[part], size), padded(holes[part], size))
            filled[part] = out[:count]
        return filled

    def close(self) -> None:
        """Drop the session."""
        del self._session

    def _fill(self, crops: NDArray[np.uint8], holes: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return np.asarray(self._session.run(["filled"], {"crops": crops, "holes": holes})[0])


def _open(
    file: GeneratorArtefact, provider: str, threads: int | None
) -> onnxruntime.InferenceSession:
    """Make ONNX Runtime's session on this provider, and on no other.

    Raises:
        UserError: the provider did not start.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = _ERRORS_ONLY
    options.intra_op_num_threads = threads or 0
    options.inter_op_num_threads = 1
    # Threads that wait spinning take the cores from decoding, segmenting and encoding.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if provider == _CUDA and hasattr(onnxruntime, "preload_dlls"):
        onnxruntime.preload_dlls()
    wanted: list[Any] = [(provider, _OPTIONS[provider])]
    if provider != _CPU:
        wanted.append(_CPU)  # for the few operators that an accelerator lacks
    session = onnxruntime.InferenceSession(
        str(file.path), options, providers=wanted, enable_fallback=0
    )
    started = session.get_providers()[0]
    if started != provider:
        name = provider.removesuffix("ExecutionProvider")
        raise UserError(
            f"engine onnxruntime: {name} did not start: {_MENDS[provider]}, or take another engine"
        )
    return session


def _precision(file: GeneratorArtefact, provider: str, int8: str) -> tuple[str, str]:
    """Return what most of the network is computed in, and why."""
    if provider != _CPU:
        return file.precision, f"as in the file, by {provider.removesuffix('ExecutionProvider')}"
    if file.quantised:
        return "int8", f"the CPU has {int8}" if int8 else "the given file is quantised"
    return "fp32", "no int8 version of the model" if int8 else "the CPU has no AVX2, VNNI or AMX"

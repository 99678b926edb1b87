"""ONNX Runtime: on an NVIDIA GPU or Apple's hardware where its build has them, else on the CPU."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from inpaint_model.artefacts import Artefact
from inpaint_model.engines.base import Engine, EngineStatus, Session, SessionInfo
from inpaint_model.engines.batches import split
from inpaint_model.engines.cpu import int8_instructions
from inpaint_model.engines.nvidia import find_gpu
from inpaint_model.errors import UserError

if TYPE_CHECKING:
    import onnxruntime

_CPU, _CUDA, _APPLE = (
    "CPUExecutionProvider",
    "CUDAExecutionProvider",
    "CoreMLExecutionProvider",
)
_ACCELERATED_BATCHES = (1, 2, 4, 16, 64)
_ERRORS_ONLY = 3


class OnnxRuntimeEngine(Engine):
    """Runs all crops of a call as one batch; on an accelerator, as batches of a few sizes.

    Args:
        cpu_only: leave accelerators alone.
    """

    name = "onnxruntime"

    def __init__(self, *, cpu_only: bool = False) -> None:
        self._cpu_only = cpu_only

    def probe(self) -> EngineStatus:
        """Import ONNX Runtime and ask what it was built for."""
        try:
            import onnxruntime
        except (ImportError, OSError) as error:
            return EngineStatus(self.name, False, "", str(error), mend="pip install onnxruntime")
        version, provider = onnxruntime.__version__, self._provider()
        if provider == _CUDA:
            return EngineStatus(self.name, True, version, f"CUDA on {find_gpu().gpu}", True)
        if provider == _APPLE:
            return EngineStatus(self.name, True, version, "CoreML", True)
        int8 = int8_instructions()
        kinds = f"int8 ({int8}), fp32" if int8 else "fp32"
        return EngineStatus(self.name, True, version, f"CPU: {kinds}")

    def load(self, artefact: Artefact, threads: int | None) -> Session:
        """Load on the accelerator there is, or an error; ONNX Runtime itself would fall back silently."""
        import onnxruntime

        provider = self._provider()
        int8 = int8_instructions() if provider == _CPU else ""
        file = artefact.file(int8=bool(int8))
        options = onnxruntime.SessionOptions()
        options.log_severity_level = _ERRORS_ONLY
        options.intra_op_num_threads = threads or 0
        options.inter_op_num_threads = 1
        if provider == _CUDA and hasattr(onnxruntime, "preload_dlls"):
            onnxruntime.preload_dlls()
        wanted = [provider] if provider == _CPU else [provider, _CPU]
        session = onnxruntime.InferenceSession(str(file.path), options, providers=wanted)
        if session.get_providers()[0] != provider:
            raise UserError(
                f"engine {self.name} cannot run: its {provider} does not start; install the CUDA "
                "and cuDNN it names when UNMASK_DEBUG=1 is set, or take another engine"
            )
        version, sha256 = onnxruntime.__version__, file.sha256
        if provider != _CPU:
            why = f"by {provider.removesuffix('ExecutionProvider')}"
            info = SessionInfo(self.name, version, file.precision, why, sha256)
            return OnnxRuntimeSession(session, info, _ACCELERATED_BATCHES)
        if file.quantised:
            why = f"the CPU has {int8}" if int8 else "the given file is quantised"
        else:
            why = "no int8 version of the model" if int8 else "the CPU has no VNNI or AMX"
        precision = "int8" if file.quantised else "fp32"
        return OnnxRuntimeSession(session, SessionInfo(self.name, version, precision, why, sha256))

    def _provider(self) -> str:
        """Return the provider to run on: an accelerator's where it is built in and the machine has one."""
        import onnxruntime

        built_in: list[str] = onnxruntime.get_available_providers()
        if not self._cpu_only:
            if _CUDA in built_in and find_gpu().gpu is not None:
                return _CUDA
            if _APPLE in built_in:
                return _APPLE
        return _CPU


class OnnxRuntimeSession(Session):
    """A loaded network.

    Args:
        session: of ONNX Runtime.
        info: what was loaded.
        batches: the batch sizes to run, padded where need be: on an accelerator each new one is
            prepared for, which is slow. Any size where empty.
    """

    def __init__(
        self,
        session: onnxruntime.InferenceSession,
        info: SessionInfo,
        batches: tuple[int, ...] = (),
    ) -> None:
        self.info = info
        self._session: Any = session
        self._batches = batches

    def run(self, crops: NDArray[np.uint8], holes: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Fill holes; see `Session.run`."""
        if not self._batches:
            return self._fill(crops, holes)
        out = np.empty_like(crops)
        for start, count, batch in split(len(crops), self._batches):
            part, padding = slice(start, start + count), [(0, batch - count), (0, 0), (0, 0)]
            given = np.pad(crops[part], [*padding, (0, 0)]), np.pad(holes[part], padding)
            out[part] = self._fill(*given)[:count]
        return out

    def close(self) -> None:
        """Drop the session."""
        del self._session

    def _fill(self, crops: NDArray[np.uint8], holes: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return np.asarray(self._session.run(["filled"], {"crops": crops, "holes": holes})[0])

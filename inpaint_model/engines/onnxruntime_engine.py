"""ONNX Runtime on the CPU: slower than OpenVINO, and runs almost everywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from inpaint_model.artefacts import Artefact
from inpaint_model.engines.base import Engine, EngineStatus, Session, SessionInfo
from inpaint_model.engines.cpu import int8_instructions

if TYPE_CHECKING:
    import onnxruntime

_PROVIDERS = ["CPUExecutionProvider"]
_ERRORS_ONLY = 3


class OnnxRuntimeEngine(Engine):
    """Runs all crops of a call as one batch."""

    name = "onnxruntime"

    def probe(self) -> EngineStatus:
        """Import ONNX Runtime."""
        try:
            import onnxruntime
        except (ImportError, OSError) as error:
            return EngineStatus(self.name, False, "", f"{error}; pip install onnxruntime")
        int8 = int8_instructions()
        kinds = f"int8 ({int8}), fp32" if int8 else "fp32"
        return EngineStatus(self.name, True, onnxruntime.__version__, f"CPU: {kinds}")

    def load(self, artefact: Artefact, threads: int | None) -> Session:
        """Load the quantised file where there is one and the CPU is made for it, else the other."""
        import onnxruntime

        int8 = int8_instructions()
        file = artefact.file(int8=bool(int8))
        options = onnxruntime.SessionOptions()
        options.log_severity_level = _ERRORS_ONLY
        options.intra_op_num_threads = threads or 0
        options.inter_op_num_threads = 1
        session = onnxruntime.InferenceSession(str(file.path), options, providers=_PROVIDERS)
        if file.quantised:
            why = f"the CPU has {int8}" if int8 else "the given file is quantised"
        else:
            why = "no int8 version of the model" if int8 else "the CPU has no VNNI or AMX"
        precision = "int8" if file.quantised else "fp32"
        version = onnxruntime.__version__
        return OnnxRuntimeSession(
            session, SessionInfo(self.name, version, precision, why, file.sha256)
        )


class OnnxRuntimeSession(Session):
    """A loaded network of any batch size."""

    def __init__(self, session: onnxruntime.InferenceSession, info: SessionInfo) -> None:
        self.info = info
        self._session = session

    def run(self, crops: NDArray[np.uint8], holes: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Fill holes; see `Session.run`."""
        return np.asarray(self._session.run(["filled"], {"crops": crops, "holes": holes})[0])

    def close(self) -> None:
        """Drop the session."""
        del self._session

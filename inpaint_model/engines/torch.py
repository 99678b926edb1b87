"""PyTorch: CUDA graphs on an NVIDIA GPU without TensorRT; on a CPU, plain fp32 for comparison."""

from __future__ import annotations

import importlib.metadata
import importlib.util
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from inpaint_model.artefacts import Artefact
from inpaint_model.engines.base import Engine, EngineStatus, Session, SessionInfo
from inpaint_model.engines.batches import split
from inpaint_model.engines.nvidia import find_gpu

if TYPE_CHECKING:
    import torch

BATCHES = (1, 2, 4, 8, 16, 32, 64)
_MEND = "pip install torch onnx"
_CUDA_MEND = "install PyTorch's build for CUDA (pytorch.org); look at nvidia-smi"
_WARM_UP_RUNS = 3


class TorchEngine(Engine):
    """Runs the ONNX file's graph with torch's operators."""

    name = "torch"

    def probe(self) -> EngineStatus:
        """Look for torch; it is imported only where the driver shows a GPU."""
        for package in ("torch", "onnx"):
            if importlib.util.find_spec(package) is None:
                why = f"{package} is not installed"
                return EngineStatus(self.name, False, "", why, mend=_MEND)
        version = importlib.metadata.version("torch")
        gpu = find_gpu().gpu
        if gpu is None:
            return EngineStatus(self.name, True, version, "CPU: fp32, for comparison")
        import torch

        if not torch.cuda.is_available():
            detail = f"CPU: fp32, for comparison; {gpu} is not used, as this torch finds no CUDA"
            return EngineStatus(self.name, True, version, detail, mend=_CUDA_MEND)
        return EngineStatus(self.name, True, version, f"fp16 on {gpu}", accelerated=True)

    def load(self, artefact: Artefact, threads: int | None) -> Session:
        """Load on the GPU where torch finds one, else on the CPU."""
        import torch

        from inpaint_model.engines.onnx_torch import OnnxModule

        if threads is not None:
            torch.set_num_threads(threads)
        file = artefact.file(int8=False)
        version, cuda = torch.__version__.split("+")[0], torch.cuda.is_available()
        module = OnnxModule(file.path, half=cuda).eval()
        if not cuda:
            why = "torch finds no GPU"
            return CpuSession(module, SessionInfo(self.name, version, "fp32", why, file.sha256))
        why = f"CUDA graphs on {torch.cuda.get_device_name()}"
        info = SessionInfo(self.name, version, file.precision, why, file.sha256)
        return CudaSession(module.to("cuda"), info)


class CpuSession(Session):
    """The module, called."""

    def __init__(self, module: Callable[..., torch.Tensor], info: SessionInfo) -> None:
        self.info = info
        self._module = module

    def run(self, crops: NDArray[np.uint8], holes: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Fill holes; see `Session.run`."""
        import torch

        with torch.inference_mode():
            # A copy: torch refuses to be given read-only memory.
            return self._module(torch.tensor(crops), torch.tensor(holes)).numpy()

    def close(self) -> None:
        """Drop the module."""
        del self._module


class CudaSession(Session):
    """The module on the GPU: for each batch size one CUDA graph between fixed tensors."""

    def __init__(self, module: Callable[..., torch.Tensor], info: SessionInfo) -> None:
        import torch

        torch.backends.cudnn.benchmark = True
        self.info = info
        self._module = module
        self._lanes: dict[int, dict[str, Any]] = {}
        for batch in BATCHES[:3]:
            self._lane(batch)

    def run(self, crops: NDArray[np.uint8], holes: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Fill holes; see `Session.run`."""
        import torch

        out = np.empty_like(crops)
        with torch.inference_mode():
            for start, count, batch in split(len(crops), BATCHES):
                lane, part = self._lane(batch), slice(start, start + count)
                lane["host crops"].numpy()[:count] = crops[part]
                lane["host holes"].numpy()[:count] = holes[part]
                for name in ("crops", "holes"):
                    lane[name].copy_(lane[f"host {name}"], non_blocking=True)
                lane["graph"].replay()
                lane["host filled"].copy_(lane["filled"], non_blocking=True)
                torch.cuda.synchronize()
                out[part] = lane["host filled"].numpy()[:count]
        return out

    def close(self) -> None:
        """Free graphs and tensors."""
        self._lanes.clear()
        del self._module

    def _lane(self, batch: int) -> dict[str, Any]:
        if batch not in self._lanes:
            self._lanes[batch] = self._capture(batch)
        return self._lanes[batch]

    def _capture(self, batch: int) -> dict[str, Any]:
        """Make the tensors of a batch size, warm up beside the main stream, and capture the graph."""
        import torch

        shapes = {"crops": (batch, 128, 128, 3), "holes": (batch, 128, 128)}
        lane: dict[str, Any] = {}
        with torch.inference_mode():
            for name, shape in shapes.items():
                lane[f"host {name}"] = torch.zeros(shape, dtype=torch.uint8).pin_memory()
                lane[name] = torch.zeros(shape, dtype=torch.uint8, device="cuda")
            lane["host filled"] = torch.zeros_like(lane["host crops"]).pin_memory()
            beside = torch.cuda.Stream()
            beside.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(beside):
                for _ in range(_WARM_UP_RUNS):
                    self._module(lane["crops"], lane["holes"])
            torch.cuda.current_stream().wait_stream(beside)
            lane["graph"] = torch.cuda.CUDAGraph()
            with torch.cuda.graph(lane["graph"]):
                lane["filled"] = self._module(lane["crops"], lane["holes"])
        return lane

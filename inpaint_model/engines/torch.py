"""PyTorch: fp16 and CUDA graphs on an NVIDIA GPU; fp32 on a CPU, for comparison."""

from __future__ import annotations

import importlib.metadata
import importlib.util
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from inpaint_model.artefacts import Generator, GeneratorArtefact
from inpaint_model.engines.base import Engine, EngineStatus, Session, SessionInfo
from inpaint_model.engines.batches import Images, run_in_batches
from inpaint_model.engines.cuda.driver import find_gpu
from inpaint_model.errors import UserError

if TYPE_CHECKING:
    from inpaint_model.networks.byte_generator import ByteGenerator

Filler = Callable[[Images, Images], Images]
_MEND = "pip install torch onnx"
_CUDA_MEND = "install PyTorch's build for CUDA (pytorch.org); look at nvidia-smi"
_CPU_BATCH_SIZES = range(1, 9)  # larger batches are no faster on a CPU, and take memory


class TorchEngine(Engine):
    """Runs this project's networks with the weights of the full-precision file.

    On a CPU the operators are called one by one; on a GPU they are captured as CUDA graphs.
    """

    name = "torch"

    def probe(self) -> EngineStatus:
        """Look for the libraries, and load torch only if there is a driver for a GPU."""
        missing = [name for name in ("torch", "onnx") if importlib.util.find_spec(name) is None]
        if missing:
            detail = f"{' and '.join(missing)} not installed"
            return EngineStatus(self.name, False, "", detail, mend=_MEND)
        try:
            version, gpu = importlib.metadata.version("torch").split("+")[0], _gpu_name()
        except (ImportError, OSError) as error:
            return EngineStatus(self.name, False, "", str(error).split("\n")[0], mend=_MEND)
        if gpu:
            detail = f"CUDA: {gpu}, CUDA graphs"
            return EngineStatus(self.name, True, version, detail, accelerated=True)
        detail, card = "CPU: fp32, for comparison", find_gpu().gpu
        if card is None:
            return EngineStatus(self.name, True, version, detail)
        detail += f"; {card} is not used, as this torch finds no CUDA"
        return EngineStatus(self.name, True, version, detail, mend=_CUDA_MEND)

    def load(self, generator: Generator, threads: int | None) -> Session:
        """Load the full-precision file, onto the GPU if there is one."""
        import torch

        file, gpu = generator.open(), _gpu_name()
        if threads is not None:
            torch.set_num_threads(threads)
        network = _network(file, half=bool(gpu) and file.precision == "fp16")
        version = torch.__version__.split("+")[0]
        if not gpu:
            info = SessionInfo(self.name, version, "fp32", "torch finds no GPU", file.sha256)
            return TorchSession(_cpu_filler(network), info)
        from inpaint_model.engines.cuda.graphs import GraphedNetwork

        device = torch.device("cuda", torch.cuda.current_device())
        graphed = GraphedNetwork(network.to(device), device)
        graphed.prepare(1)
        info = SessionInfo(
            self.name,
            version,
            file.precision,
            f"CUDA graphs on {gpu}",
            file.sha256,
            tuple(graphed.warnings),
        )
        return TorchSession(graphed, info)


class TorchSession(Session):
    """A network on the CPU or the GPU.

    Args:
        fill: fills any number of crops, uint8 [N, 128, 128, 3], in their holes; on a GPU it is a
            `GraphedNetwork`.
        info: what was loaded.
    """

    def __init__(self, fill: Filler, info: SessionInfo) -> None:
        self.info = info
        self.fill = fill

    def run(self, crops: NDArray[np.uint8], holes: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Fill holes; see `Session.run`."""
        return self.fill(crops, holes)


def _cpu_filler(network: ByteGenerator) -> Filler:
    import torch

    def run_batch(crops: Images, holes: Images, _: int) -> Images:
        with torch.inference_mode():
            # torch.tensor copies: the caller's arrays may be read-only, which torch does not know.
            return network(torch.tensor(crops), torch.tensor(holes)).numpy()

    return lambda crops, holes: run_in_batches(crops, holes, _CPU_BATCH_SIZES, run_batch)


def _network(file: GeneratorArtefact, *, half: bool) -> ByteGenerator:
    """Build the network for inference, its convolutions in fp16 if `half` is set, else in fp32.

    Raises:
        UserError: the file is quantised or holds another network.
    """
    import torch

    from inpaint_model.networks.byte_generator import ByteGenerator
    from inpaint_model.networks.from_onnx import generator_from_onnx
    from inpaint_model.networks.layers import fuse_batch_norms, half_convolutions

    try:
        net = generator_from_onnx(file.path)
    except UserError as error:
        raise UserError(
            f"engine torch cannot run {error}; take engine tensorrt, onnxruntime or openvino"
        ) from None
    fuse_batch_norms(net)
    if half:
        half_convolutions(net)
    return ByteGenerator(net).eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def _gpu_name() -> str:
    """Return the name of the NVIDIA GPU that torch can use, or an empty string."""
    if find_gpu().gpu is None:
        return ""
    import torch

    return torch.cuda.get_device_name() if torch.cuda.is_available() else ""

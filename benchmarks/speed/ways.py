"""The ways to run a generator: torch operator by operator, torch compiled, and every engine."""

from __future__ import annotations

import copy
import importlib.util
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from benchmarks.speed.fused import fuse_relus
from benchmarks.speed.parity import Images, sample_crops
from inpaint_model.artefacts import Generator
from inpaint_model.engines import ACCELERATED_ORDER, CPU_ORDER, make_engine
from inpaint_model.engines.batches import POWERS_OF_TWO, split
from inpaint_model.engines.cuda.graphs import GraphedNetwork
from inpaint_model.engines.opening import open_session
from inpaint_model.engines.tensorrt.library import import_tensorrt
from inpaint_model.engines.torch import TorchSession
from inpaint_model.errors import UserError
from inpaint_model.networks.byte_generator import ByteGenerator
from inpaint_model.networks.layers import Convolution

EAGER = "torch eager, fp32"
_TENSORRT_PACKAGES = {
    "TensorRT": ("tensorrt",),
    "TensorRT for RTX": ("tensorrt_rtx", "tensorrt_rtx_bindings"),
}


@dataclass(frozen=True)
class Way:
    """One way to run a generator.

    Attributes:
        name: what the tables call it.
        precision: "fp32", "fp16", "bf16" or "int8".
        fill: fills crops, uint8 [N, 128, 128, 3], in holes, uint8 [N, 128, 128], from and to the host's
            memory.
        on_device: makes for a batch size a call that runs the network on crops that lie on the device
            already; it may return before the GPU is done. None where copies cannot be parted.
    """

    name: str
    precision: str
    fill: Callable[[Images, Images], Images]
    on_device: Callable[[int], Callable[[], object]] | None = None


@dataclass(frozen=True)
class Refusal:
    """A way that does not run here, and why."""

    name: str
    why: str


def open_ways(
    generator: Generator,
    net: nn.Module,
    device: torch.device,
    stack: ExitStack,
    *,
    threads: int = 0,
    compiled: bool = False,
) -> Iterator[Way | Refusal]:
    """Yield torch's ways, the one in eager fp32 first, then every engine that is for the device.

    Args:
        generator: the model.
        net: its network in fp32 on the CPU, not changed.
        device: the GPU or the CPU.
        stack: closes what was opened.
        threads: CPU threads of the engines; 0: each decides.
        compiled: try `torch.compile` too.
    """
    yield _torch_way(EAGER, "fp32", ByteGenerator(copy.deepcopy(net)), device)
    on_gpu = device.type == "cuda"
    half = ByteGenerator(in_precision(net, torch.float16 if on_gpu else torch.float32))
    precision = "fp16" if on_gpu else "fp32"
    if on_gpu:
        yield _torch_way("torch eager, fp16, channels last", precision, half, device)
        bf16 = ByteGenerator(in_precision(net, torch.bfloat16))
        yield _torch_way("torch eager, bf16, channels last", "bf16", bf16, device)
    if compiled:
        # The first batch size is compiled as it is, the second for any size.
        yield _torch_way(f"torch compiled, {precision}", precision, half, device, torch.compile)
    if on_gpu:
        fused = in_precision(net, torch.float16)
        fuse_relus(fused)
        yield _graph_way("torch fused, fp16, CUDA graph", ByteGenerator(fused), device)
    for name in ACCELERATED_ORDER if on_gpu else (*CPU_ORDER, "torch"):
        yield _open_engine(name, generator, on_gpu, threads, stack)
    if on_gpu:
        yield from _other_tensorrt()


def in_precision(net: nn.Module, kind: torch.dtype) -> nn.Module:
    """Copy a network with its convolutions and batch norms in one type, and channels last."""
    net = copy.deepcopy(net)
    for layer in net.modules():
        if isinstance(layer, Convolution | nn.BatchNorm2d):
            layer.to(kind)
    return net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def _torch_way(
    name: str,
    precision: str,
    network: nn.Module,
    device: torch.device,
    transform: Callable[[nn.Module], Callable[..., Tensor]] = lambda module: module,
) -> Way:
    run = transform(network.to(device).eval())

    @torch.no_grad()
    def fill(crops: Images, holes: Images) -> Images:
        inputs = torch.from_numpy(crops).to(device), torch.from_numpy(holes).to(device)
        return run(*inputs).cpu().numpy()

    def on_device(batch: int) -> Callable[[], object]:
        inputs = [torch.from_numpy(array).to(device) for array in sample_crops(batch)]

        @torch.no_grad()
        def call() -> Tensor:
            return run(*inputs)

        return call

    return Way(name, precision, fill, on_device)


def _open_engine(
    name: str, generator: Generator, on_gpu: bool, threads: int, stack: ExitStack
) -> Way | Refusal:
    status = make_engine(name).probe()
    if not status.usable or status.accelerated != on_gpu:
        return Refusal(name, status.refusal)
    try:
        session, _ = open_session(generator, name, threads or None)
    except UserError as error:
        return Refusal(name, str(error))
    stack.callback(session.close)
    info = session.info
    shown = f"{import_tensorrt()}" if name == "tensorrt" else name
    shown += f", {info.precision}"
    if on_gpu and isinstance(session, TorchSession):
        graphed = session.fill
        assert isinstance(graphed, GraphedNetwork)
        return Way(f"{shown}, CUDA graph", info.precision, session.run, _replays(graphed))
    return Way(shown, info.precision, session.run)


def _graph_way(name: str, network: nn.Module, device: torch.device) -> Way:
    graphed = GraphedNetwork(network.to(device).eval(), device)
    return Way(name, "fp16", graphed, _replays(graphed))


def _replays(graphed: GraphedNetwork) -> Callable[[int], Callable[[], object]]:
    """Return what makes a call that replays CUDA graphs without their copies."""

    def on_device(batch: int) -> Callable[[], object]:
        sizes = [size for _, _, size in split(batch, POWERS_OF_TWO)]
        return lambda: [graphed.compute(size) for size in sizes]

    return on_device


def _other_tensorrt() -> Iterator[Refusal]:
    """Say of TensorRT and of TensorRT for RTX why it is not the one that the engine takes."""
    try:
        taken = "TensorRT for RTX" if import_tensorrt().rtx else "TensorRT"
    except ImportError:
        return  # the engine has said that neither is here
    for name, packages in _TENSORRT_PACKAGES.items():
        if name == taken:
            continue
        if any(importlib.util.find_spec(package) for package in packages):
            yield Refusal(name, f"is installed, and {taken} is taken before it")
        else:
            yield Refusal(name, f"none of its packages is installed: {', '.join(packages)}")

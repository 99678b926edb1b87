"""Compares every engine that runs here with torch in eager fp32, in turn in one run, on a GPU or a CPU."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Annotated

import numpy as np
import torch
import typer
from numpy.typing import NDArray
from torch import nn

from benchmarks.options import BATCHES, MODELS, Batches, Models, Out, Rounds, Threads
from benchmarks.speed.turns import REST_S, Times, noise_crops, time_in_turn
from benchmarks.tables import Row, publish
from inpaint_model import UserError, available_engines, open_inpainter
from inpaint_model.artefacts import find_generator
from inpaint_model.networks.byte_generator import ByteGenerator
from inpaint_model.networks.from_onnx import generator_from_onnx
from inpaint_model.networks.layers import flops, half_convolutions
from trainer.throughput import matrix_peak

# Fills crops, uint8 [N, 128, 128, 3], in holes, uint8 [N, 128, 128], from and to the host's memory.
Filler = Callable[[NDArray[np.uint8], NDArray[np.uint8]], NDArray[np.uint8]]
EAGER = "torch eager, fp32"


def run(
    model: Models = None,
    batch: Batches = None,
    device: Annotated[str, typer.Option(help="auto, cuda or cpu.")] = "auto",
    threads: Threads = 0,
    rounds: Rounds = 30,
    out: Out = None,
) -> list[Row]:
    """Compare every engine that runs here with torch in eager fp32: latency, throughput, share of peak.

    Models are fast, paper or ONNX files in full precision. Crops come from and go to the host's memory.
    """
    chosen = _device(device)
    kind = torch.float16 if chosen.type == "cuda" else torch.float32
    rows: list[Row] = []
    with contextlib.ExitStack() as stack:
        stack.callback(torch.set_num_threads, torch.get_num_threads())
        torch.set_num_threads(threads or torch.get_num_threads())
        peak_gflops = matrix_peak(chosen, kind)
        for name in model or MODELS:
            rows += _compare(name, batch or BATCHES, chosen, threads, rounds, peak_gflops)
        peak = (
            f"{str(kind).removeprefix('torch.')} matrix product: {peak_gflops / 1000:.2f} TFLOP/s"
        )
        print(f"\n{_description(chosen)}; {peak}")
    return publish("engines", rows, out)


def _compare(
    model: str,
    batches: Sequence[int],
    device: torch.device,
    threads: int,
    rounds: int,
    peak_gflops: float,
) -> list[Row]:
    net = generator_from_onnx(find_generator(model).path)
    gflop = flops(net)
    rows: list[Row] = []
    with contextlib.ExitStack() as stack:
        fillers = dict(_fillers(model, net, device, threads, stack))
        for batch in batches:
            work = noise_crops(batch)
            ways = {name: partial(fill, *work) for name, fill in fillers.items()}
            times = time_in_turn(ways, rounds, rest_s=REST_S, warm_up=2)
            rows += _rows(model, batch, times, gflop, peak_gflops)
    return rows


def _device(name: str) -> torch.device:
    available = torch.cuda.is_available()
    if name == "cuda" and not available:
        raise UserError("torch finds no CUDA GPU here; --device cpu measures the CPU's engines")
    if name not in ("auto", "cuda", "cpu"):
        raise UserError(f"unknown device '{name}': take auto, cuda or cpu")
    return torch.device("cuda" if name == "cuda" or (name == "auto" and available) else "cpu")


def _fillers(
    model: str,
    net: nn.Module,
    device: torch.device,
    threads: int,
    stack: contextlib.ExitStack,
) -> Iterator[tuple[str, Filler]]:
    """Yield torch's ways, then every engine that uses the device."""
    yield EAGER, _filler(ByteGenerator(net).to(device).eval(), device)
    if device.type == "cuda":
        half_net = generator_from_onnx(find_generator(model).path)
        half_convolutions(half_net)
        half = ByteGenerator(half_net).to(device).eval()
        half = half.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        yield "torch eager, fp16 channels last", _filler(half, device)
        yield "torch compiled, fp16", _filler(torch.compile(half, dynamic=False), device)
    for status in available_engines():
        if not status.usable or status.accelerated != (device.type == "cuda"):
            continue
        inpainter = stack.enter_context(open_inpainter(model, status.name, threads=threads or None))
        yield f"{inpainter.engine}, {inpainter.precision}", inpainter


def _filler(module: Callable[..., torch.Tensor], device: torch.device) -> Filler:
    @torch.inference_mode()
    def fill(crops: NDArray[np.uint8], holes: NDArray[np.uint8]) -> NDArray[np.uint8]:
        inputs = torch.from_numpy(crops).to(device), torch.from_numpy(holes).to(device)
        return module(*inputs).cpu().numpy()

    return fill


def _rows(
    model: str, batch: int, times: Mapping[str, Times], gflop: float, peak_gflops: float
) -> list[Row]:
    rows: list[Row] = []
    for name, taken in times.items():
        call_ms = taken.wall_ms()
        share = gflop * batch / call_ms * 1000 / peak_gflops
        rows.append(
            {
                "model": model,
                "batch": batch,
                "engine": name,
                "ms a call, p50": round(call_ms, 3),
                "p95": round(taken.wall_ms(95), 3),
                "crops/s": round(1000 * batch / call_ms, 1),
                "times faster than eager": round(times[EAGER].wall_ms() / call_ms, 2),
                # Int8 is another arithmetic than the peak's, and such a file may be pruned.
                "share of peak": "–" if "int8" in name else f"{share:.3f}",
            }
        )
    return rows


def _description(device: torch.device) -> str:
    """Name the device; of a GPU also its driver and clocks, as `nvidia-smi` gives them now."""
    if device.type == "cpu":
        return f"CPU, {torch.get_num_threads()} torch threads"
    fields = "name,driver_version,clocks.sm,clocks.max.sm,clocks.mem,power.limit"
    command = ["nvidia-smi", f"--query-gpu={fields}", "--format=csv,noheader"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return torch.cuda.get_device_name()
    return f"{fields}: {done.stdout.strip().splitlines()[0]}"

"""Every engine that runs here against torch in eager fp32, in turn in one run, on a GPU or a CPU."""

from __future__ import annotations

import contextlib
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from benchmarks.speed.latency import REST_S, work
from benchmarks.tables import Row, publish
from inpaint_model import UserError, available_engines, open_inpainter
from inpaint_model.artefacts import find_artefact
from inpaint_model.networks.layers import flops
from trainer.export.from_onnx import network_of
from trainer.export.onnx_export import ByteGenerator
from trainer.throughput import matrix_peak

# Fills crops, uint8 [N, 128, 128, 3], in holes, uint8 [N, 128, 128], from and to the host's memory.
Filler = Callable[[NDArray[np.uint8], NDArray[np.uint8]], NDArray[np.uint8]]
EAGER = "torch eager, fp32"


def run(
    models: Sequence[str],
    batches: Sequence[int],
    device: str,
    threads: int,
    out: Path | None,
    rounds: int = 30,
) -> list[Row]:
    """Time every engine at every batch size; crops come from and go to the host's memory as bytes.

    Args:
        models: "fast", "paper" or ONNX files in full precision.
        batches: crops a call.
        device: "cuda", "cpu", or "auto": CUDA where torch finds it.
        threads: CPU threads of all; 0 leaves it to each.
        out: folder for the JSON; None writes none.
        rounds: calls of each; they take turns.

    Raises:
        UserError: no such device here.
    """
    chosen = _device(device)
    with _torch_threads(threads):
        rows, peak = _compare(models, batches, chosen, threads, rounds)
        print(f"\n{_about(chosen)}; {peak}")
    publish("engines", rows, out)
    return rows


@contextlib.contextmanager
def _torch_threads(count: int) -> Iterator[None]:
    """Give torch so many threads for a while; 0 leaves its own choice."""
    before = torch.get_num_threads()
    torch.set_num_threads(count or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _compare(
    models: Sequence[str],
    batches: Sequence[int],
    chosen: torch.device,
    threads: int,
    rounds: int,
) -> tuple[list[Row], str]:
    """Return the rows, and the matrix peak they are held against, in words."""
    kind = torch.float16 if chosen.type == "cuda" else torch.float32
    peak_gflops = matrix_peak(chosen, kind)
    rows: list[Row] = []
    for model in models:
        path = find_artefact(model).path
        net = network_of(path)
        gflop = flops(net)
        with contextlib.ExitStack() as stack:
            fillers = dict(_fillers(model, net, chosen, threads, stack))
            for batch in batches:
                times = _times_ms(fillers, *work(batch), rounds)
                rows += _rows(model, batch, times, gflop, peak_gflops)
    name = str(kind).removeprefix("torch.")
    return rows, f"{name} matrix product: {peak_gflops / 1000:.2f} TFLOP/s"


def _device(name: str) -> torch.device:
    there = torch.cuda.is_available()
    if name == "cuda" and not there:
        raise UserError("torch finds no CUDA GPU here; --device cpu measures the CPU's engines")
    if name not in ("auto", "cuda", "cpu"):
        raise UserError(f"unknown device '{name}': take auto, cuda or cpu")
    return torch.device("cuda" if name == "cuda" or (name == "auto" and there) else "cpu")


def _fillers(
    model: str,
    net: nn.Module,
    device: torch.device,
    threads: int,
    stack: contextlib.ExitStack,
) -> Iterator[tuple[str, Filler]]:
    yield EAGER, _filler(ByteGenerator(net).to(device).eval(), device)
    if device.type == "cuda":
        half = ByteGenerator(network_of(find_artefact(model).path).half()).to(device).eval()
        half = half.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        yield "torch eager, fp16 channels last", _filler(half, device)
        yield "torch compiled, fp16", _filler(torch.compile(half, dynamic=False), device)
    for status in available_engines():
        if not status.usable or status.accelerated != (device.type == "cuda"):
            continue
        inpainter = stack.enter_context(open_inpainter(model, status.name, threads=threads or None))
        yield f"{inpainter.engine}, {inpainter.precision}", inpainter


def _filler(module: Callable[..., torch.Tensor], device: torch.device) -> Filler:
    def fill(crops: NDArray[np.uint8], holes: NDArray[np.uint8]) -> NDArray[np.uint8]:
        with torch.inference_mode():
            given = torch.from_numpy(crops).to(device), torch.from_numpy(holes).to(device)
            return module(*given).cpu().numpy()

    return fill


def _times_ms(
    fillers: dict[str, Filler], crops: NDArray[np.uint8], holes: NDArray[np.uint8], rounds: int
) -> dict[str, list[float]]:
    """Milliseconds a call; before it counts, each has run twice."""
    times: dict[str, list[float]] = {name: [] for name in fillers}
    for turn in range(rounds + 2):
        for name, fill in fillers.items():
            time.sleep(REST_S)
            began = time.perf_counter()
            fill(crops, holes)
            if turn >= 2:
                times[name].append((time.perf_counter() - began) * 1000)
    return times


def _rows(
    model: str, batch: int, times: dict[str, list[float]], gflop: float, peak_gflops: float
) -> list[Row]:
    eager_ms = statistics.median(times[EAGER])
    rows: list[Row] = []
    for name, values in times.items():
        call_ms = statistics.median(values)
        rows.append(
            {
                "model": model,
                "batch": batch,
                "engine": name,
                "ms a call, p50": round(call_ms, 3),
                "p95": round(float(np.percentile(values, 95)), 3),
                "crops/s": round(1000 * batch / call_ms, 1),
                "times faster than eager": round(eager_ms / call_ms, 2),
                "share of peak": _share(name, gflop * batch / call_ms * 1000, peak_gflops),
            }
        )
    return rows


def _share(engine: str, gflops: float, peak_gflops: float) -> str:
    """Share of the matrix peak; an int8 file has other arithmetic, and may be pruned."""
    return "–" if "int8" in engine else f"{gflops / peak_gflops:.3f}"


def _about(device: torch.device) -> str:
    """Name the device; of a GPU also driver and clocks, as `nvidia-smi` gives them now."""
    if device.type == "cpu":
        return f"CPU, {torch.get_num_threads()} torch threads"
    fields = "name,driver_version,clocks.sm,clocks.max.sm,clocks.mem,power.limit"
    asked = ["nvidia-smi", f"--query-gpu={fields}", "--format=csv,noheader"]
    try:
        done = subprocess.run(asked, capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return torch.cuda.get_device_name()
    return f"{fields}: {done.stdout.strip().splitlines()[0]}"

"""What a device is, and the most that it gives: its names, clocks and power, matrix products and memory."""

from __future__ import annotations

import platform
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from benchmarks.tables import Row
from inpaint_model.engines.cuda.driver import find_gpu
from inpaint_model.errors import UserError
from trainer.precision import matrix_peak

_BUS_BYTES = 256 << 20
_COPIES = 10  # of each kind; the fastest counts
_LOAD_S = 2.5  # length of the load under which clocks and power are read
_STATE = {
    "clocks.sm": "SM clock, MHz",
    "clocks.mem": "memory clock, MHz",
    "power.draw": "power, W",
    "temperature.gpu": "temperature, °C",
}
_LIMITS = {
    "clocks.sm": "clocks.max.sm",
    "clocks.mem": "clocks.max.mem",
    "power.draw": "power.limit",
}


@dataclass(frozen=True)
class Ceilings:
    """The most that a device gives, measured.

    Attributes:
        kind: type of the matrices of `gflops`: fp16 on a GPU, fp32 on a CPU.
        gflops: matrix product, GFLOP/s.
        memory_gb_per_s: memory of the device, 10^9 bytes read and written a second.
    """

    kind: torch.dtype
    gflops: float
    memory_gb_per_s: float

    def __str__(self) -> str:
        kind = str(self.kind).removeprefix("torch.")
        peak = f"{kind} matrix product {self.gflops / 1000:.2f} TFLOP/s"
        return f"{peak}, memory {self.memory_gb_per_s:.0f} GB/s"


def find_device(name: str) -> torch.device:
    """Return the device of `--device`: "cuda", "cpu", or for "auto" the GPU if torch finds one.

    Raises:
        UserError: there is no such device here.
    """
    available = torch.cuda.is_available()
    if name == "cuda" and not available:
        raise UserError("torch finds no CUDA GPU here; --device cpu measures the CPU's engines")
    if name not in ("auto", "cuda", "cpu"):
        raise UserError(f"unknown device '{name}': take auto, cuda or cpu")
    return torch.device("cuda" if name == "cuda" or (name == "auto" and available) else "cpu")


def wait(device: torch.device) -> None:
    """Wait until a GPU has done all that it was given; a CPU has at once."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def measure_ceilings(device: torch.device) -> Ceilings:
    """Measure the matrix product and the memory's bandwidth."""
    kind = torch.float16 if device.type == "cuda" else torch.float32
    size = 1 << 30 if device.type == "cuda" else 64 << 20  # bytes: far more than the caches hold
    source = torch.ones(size, dtype=torch.uint8, device=device)
    copy_s = _fastest_copy_s(source, torch.empty_like(source), device)
    return Ceilings(kind, matrix_peak(device, kind), 2 * size / copy_s / 1e9)


def describe(device: torch.device, ceilings: Ceilings, before: Mapping[str, str]) -> list[Row]:
    """Describe a device: versions, clocks and power before and under load, and its ceilings.

    Args:
        device: the GPU or the CPU.
        ceilings: what was measured.
        before: what `read_state` gave before anything ran.
    """
    facts = _gpu_facts(device, ceilings, before) if device.type == "cuda" else _cpu_facts()
    facts["torch, Python"] = f"{torch.__version__}, {platform.python_version()}"
    facts["memory, read and written, GB/s"] = f"{ceilings.memory_gb_per_s:.0f}"
    peaks = {ceilings.kind: ceilings.gflops}
    if device.type == "cuda":
        peaks[torch.bfloat16] = matrix_peak(device, torch.bfloat16)
    for kind, gflops in peaks.items():
        name = f"{str(kind).removeprefix('torch.')} matrix product, TFLOP/s"
        facts[name] = f"{gflops / 1000:.2f}"
    return [{"what": what, "value": value} for what, value in facts.items()]


def name_of(device: torch.device) -> str:
    """Name a device in a few words."""
    if device.type == "cuda":
        gpu = find_gpu().gpu
        driver = f", driver {gpu.driver}" if gpu is not None else ""
        return f"{torch.cuda.get_device_name(device)}{driver}"
    return f"CPU: {_processor()}, {torch.get_num_threads()} torch threads"


def _cpu_facts() -> dict[str, str]:
    return {"device": _processor(), "torch threads": str(torch.get_num_threads())}


def _processor() -> str:
    """Return the processor's name as Linux gives it; elsewhere what Python knows."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor())


def _gpu_facts(
    device: torch.device, ceilings: Ceilings, before: Mapping[str, str]
) -> dict[str, str]:
    state, card = find_gpu().gpu, torch.cuda.get_device_properties(device)
    loaded = _under_load(device, ceilings)
    facts = {
        "device": f"{card.name}, sm_{card.major}{card.minor}",
        "multiprocessors": str(card.multi_processor_count),
        "memory, GiB": f"{card.total_memory / 2**30:.1f}",
        "driver": f"{state.driver or 'unknown'}, for CUDA {state.cuda}" if state else "unknown",
        "CUDA and cuDNN of torch": f"{torch.version.cuda}, {torch.backends.cudnn.version()}",
    }
    for field, what in _STATE.items():
        if field in before and field in loaded:
            most = f", at most {loaded[limit]}" if (limit := _LIMITS.get(field)) else ""
            facts[what] = f"{before[field]} before, {loaded[field]} under load{most}"
    if "problem" in loaded:
        facts["nvidia-smi"] = loaded["problem"]
    for way, seconds in _bus_s(device).items():
        facts[f"bus, {way}, GB/s"] = f"{_BUS_BYTES / seconds / 1e9:.1f}"
    return facts


def read_state(device: torch.device) -> dict[str, str]:
    """Read a GPU's clocks, power and temperature by `nvidia-smi`'s names; of a CPU nothing.

    Where `nvidia-smi` does not answer, the one entry "problem" says why.
    """
    if device.type == "cpu":
        return {}
    fields = [*_STATE, *_LIMITS.values()]
    command = ["nvidia-smi", f"--query-gpu={','.join(fields)}", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)
        values = done.stdout.strip().splitlines()[0].split(", ")
        return dict(zip(fields, values, strict=True))
    except (OSError, subprocess.SubprocessError, ValueError, IndexError) as error:
        return {"problem": str(error)}


def _under_load(device: torch.device, ceilings: Ceilings) -> dict[str, str]:
    """Read the state while the GPU multiplies matrices."""
    side = 8192
    a = torch.randn(side, side, dtype=ceilings.kind, device=device)
    product = torch.empty_like(a)
    # Launches wait in a queue of about a thousand, so there are seconds to go when this loop ends.
    for _ in range(max(1, round(_LOAD_S * ceilings.gflops * 1e9 / (2 * side**3)))):
        torch.mm(a, a, out=product)
    state = read_state(device)
    wait(device)
    return state


def _bus_s(device: torch.device) -> dict[str, float]:
    """Time copies between page-locked memory of the host and the GPU."""
    host = torch.empty(_BUS_BYTES, dtype=torch.uint8, pin_memory=True)
    there = torch.empty(_BUS_BYTES, dtype=torch.uint8, device=device)
    return {
        "to the GPU": _fastest_copy_s(host, there, device),
        "from the GPU": _fastest_copy_s(there, host, device),
    }


def _fastest_copy_s(source: Tensor, target: Tensor, device: torch.device) -> float:
    best = float("inf")
    for _ in range(_COPIES):
        wait(device)
        began = time.perf_counter()
        target.copy_(source, non_blocking=True)
        wait(device)
        best = min(best, time.perf_counter() - began)
    return best

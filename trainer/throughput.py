"""Throughput of a run: crops a second, and their share of the device's peak in matrix products."""

from __future__ import annotations

import time
from functools import cache

import torch
from lightning.fabric import Fabric
from torch import Tensor, nn

from inpaint_model.networks.layers import flops
from trainer.config import FitConfig
from trainer.precision import matrix_type

_SHOW_EVERY = 50  # steps


class Progress:
    """Averages the losses of fifty steps into one line of the log.

    Args:
        config: the run.
        net: the trained network, whose operations are counted.
        fabric: the devices.
    """

    def __init__(self, config: FitConfig, net: nn.Module, fabric: Fabric) -> None:
        self._config, self._device, self._world = config, fabric.device, fabric.world_size
        self._training_gflop = 0.0
        self._peak_gflops = 0.0
        if config.network in ("paper", "glcic"):
            # The backward pass has two products for each of the forward pass.
            self._training_gflop = 3 * flops(net)
            kind = matrix_type(fabric)
            self._peak_gflops = _peak_once(fabric.device, kind, torch.get_num_threads())
        self._parts: dict[str, list[Tensor]] = {}
        self._crops = 0
        self._began = time.perf_counter()

    def add(self, step: int, crops: int, parts: dict[str, Tensor]) -> str:
        """Add the losses of one step; return the line to log, or an empty string."""
        for name, value in parts.items():
            self._parts.setdefault(name, []).append(value)
        self._crops += crops
        if step % _SHOW_EVERY and step != self._config.steps:
            return ""
        means = {name: float(torch.stack(all_).mean()) for name, all_ in self._parts.items()}
        line = f"step {step}  " if self._config.minutes else f"step {step}/{self._config.steps}  "
        line += "  ".join(f"{name} {value:.4f}" for name, value in means.items())
        speed = self._crops / (time.perf_counter() - self._began)
        line += f"  {speed:.1f} crops/s"
        if self._peak_gflops:
            share = speed * self._training_gflop / (self._peak_gflops * self._world)
            line += f" ({share:.0%} of the matrix peak)"
        self.restart()
        return line

    def restart(self) -> None:
        """Restart counting and timing."""
        self._parts.clear()
        self._crops = 0
        self._began = time.perf_counter()


@cache
def _peak_once(device: torch.device, kind: torch.dtype, threads: int) -> float:
    """Measure the peak once a process; it takes a second on a CPU."""
    return matrix_peak(device, kind)


def matrix_peak(device: torch.device, kind: torch.dtype = torch.bfloat16, side: int = 0) -> float:
    """Measure the device's peak in square matrix products, GFLOP/s: the best of six.

    Args:
        device: a CPU or a GPU.
        kind: the type of the matrices.
        side: rows of the matrices; 0: 8192 on a GPU, 2048 on a CPU.
    """
    side = side or (8192 if device.type == "cuda" else 2048)
    a = torch.randn(side, side, dtype=kind, device=device)
    best = float("inf")
    for _ in range(6):
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        began = time.perf_counter()
        torch.mm(a, a)
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        best = min(best, time.perf_counter() - began)
    return 2 * side**3 / best / 1e9

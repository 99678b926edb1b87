"""Chooses the precision of training, bfloat16 if the device computes it fast, and measures its peak."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from lightning.fabric import Fabric

AUTO = "auto"


def resolve_precision(precision: str, accelerator: str) -> str:
    """Turn "auto" into a precision that is fast on the device; return others unchanged.

    A CPU without AVX-512 emulates bfloat16, a hundred times slower than fp32 (measured on Zen 3: a
    3x3 convolution of 64 channels takes 1.2 s instead of 9 ms).

    Args:
        precision: "auto" or one of Lightning Fabric's.
        accelerator: of Lightning Fabric: "auto", "cpu", "cuda", ...
    """
    if precision != AUTO:
        return precision
    on_gpu = accelerator in ("cuda", "gpu") or (accelerator == AUTO and torch.cuda.is_available())
    if on_gpu:
        return "bf16-mixed" if torch.cuda.is_bf16_supported() else "16-mixed"
    return "bf16-mixed" if torch.ops.mkldnn._is_mkldnn_bf16_supported() else "32-true"


def one_cpu() -> Fabric:
    """Return Fabric on one CPU, in its fastest precision."""
    from lightning.fabric import Fabric  # takes as long to import as torch

    return Fabric(accelerator="cpu", devices=1, precision=resolve_precision(AUTO, "cpu"))  # type: ignore[arg-type]


def matrix_type(fabric: Fabric) -> torch.dtype:
    """Return the type of a run's matrix products."""
    name = str(fabric._precision.precision)
    if name.startswith("bf16"):
        return torch.bfloat16
    return torch.float16 if name.startswith("16") else torch.float32


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

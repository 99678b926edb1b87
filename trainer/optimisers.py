"""Makes optimisers fast on their device: fused kernels, and on a GPU nothing that waits for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from lightning.fabric import Fabric


def scales_gradients(fabric: Fabric) -> bool:
    """Whether the precision is fp16 with a gradient scaler, which waits for the device in each step."""
    return getattr(fabric._precision, "scaler", None) is not None


def make_fast(optimiser: torch.optim.Optimizer, fabric: Fabric, rate: Tensor | None = None) -> None:
    """Fuse an Adam or AdamW optimiser's kernels, and keep all of its state on the run's device.

    It is called again after a checkpoint is loaded, which brings the settings of the device it was
    saved on.

    Args:
        optimiser: the optimiser; changed in place.
        fabric: the device and the precision.
        rate: the learning rate, float32 scalar on the device; None leaves the optimiser's own.
    """
    settings = {"fused": not scales_gradients(fabric), "capturable": fabric.device.type == "cuda"}
    for group in optimiser.param_groups:
        group.update(settings if rate is None else settings | {"lr": rate})
    for state in optimiser.state.values():
        if "step" in state:
            state["step"] = state["step"].to(fabric.device)

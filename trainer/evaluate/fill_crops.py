"""Runs a torch generator on uint8 crops as the product does, and draws sheets of samples."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from trainer.evaluate.picture_rows import in_rows


def to_tensor(crops: NDArray[np.uint8]) -> Tensor:
    """Turn uint8 [N, 128, 128, 3] into float [N, 3, 128, 128] in [-1, 1], channels last."""
    floats = torch.from_numpy(crops).permute(0, 3, 1, 2).float() / 127.5 - 1
    return floats.contiguous(memory_format=torch.channels_last)


def to_mask(flags: NDArray[np.bool_] | NDArray[np.uint8]) -> Tensor:
    """Turn bool or uint8 [N, 128, 128] into float [N, 1, 128, 128]."""
    return torch.from_numpy(flags).float().unsqueeze(1)


def to_bytes(pictures: Tensor) -> NDArray[np.uint8]:
    """Turn float [N, 3, 128, 128] in [-1, 1] into uint8 [N, 128, 128, 3], rounded and clipped."""
    levels = ((pictures.detach().float() + 1) * 127.5).round().clamp(0, 255).byte()
    return levels.permute(0, 2, 3, 1).cpu().numpy()


def raw_outputs(
    net: nn.Module, crops: NDArray[np.uint8], holes: NDArray[np.bool_], batch: int = 25
) -> NDArray[np.uint8]:
    """Return the network's raw output, uint8 [N, 128, 128, 3], without compositing."""
    device = next(net.parameters()).device
    parts = []
    with torch.no_grad():
        for at in range(0, len(crops), batch):
            given = to_tensor(crops[at : at + batch]), to_mask(holes[at : at + batch])
            parts.append(to_bytes(net(*(x.to(device) for x in given))))
    return np.concatenate(parts) if parts else crops[:0]


def fill(net: nn.Module, crops: NDArray[np.uint8], holes: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Fill holes as the product does: the rounded output composited into the crops, uint8."""
    return np.where(holes[..., None], raw_outputs(net, crops, holes), crops)


def make_sheet(
    crops: NDArray[np.uint8], holes: NDArray[np.bool_], results: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """Draw a sheet of up to 40 faces: rows of masked crops, results and truths; uint8 RGB."""
    return in_rows(np.where(holes[..., None], np.uint8(127), crops), results, crops)

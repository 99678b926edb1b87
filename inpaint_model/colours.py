"""Balances a crop's colours towards usual skin, so that casts and dark frames fill well (torch)."""

from __future__ import annotations

import torch
from torch import Tensor

# Mean colour of the training faces between brow and cheek, RGB in 0..1, and that place in the crop.
_USUAL_SKIN = (0.653, 0.494, 0.411)
_SKIN_ROWS, _SKIN_COLUMNS = slice(26, 60), slice(36, 92)
_BALANCE = 0.6


def skin_gains(crops: Tensor, holes: Tensor) -> Tensor:
    """How far to move a crop's colours towards usual skin, so that casts and dark frames fill well.

    Args:
        crops: float [N, 3, 128, 128], RGB in [0, 1].
        holes: float [N, 1, 128, 128]; only known pixels count.

    Returns:
        float [N, 3, 1, 1], to multiply the crop with, and to divide the fill by.
    """
    known = 1 - holes[:, :, _SKIN_ROWS, _SKIN_COLUMNS]
    usual = torch.tensor(_USUAL_SKIN, dtype=crops.dtype, device=crops.device).view(1, 3, 1, 1)
    # Half a hundred pixels of usual skin are taken as seen, so that few known ones decide nothing.
    total = (crops[:, :, _SKIN_ROWS, _SKIN_COLUMNS] * known).sum((2, 3), keepdim=True) + 50 * usual
    mean = total / (known.sum((2, 3), keepdim=True) + 50)
    return (usual / mean.clamp_min(0.02)).pow(_BALANCE).clamp(0.55, 1.8)

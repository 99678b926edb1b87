"""Balances a crop's colours towards usual skin, so that casts and dark frames fill well (torch)."""

from __future__ import annotations

import torch
from torch import Tensor

# Mean colour of training faces, weighted as below, RGB in 0..1, and the place in the crop.
_USUAL_SKIN = (0.713, 0.529, 0.442)
_SKIN_ROWS, _SKIN_COLUMNS = slice(20, 96), slice(20, 108)
# Below the eyes; further off are hair and background.
_PLACE_X, _PLACE_Y, _PLACE_SIGMA_PX = 63.5, 60.0, 16.0
_BALANCE = 0.7
# How much more a warm pixel counts than a grey one, by R - B over R + G + B: hats, glasses and dark hair
# are colder than skin. What is warmer than skin counts no more: fair hair is.
_WARMTH, _WARMEST, _DARK = 12.0, 0.15, 0.1
_SUPPOSED_PX = 20  # of usual skin are taken as seen, so that few known pixels decide nothing


def skin_gains(crops: Tensor, holes: Tensor) -> Tensor:
    """How far to move a crop's colours towards usual skin, so that casts and dark frames fill well.

    Args:
        crops: float [N, 3, 128, 128], RGB in [0, 1].
        holes: float [N, 1, 128, 128]; only known pixels count.

    Returns:
        float [N, 3, 1, 1], to multiply the crop with, and to divide the fill by.
    """
    usual = torch.tensor(_USUAL_SKIN, dtype=crops.dtype, device=crops.device).view(1, 3, 1, 1)
    part = crops[:, :, _SKIN_ROWS, _SKIN_COLUMNS]
    known = 1 - holes[:, :, _SKIN_ROWS, _SKIN_COLUMNS]
    weights = _skin_weights(part) * known * _place_weights(crops)
    supposed = _SUPPOSED_PX * _skin_weights(usual)
    total = (part * weights).sum((2, 3), keepdim=True) + supposed * usual
    mean = total / (weights.sum((2, 3), keepdim=True) + supposed)
    return (usual / mean.clamp_min(0.02)).pow(_BALANCE).clamp(0.55, 1.8)


def _skin_weights(colours: Tensor) -> Tensor:
    """How much pixels count as skin, float [N, 3, H, W] in [0, 1] to [N, 1, H, W]."""
    light = colours.sum(1, keepdim=True)
    warmth = (colours[:, :1] - colours[:, 2:]) / (light + _DARK)
    return light * torch.exp(_WARMTH * warmth.clamp_max(_WARMEST))


def _place_weights(crops: Tensor) -> Tensor:
    """How much places count as the face's, float [1, 1, h, w]."""
    rows, columns = (
        torch.arange(place.start, place.stop, dtype=crops.dtype, device=crops.device)
        for place in (_SKIN_ROWS, _SKIN_COLUMNS)
    )
    off = (rows[:, None] - _PLACE_Y).square() + (columns - _PLACE_X).square()
    return torch.exp(off / (-2 * _PLACE_SIGMA_PX**2))[None, None]

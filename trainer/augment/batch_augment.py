"""Applies the finish of samples to whole batches of views in torch, on any device."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from realtime.align.canonical_crop import CROP_SIZE
from trainer.augment.finish import Finish
from trainer.augment.views import DrawnView

VALID, HOLE, BESIDE = 1, 2, 4  # bits of a packed view's flags

# Columns of a finish on the device: the inverse matrix, the colours, the frame and the square.
_COLUMNS = [6, 5, 4, 4]


@dataclass(frozen=True)
class FinishedBatch:
    """Samples on the device.

    Attributes:
        levels: float32 [B, 3, 128, 128], RGB, whole levels of 0..255.
        holes: bool [B, 1, 128, 128], to be filled.
        valid: bool [B, 1, 128, 128], pixels inside the photograph and the picture.
        beside: bool [B, 1, 128, 128], what the generator is told to lie beside the face.
    """

    levels: Tensor
    holes: Tensor
    valid: Tensor
    beside: Tensor


def pack_views(views: Sequence[DrawnView]) -> Tensor:
    """Pack views of one size into uint8 [N, 4, S, S]: red, green, blue, and the bits of its flags."""
    side = len(views[0].crop)
    packed = np.empty((len(views), 4, side, side), np.uint8)
    for out, view in zip(packed, views, strict=True):
        out[:3] = view.crop.transpose(2, 0, 1)
        out[3] = view.valid * np.uint8(VALID) + view.hole * np.uint8(HOLE)
        if view.beside is not None:
            out[3] += view.beside * np.uint8(BESIDE)
    return torch.from_numpy(packed)


def pack_finish(finish: Finish, side_px: int) -> NDArray[np.float32]:
    """Pack the numbers of a finish, for views of a side in pixels, into float32 [N, 19]."""
    linear = np.linalg.inv(finish.matrices[:, :, :2])
    shift = -linear @ finish.matrices[:, :, 2:]
    # `grid_sample` counts from -1, the centre of a view's first pixel, to 1, that of its last one.
    inverse = np.concatenate([linear, shift], 2) * (2 / (side_px - 1))
    inverse[:, :, 2] -= 1
    parts = inverse.reshape(-1, 6), finish.colours, finish.frames, finish.squares
    return np.concatenate(parts, 1, dtype=np.float32)


def finish_views(views: Tensor, finish: Tensor) -> FinishedBatch:
    """Apply finishes as `trainer.augment.finish.finish_view` does.

    Args:
        views: from `pack_views`, on any device.
        finish: from `pack_finish`, on the same device.
    """
    inverse, colours, frames, squares = finish.split(_COLUMNS, 1)
    grid = sampling_grid(inverse.view(-1, 2, 3))
    levels = functional.grid_sample(
        views[:, :3].float(), grid, padding_mode="border", align_corners=True
    )
    bits = views[:, 3]
    flags = torch.stack([bits & VALID, bits & HOLE, bits & BESIDE], 1).bool().float()
    flags = functional.grid_sample(flags, grid, padding_mode="zeros", align_corners=True) > 0.5
    valid = flags[:, :1] & inside_boxes(frames)
    holes = flags[:, 1:2] | inside_boxes(squares)
    return FinishedBatch(recolour(levels.round_(), colours), holes, valid, flags[:, 2:])


def sampling_grid(inverse: Tensor) -> Tensor:
    """Return where each crop pixel lies in its view, float32 [B, 128, 128, 2], for `grid_sample`.

    torch's `affine_grid` uses a matrix product, which may run in TF32 on a GPU and displace pixels; here
    the product is written out.

    Args:
        inverse: float32 [B, 2, 3], crop pixels to -1..1 of the view.
    """
    line = torch.arange(CROP_SIZE, dtype=torch.float32, device=inverse.device)
    across, down, shift = inverse[:, None, None].unbind(-1)
    return across * line.view(1, 1, -1, 1) + (down * line.view(1, -1, 1, 1) + shift)


def recolour(levels: Tensor, colours: Tensor) -> Tensor:
    """Change the colours of crops as `trainer.augment.finish.recolour` does, by its tables.

    Args:
        levels: float [B, 3, 128, 128], RGB, whole levels of 0..255.
        colours: float [B, 5], from `trainer.augment.finish.random_colours`.

    Returns:
        float32 [B, 3, 128, 128], whole levels of 0..255.
    """
    exponents, contrast, keep = colours.split([3, 1, 1], 1)
    level = torch.arange(256, dtype=torch.float32, device=levels.device) / 255
    tables = (level ** exponents.unsqueeze(2) - 0.5) * contrast.unsqueeze(2) + 0.5
    tables = (tables * 255).round().clamp(0, 255)
    out = tables.gather(2, levels.flatten(2).long()).view_as(levels)
    luma = (0.299 * out[:, :1] + 0.587 * out[:, 1:2] + 0.114 * out[:, 2:]).round()
    return torch.lerp(luma, out, keep.view(-1, 1, 1, 1)).round_().clamp_(0, 255)


def inside_boxes(boxes: Tensor) -> Tensor:
    """Return the crop pixels inside boxes.

    Args:
        boxes: [B, 4]: x0, y0, x1, y1 in whole pixels; x1 and y1 are outside.

    Returns:
        bool [B, 1, 128, 128].
    """
    line = torch.arange(CROP_SIZE, device=boxes.device)
    first, last = boxes[:, :2, None], boxes[:, 2:, None]
    columns, rows = ((line >= first) & (line < last)).unbind(1)
    return (rows[:, :, None] & columns[:, None, :]).unsqueeze(1)

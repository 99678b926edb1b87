"""Data augmentation of whole batches in torch, on any device: random affine, colour jitter, holes."""

from __future__ import annotations

import math

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from realtime.align.canonical_crop import CROP_SIZE
from trainer.augment.generator_samples import Jitter

MAX_RADIUS_PX = 6  # of dilation

_HALF = (CROP_SIZE - 1) / 2


def warp_grid(draw: Tensor, flip: Tensor, jitter: Jitter) -> Tensor:
    """Make the sampling grid of random affines (similarities) about the crop's centre.

    torch's `affine_grid` uses a matrix product, which may run in TF32 on a GPU and displace pixels; here
    the product is written out.

    Args:
        draw: float [B, 4], standard normal, clipped: rotation, scale, shift in x and y.
        flip: bool [B], mirror before the affine.
        jitter: standard deviations of the four.

    Returns:
        float32 [B, 128, 128, 2]: source x and y of each pixel, -1..1 from the centre of the first pixel
        to that of the last.
    """
    angle, size, right, down = (part.view(-1, 1, 1) for part in draw.unbind(1))
    angle = angle * math.radians(jitter.rotation_deg)
    shrink = torch.exp(-size * jitter.scale)
    cos, sin = shrink * torch.cos(angle), shrink * torch.sin(angle)
    mirror = 1 - 2 * flip.view(-1, 1, 1).float()
    line = torch.linspace(-1, 1, CROP_SIZE, device=draw.device)
    x = line.view(1, 1, -1) - right * (jitter.shift_px / _HALF)
    y = line.view(1, -1, 1) - down * (jitter.shift_px / _HALF)
    return torch.stack([mirror * (cos * x + sin * y), cos * y - sin * x], -1)


def warp_pictures(pictures: Tensor, grid: Tensor) -> Tensor:
    """Warp float [B, C, 128, 128] bilinearly; the border is repeated outside."""
    return functional.grid_sample(pictures, grid, padding_mode="border", align_corners=True)


def warp_flags(flags: Tensor, grid: Tensor) -> Tensor:
    """Warp bool [B, C, 128, 128] bilinearly, thresholded at one half; False outside."""
    moved = functional.grid_sample(flags.float(), grid, padding_mode="zeros", align_corners=True)
    return moved > 0.5


def recolour(pictures: Tensor, draw: Tensor, grey: Tensor, strength: float) -> Tensor:
    """Colour jitter as in `trainer.augment.generator_samples.recolour`.

    Args:
        pictures: float [B, 3, 128, 128], RGB, 0..255; overwritten.
        draw: float [B, 6], standard normal, clipped: gamma, its change in red, green and blue,
            contrast, saturation.
        grey: bool [B], crops to make grey.
        strength: 0..1; 0 changes nothing.

    Returns:
        float [B, 3, 128, 128], 0..255, not rounded.
    """
    if strength == 0:
        return pictures
    draw = (draw * strength).view(-1, 6, 1, 1)
    exponent = torch.exp(0.4 * draw[:, :1] + 0.15 * draw[:, 1:4])
    contrast = torch.exp(0.15 * draw[:, 4:5])
    keep = torch.exp(0.5 * draw[:, 5:6]) * ~grey.view(-1, 1, 1, 1)
    out = pictures.div_(255).pow_(exponent).sub_(0.5).mul_(contrast).add_(0.5).clamp_(0, 1)
    luma = 0.299 * out[:, :1] + 0.587 * out[:, 1:2] + 0.114 * out[:, 2:]
    return torch.lerp(luma, out, keep).mul_(255).clamp_(0, 255)


def unpack_masks(packed: Tensor) -> Tensor:
    """Unpack uint8 [B, 2048], the first pixel in the highest bit, into bool [B, 128, 128]."""
    shifts = torch.arange(7, -1, -1, dtype=torch.uint8, device=packed.device)
    bits = packed.unsqueeze(-1).bitwise_right_shift(shifts).bitwise_and_(1)
    return bits.view(torch.bool).view(-1, CROP_SIZE, CROP_SIZE)


def ellipse_kernels(device: torch.device) -> Tensor:
    """OpenCV's elliptic kernels of radius 0..6, centred; float [7, 13, 13], 0 or 1."""
    side = 2 * MAX_RADIUS_PX + 1
    kernels = np.zeros((MAX_RADIUS_PX + 1, side, side), dtype=np.float32)
    for radius in range(MAX_RADIUS_PX + 1):
        inside = slice(MAX_RADIUS_PX - radius, MAX_RADIUS_PX + radius + 1)
        shape = (2 * radius + 1, 2 * radius + 1)
        kernels[radius, inside, inside] = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, shape)
    return torch.from_numpy(kernels).to(device)


def dilate(flags: Tensor, kernels: Tensor, radius_px: Tensor) -> Tensor:
    """Dilate each sample by its own radius, exactly as `cv2.dilate` with an elliptic kernel.

    A grouped convolution, with a kernel for each sample, counts the set pixels; counts up to 169 are
    exact in every float format in use.

    Args:
        flags: bool [B, 128, 128].
        kernels: from `ellipse_kernels`.
        radius_px: int64 [B], 0..6.

    Returns:
        bool [B, 128, 128].
    """
    own = kernels[radius_px].unsqueeze(1)
    counts = functional.conv2d(flags.float(), own, padding=MAX_RADIUS_PX, groups=len(flags))
    return counts > 0.5


def shift_holes(flags: Tensor, down_px: Tensor, right_px: Tensor, union: Tensor) -> Tensor:
    """Shift each hole by its own offset; where `union`, keep the pixels before the shift as well.

    Args:
        flags: bool [B, 128, 128].
        down_px, right_px: int64 [B]; pixels that leave the crop enter at the opposite edge.
        union: bool [B].

    Returns:
        bool [B, 128, 128].
    """
    line = torch.arange(CROP_SIZE, device=flags.device)
    rows = (line - down_px.view(-1, 1)) % CROP_SIZE
    columns = (line - right_px.view(-1, 1)) % CROP_SIZE
    places = (rows.unsqueeze(2) * CROP_SIZE + columns.unsqueeze(1)).flatten(1)
    moved = flags.flatten(1).gather(1, places).view_as(flags)
    return moved | (flags & union.view(-1, 1, 1))


def squares(side_px: Tensor, place: Tensor) -> Tensor:
    """Draw one square a sample, inside the crop.

    Args:
        side_px: int64 [B].
        place: float [B, 2] in [0, 1): top and left, as a share of the possible range.

    Returns:
        bool [B, 128, 128].
    """
    line = torch.arange(CROP_SIZE, device=side_px.device)
    side = side_px.unsqueeze(1)
    start = (place * (CROP_SIZE + 1 - side)).long()
    first, last = start.unsqueeze(2), (start + side).unsqueeze(2)
    inside = (line >= first) & (line < last)
    return inside[:, 0].unsqueeze(2) & inside[:, 1].unsqueeze(1)


def inside_frame(chance: dict[str, Tensor], edge_px: dict[str, Tensor], size: int) -> Tensor:
    """Return the crop pixels inside a picture whose edges cut the crop off.

    Args:
        chance: by the name of the edge (x0, y0, x1 or y1) bool [B]: whether it cuts the crop.
        edge_px: likewise int64 [B]: the first pixel inside (x0, y0) or outside (x1, y1).
        size: side of the crop in pixels.

    Returns:
        bool [B, 1, size, size].
    """
    at = torch.arange(size, device=chance["x0"].device)
    shown = []
    for low, high in (("y0", "y1"), ("x0", "x1")):
        first = (edge_px[low] * chance[low]).view(-1, 1)
        last = torch.where(chance[high], edge_px[high], size).view(-1, 1)
        shown.append((at >= first) & (at < last))
    rows, columns = shown
    return (rows[:, :, None] & columns[:, None, :]).unsqueeze(1)

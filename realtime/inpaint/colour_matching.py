"""Bends filled colours so that they meet the ring round the hole."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.composite.paste_back import _MARGIN_PX, _RING_SIGMA_PX
from realtime.imaging.colour_distance import local_mean
from realtime.imaging.mask_regions import padded_box

_RIM_PX = 1
_RING_PX = 4
_FIELD_SIGMA_PX = 5.0
_FADE_PX = 6.0
_FOREIGN = 25.0  # an offset so many levels off the usual one is no matter of light
_NATURAL = 4.0  # the shading of bare faces alone makes a usual offset of this size
_DOUBT = 0.016  # pulls the field to zero where few rim pixels are near


def match_colour(
    filled_rgb: NDArray[np.uint8], hole: NDArray[np.bool_], known: NDArray[np.bool_]
) -> NDArray[np.uint8]:
    """Bend the filled colours so that they meet the ring round the hole.

    The offset, known minus filled, is taken all along the rim, a little away from it (the mask colours
    what it touches), smoothed, and fades towards the middle: there the generator is the better judge.
    Where it differs much from the rest of the rim, hair, a collar or the background crosses: nothing
    is moved there.

    Args:
        filled_rgb: uint8 [128, 128, 3], composited.
        hole: bool [128, 128], the filled pixels.
        known: bool [128, 128], true pixels of the photograph (never inside the hole).

    Returns:
        uint8 [128, 128, 3]; equal to `filled_rgb` outside the hole.
    """
    box = padded_box(hole, _MARGIN_PX)
    if box is None:
        return filled_rgb
    field = _offsets(filled_rgb[box], hole[box], known[box])
    if field is None:
        return filled_rgb
    out = filled_rgb.copy()
    inside = out[box]
    height, width = inside.shape[:2]
    bent = cv2.add(inside, cv2.resize(field, (width, height)), dtype=cv2.CV_8U)
    cv2.copyTo(bent, hole[box].view(np.uint8), inside)
    return out


def _offsets(
    colours: NDArray[np.uint8], hole: NDArray[np.bool_], known: NDArray[np.bool_]
) -> NDArray[np.float32] | None:
    """The smooth field of colour offsets at half size, float32 [h/2, w/2, 3]; None without a rim."""
    depth = cv2.distanceTransform(hole.view(np.uint8), cv2.DIST_L2, 3)[::2, ::2]
    away = cv2.distanceTransform((~hole).view(np.uint8), cv2.DIST_L2, 3)[::2, ::2]
    ring = known[::2, ::2] & (away > _RIM_PX) & (away <= _RIM_PX + _RING_PX)
    half = colours[::2, ::2].astype(np.float32)
    wanted, weight = local_mean(half, ring, _RING_SIGMA_PX / 2)
    found, _ = local_mean(half, (depth > 0) & (depth <= _RING_PX), _RING_SIGMA_PX / 2)
    rim = (depth > 0) & (depth <= _RIM_PX + 1) & (weight > 0.02)
    offset = (wanted - found)[rim]
    if not len(offset):
        return None
    usual = np.median(offset, axis=0)
    usual -= np.clip(usual, -_NATURAL, _NATURAL)
    odd = np.abs(offset - usual).max(1, keepdims=True) / _FOREIGN
    alike = np.square(np.clip(1 - odd * odd, 0, None))
    total = np.zeros((*rim.shape, 4), np.float32)
    total[rim] = np.hstack([offset * alike, alike])
    total = cv2.GaussianBlur(total, (0, 0), _FIELD_SIGMA_PX / 2)
    share = np.exp(-depth / _FADE_PX) / (total[..., 3] + _DOUBT)
    return total[..., :3] * share[..., None]

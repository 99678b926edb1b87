"""Pastes a filled crop back: warps it to the frame and blends it over its own region."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.align.affine import apply, compose, invert, scale_of
from realtime.composite.grain_texture import add_grain
from realtime.frames import Detail, Fill
from realtime.settings import COMPOSITE

_CUBIC_PX = 3  # margin that a bicubic warp reads, crop px
# Below this many crop px for each frame px a fill is first enlarged by a whole factor: half the time.
_ENLARGED_BELOW, _ENLARGE_FACTOR = 0.5, 3


@dataclass(frozen=True)
class Patch:
    """A rectangle of the frame with new content.

    Attributes:
        x, y: its top left corner in the frame, pixels.
        image: uint8 [h, w, 3], BGR, already blended.
        replaced: bool [h, w], where the frame changes.
    """

    x: int
    y: int
    image: NDArray[np.uint8]
    replaced: NDArray[np.bool_]


def paste(
    frame_bgr: NDArray[np.uint8],
    fill: Fill,
    opacity: NDArray[np.float32],
    matrix: NDArray[np.float64],
) -> Patch | None:
    """Warp a filled crop back and blend it over its own region of the frame.

    Args:
        frame_bgr: uint8 [H, W, 3], not changed.
        fill: the filled crop, and the detail and the grain to add to it.
        opacity: float32 [128, 128], 0 keeps the frame.
        matrix: float64 [2, 3], frame pixels to crop pixels.

    Returns:
        The patch, or None where nothing of it lies inside the frame.
    """
    shown = opacity > 0
    ys, xs = np.flatnonzero(shown.any(1)), np.flatnonzero(shown.any(0))
    if not len(xs):
        return None
    x0c, x1c, y0c, y1c = xs[0] - 1, xs[-1] + 1, ys[0] - 1, ys[-1] + 1
    corners = np.array([[x0c, y0c], [x1c, y0c], [x0c, y1c], [x1c, y1c]], dtype=np.float64)
    corners = apply(invert(matrix), corners)
    height, width = frame_bgr.shape[:2]
    x0, y0 = np.clip(np.floor(corners.min(0)).astype(int), 0, [width, height])
    x1, y1 = np.clip(np.ceil(corners.max(0)).astype(int), 0, [width, height])
    if x1 <= x0 or y1 <= y0:
        return None
    to_crop = matrix.copy()
    to_crop[:, 2] += matrix[:, :2] @ (x0, y0)
    size = (int(x1 - x0), int(y1 - y0))
    box = (
        slice(max(y0c - _CUBIC_PX, 0), y1c + _CUBIC_PX),
        slice(max(x0c - _CUBIC_PX, 0), x1c + _CUBIC_PX),
    )
    colours = _warp(fill.rgb[box], box[1].start, box[0].start, to_crop, size)
    if fill.detail is not None:
        colours = _add_detail(fill.detail, colours, to_crop)
    if fill.grain is not None:
        colours = add_grain(fill.grain, colours, int(x0), int(y0), to_crop)
    weight = cv2.warpAffine(opacity, to_crop, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    _, weight = cv2.threshold(weight, COMPOSITE.least_opacity, 0, cv2.THRESH_TOZERO)
    # A weight of 0 gives the frame's own pixel, bit for bit.
    region = np.ascontiguousarray(frame_bgr[y0:y1, x0:x1])
    image = cv2.blendLinear(colours, region, weight, 1 - weight)
    return Patch(int(x0), int(y0), image.astype(np.uint8, copy=False), weight > 0)


def _add_detail(
    detail: Detail, colours_bgr: NDArray[np.uint8], to_crop: NDArray[np.float64]
) -> NDArray[np.uint8]:
    """Add detail to a part of the frame, uint8 [h, w, 3]; `to_crop` maps its pixels to the crop's."""
    height, width = colours_bgr.shape[:2]
    to_square = compose(detail.to_square, to_crop)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    levels = cv2.warpAffine(detail.levels, to_square, (width, height), flags=flags)
    return np.asarray(cv2.add(colours_bgr, levels, dtype=cv2.CV_8U), np.uint8)


def _warp(
    part_rgb: NDArray[np.uint8],
    x: int,
    y: int,
    to_crop: NDArray[np.float64],
    size: tuple[int, int],
) -> NDArray[np.uint8]:
    """Warp a part of the crop, its corner at x, y, to the frame: uint8 [h, w, 3], BGR.

    The warp is bicubic. Where it enlarges much, the part is first enlarged by a whole factor (bicubic), and
    then warped (bilinear), which takes half the time.
    """
    factor = _ENLARGE_FACTOR if scale_of(to_crop) < _ENLARGED_BELOW else 1
    part = cv2.cvtColor(part_rgb, cv2.COLOR_RGB2BGR)
    interpolation = cv2.INTER_CUBIC
    if factor > 1:
        part = cv2.resize(part, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)
        interpolation = cv2.INTER_LINEAR
    to_part = to_crop * factor
    to_part[:, 2] += (factor - 1) / 2 - np.array([x, y]) * factor
    flags = interpolation | cv2.WARP_INVERSE_MAP
    warped = cv2.warpAffine(part, to_part, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return warped.astype(np.uint8, copy=False)

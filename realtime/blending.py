"""Puts a filled crop back into the frame: feathered edge, colour matched to the ring round the hole."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.alignment import apply, invert
from realtime.grain import Grain

_RIM_PX, _RING_PX, _MARGIN_PX = 1, 4, 12
_RING_SIGMA_PX, _FIELD_SIGMA_PX, _FADE_PX = 3.0, 5.0, 6.0
_FOREIGN = 25.0  # an offset so many levels off the usual one is no matter of light
_NATURAL = 4.0  # the shading of bare faces alone makes a usual offset of this size
_DOUBT = 0.0076  # pulls the field to zero where few rim pixels are near


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
    box = _box_of(hole)
    if box is None:
        return filled_rgb
    hole, known, colours = hole[box], known[box], filled_rgb[box].astype(np.float32)
    depth = cv2.distanceTransform(hole.astype(np.uint8), cv2.DIST_L2, 3)
    away = cv2.distanceTransform((~hole).astype(np.uint8), cv2.DIST_L2, 3)
    ring = known & (away > _RIM_PX) & (away <= _RIM_PX + _RING_PX)
    wanted, weight = _local_mean(colours, ring, _RING_SIGMA_PX)
    found, _ = _local_mean(colours, hole & (depth <= _RING_PX), _RING_SIGMA_PX)
    offset = wanted - found
    at_rim = hole & (depth <= 1.5) & (weight > 0.02)
    if not at_rim.any():
        return filled_rgb
    usual = np.median(offset[at_rim], axis=0)
    usual -= np.clip(usual, -_NATURAL, _NATURAL)
    odd = np.abs(offset - usual).max(2) / _FOREIGN
    rim = np.where(at_rim, np.square(np.clip(1 - odd * odd, 0, None)), 0).astype(np.float32)
    total = cv2.GaussianBlur(np.dstack([offset * rim[..., None], rim]), (0, 0), _FIELD_SIGMA_PX)
    field = total[..., :3] / (total[..., 3:] + _DOUBT)
    field *= np.exp(-depth / _FADE_PX)[..., None]
    out = filled_rgb.copy()
    out[box][hole] = np.clip(np.rint(colours + field), 0, 255).astype(np.uint8)[hole]
    return out


def _box_of(hole: NDArray[np.bool_]) -> tuple[slice, slice] | None:
    """The hole's rows and columns with room for the ring."""
    ys, xs = np.nonzero(hole.any(1))[0], np.nonzero(hole.any(0))[0]
    if not len(ys):
        return None
    (y0, y1), (x0, x1) = (
        (max(at[0] - _MARGIN_PX, 0), min(at[-1] + 1 + _MARGIN_PX, side))
        for at, side in zip((ys, xs), hole.shape, strict=True)
    )
    return slice(y0, y1), slice(x0, x1)


def _local_mean(
    colours: NDArray[np.float32], where: NDArray[np.bool_], sigma_px: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mean colour of the marked pixels near each pixel, and how many there are."""
    flags = where.astype(np.float32)
    weight = cv2.GaussianBlur(flags, (0, 0), sigma_px)
    total = cv2.GaussianBlur(colours * flags[..., None], (0, 0), sigma_px)
    return total / np.maximum(weight, 1e-4)[..., None], weight


def feather(mask: NDArray[np.bool_], hole: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Opacity of the fill: 1 on the mask itself, falling to 0 at the hole's rim.

    Args:
        mask: bool [128, 128], mask pixels.
        hole: bool [128, 128], the mask widened.

    Returns:
        float32 [128, 128], 0..1, 0 outside the hole.
    """
    to_rim = cv2.distanceTransform(hole.astype(np.uint8), cv2.DIST_L2, 5)
    to_mask = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 5)
    ramp = to_rim / np.maximum(to_rim + np.maximum(to_mask - 1.0, 0.0), 1e-6)
    return np.asarray(ramp * ramp * (3 - 2 * ramp) * hole, dtype=np.float32)


def paste(
    frame_bgr: NDArray[np.uint8],
    filled_rgb: NDArray[np.uint8],
    opacity: NDArray[np.float32],
    matrix: NDArray[np.float64],
    grain: Grain | None = None,
) -> Patch | None:
    """Warp a filled crop back and blend it over its own region of the frame.

    Args:
        frame_bgr: uint8 [H, W, 3], not changed.
        filled_rgb: uint8 [128, 128, 3].
        opacity: float32 [128, 128], 0 keeps the frame.
        matrix: float64 [2, 3], frame pixels to crop pixels.
        grain: texture that the fill lacks against the frame.

    Returns:
        The patch, or None where nothing of it lies inside the frame.
    """
    ys, xs = np.nonzero(opacity > 0)
    if not len(xs):
        return None
    x0c, x1c, y0c, y1c = xs.min() - 1, xs.max() + 1, ys.min() - 1, ys.max() + 1
    corners = np.array([[x0c, y0c], [x1c, y0c], [x0c, y1c], [x1c, y1c]], dtype=np.float64)
    corners = apply(invert(matrix), corners)
    height, width = frame_bgr.shape[:2]
    x0, y0 = np.clip(np.floor(corners.min(0)).astype(int), 0, [width, height])
    x1, y1 = np.clip(np.ceil(corners.max(0)).astype(int) + 1, 0, [width, height])
    if x1 <= x0 or y1 <= y0:
        return None
    to_crop = matrix.copy()
    to_crop[:, 2] += matrix[:, :2] @ (x0, y0)
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    size = (int(x1 - x0), int(y1 - y0))
    colours = cv2.warpAffine(
        filled_rgb, to_crop, size, flags=flags, borderMode=cv2.BORDER_REPLICATE
    )
    if grain is not None:
        colours = grain.add_to(colours, int(x0), int(y0), to_crop)
    weight = cv2.warpAffine(opacity, to_crop, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    region = frame_bgr[y0:y1, x0:x1]
    blended = cv2.blendLinear(
        np.ascontiguousarray(colours[:, :, ::-1]), np.ascontiguousarray(region), weight, 1 - weight
    )
    replaced = weight > 1.0 / 512
    image = np.where(replaced[..., None], blended, region)
    return Patch(int(x0), int(y0), image.astype(np.uint8, copy=False), replaced)

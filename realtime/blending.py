"""Puts a filled crop back into the frame: feathered edge, colour matched to the ring round the hole."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.alignment import apply, invert

_RING_PX, _LEAST_RIM_PX = 4, 20
_LEFT_ALONE, _LARGEST_SHIFT = 4.0, 20.0


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
    """Shift the filled colours so that they meet the ring round the hole.

    The shift is one colour for the whole fill, the median along the rim of known minus filled; the
    jaw, hair and collar that cross the rim do not move a median. Small differences are left alone:
    there the generator is the better judge.

    Args:
        filled_rgb: uint8 [128, 128, 3], composited.
        hole: bool [128, 128], the filled pixels.
        known: bool [128, 128], true pixels of the photograph (never inside the hole).

    Returns:
        uint8 [128, 128, 3]; equal to `filled_rgb` outside the hole.
    """
    depth_in = cv2.distanceTransform(hole.astype(np.uint8), cv2.DIST_L2, 3)
    depth_out = cv2.distanceTransform((~hole).astype(np.uint8), cv2.DIST_L2, 3)
    outside = known & (depth_out > 0) & (depth_out <= _RING_PX)
    inside = hole & (depth_in <= _RING_PX)
    colours = filled_rgb.astype(np.float32)
    wanted, weight = _local_mean(colours, outside, 3.0)
    found, _ = _local_mean(colours, inside, 3.0)
    rim = hole & (depth_in <= 1.5) & (weight > 0.02)
    if np.count_nonzero(rim) < _LEAST_RIM_PX:
        return filled_rgb
    shift = np.median((wanted - found)[rim], axis=0)
    shift = np.sign(shift) * np.clip(np.abs(shift) - _LEFT_ALONE, 0, _LARGEST_SHIFT)
    if not shift.any():
        return filled_rgb
    shifted = np.clip(np.rint(colours + shift), 0, 255).astype(np.uint8)
    return np.where(hole[..., None], shifted, filled_rgb)


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
) -> Patch | None:
    """Warp a filled crop back and blend it over its own region of the frame.

    Args:
        frame_bgr: uint8 [H, W, 3], not changed.
        filled_rgb: uint8 [128, 128, 3].
        opacity: float32 [128, 128], 0 keeps the frame.
        matrix: float64 [2, 3], frame pixels to crop pixels.

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
    weight = cv2.warpAffine(opacity, to_crop, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    region = frame_bgr[y0:y1, x0:x1]
    blended = cv2.blendLinear(
        np.ascontiguousarray(colours[:, :, ::-1]), np.ascontiguousarray(region), weight, 1 - weight
    )
    replaced = weight > 1.0 / 512
    image = np.where(replaced[..., None], blended, region)
    return Patch(int(x0), int(y0), image.astype(np.uint8, copy=False), replaced)

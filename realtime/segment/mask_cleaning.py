"""Turns mask probabilities into mask pixels, without specks and pinholes, and into the hole to fill."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.imaging.mask_regions import components_with, without_thin_parts
from realtime.segment.mask_growing import grow_mask

HOLE_MARGIN_PX = 3
_LARGEST_PINHOLE_PX, _LARGEST_GAP_PX = 60, 450  # inside all of a mask, and inside its body
_FAINT, _SMALLEST_MASK, _SMALLEST_PART = 0.2, 0.01, 0.001
_LINE, _LINE_LEVELS = 0.02, 35
_GAP_PX = np.ones((3, 3), np.uint8)  # parts so much apart, twice, hang together
_ROUND_PX = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))


def mask_pixels(
    probability: NDArray[np.float32], crop_rgb: NDArray[np.uint8] | None = None
) -> NDArray[np.bool_]:
    """Decide on the mask's pixels: sure ones and what hangs on to them, no specks, no pinholes.

    Thin ear loops are marked faintly, so a pixel counts from `_FAINT` on where it hangs on to sure ones,
    and away from the mask's body, on a line that the crop itself shows, from `_LINE` on. Small parts stay
    only beside a mask. What has the mask's colour beside it is taken in (`realtime.segment.mask_growing`).

    Args:
        probability: float32 [128, 128].
        crop_rgb: uint8 [128, 128, 3], what was looked at.

    Returns:
        bool [128, 128].
    """
    sure, faint = probability > 0.5, probability > _FAINT
    if np.count_nonzero(sure) < _SMALLEST_MASK * sure.size:
        return np.zeros(sure.shape, dtype=bool)
    least_px = _SMALLEST_PART * sure.size
    bridged = cv2.dilate(faint.view(np.uint8), _GAP_PX) > 0
    mask = components_with(sure, bridged, least_px) & faint
    if crop_rgb is not None:
        away = cv2.dilate(without_thin_parts(faint), _ROUND_PX) == 0
        lines = away & (probability > _LINE) & _lines(crop_rgb)
        mask |= components_with(sure, faint | lines, least_px)
    mask |= _gaps_in(mask, _LARGEST_PINHOLE_PX)
    # A valve, a print; not a cheek inside a loop, nor what is left beside a mask in the crop's corner.
    mask |= _gaps_in(np.pad(without_thin_parts(mask) > 0, 1), _LARGEST_GAP_PX)[1:-1, 1:-1]
    return mask if crop_rgb is None else grow_mask(mask, crop_rgb)


def _gaps_in(mask: NDArray[np.bool_], largest_px: int) -> NDArray[np.bool_]:
    """Mark what a mask encloses, bool [128, 128], where it is not larger than that."""
    _, gaps, stats, _ = cv2.connectedComponentsWithStats((~mask).view(np.uint8), connectivity=4)
    small = stats[:, cv2.CC_STAT_AREA] <= largest_px
    small[0] = False
    return small[gaps]


def _lines(crop_rgb: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Mark thin lines that are much brighter or darker than what is beside them, bool [128, 128]."""
    grey = cv2.cvtColor(crop_rgb, cv2.COLOR_RGB2GRAY)
    bright, dark = (
        cv2.morphologyEx(grey, way, _ROUND_PX) for way in (cv2.MORPH_TOPHAT, cv2.MORPH_BLACKHAT)
    )
    return np.asarray(cv2.max(bright, dark) > _LINE_LEVELS)


def hole_from_mask(mask: NDArray[np.bool_], margin_px: int = HOLE_MARGIN_PX) -> NDArray[np.bool_]:
    """Widen the mask by its rim and contact shadow; bool [128, 128] to the same."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * margin_px + 1,) * 2)
    return cv2.dilate(mask.astype(np.uint8), kernel) > 0

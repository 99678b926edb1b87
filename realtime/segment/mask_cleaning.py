"""Turns mask probabilities into mask pixels without specks and gaps, and into the hole to fill."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.imaging.mask_regions import components_with, dilated, without_thin_parts
from realtime.segment.mask_growing import grow_mask
from realtime.settings import SEGMENT

_BRIDGED_PX = np.ones((3, 3), np.uint8)  # parts up to two crop px apart count as connected
_LID_PX = 1  # of the lids round the eyes, crop px
# Wider than an ear loop, crop px.
_DISC_PX = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))


def mask_pixels(
    probability: NDArray[np.float32], crop_rgb: NDArray[np.uint8] | None = None
) -> NDArray[np.bool_]:
    """Decide which pixels are mask by hysteresis: sure pixels, and fainter ones connected to them.

    The segmenter gives thin ear loops low probabilities. So a pixel counts from `faint_probability` on if
    it is connected to sure ones, and from `line_probability` on if it also lies on a thin line in the crop,
    away from the wide parts of the mask. Components with too few sure pixels are dropped and gaps inside
    are filled. Pixels of the mask's colour beside it are added (`realtime.segment.mask_growing`).

    Args:
        probability: float32 [128, 128], of being mask, 0..1.
        crop_rgb: uint8 [128, 128, 3], the crop; without it neither lines nor colours count.

    Returns:
        bool [128, 128].
    """
    sure = probability > SEGMENT.sure_probability
    faint = probability > SEGMENT.faint_probability
    if np.count_nonzero(sure) < SEGMENT.least_mask_share * sure.size:
        return np.zeros(sure.shape, dtype=bool)
    least_px = SEGMENT.least_part_share * sure.size
    bridged = cv2.dilate(faint.view(np.uint8), _BRIDGED_PX) > 0
    mask = components_with(sure, bridged, least_px) & faint
    if crop_rgb is not None:
        away = cv2.dilate(without_thin_parts(faint), _DISC_PX) == 0
        lines = away & (probability > SEGMENT.line_probability) & _thin_lines(crop_rgb)
        mask |= components_with(sure, faint | lines, least_px)
    # Fills a valve or a print. The padding keeps open a cheek inside a loop and the crop's corners.
    mask |= _enclosed_gaps(np.pad(without_thin_parts(mask) > 0, 1), SEGMENT.most_gap_px)[1:-1, 1:-1]
    return mask if crop_rgb is None else grow_mask(mask, crop_rgb)


def _enclosed_gaps(mask: NDArray[np.bool_], largest_px: int) -> NDArray[np.bool_]:
    """Mark the gaps that a mask encloses, bool [h, w], up to an area."""
    _, gaps, stats, _ = cv2.connectedComponentsWithStats((~mask).view(np.uint8), connectivity=4)
    small = stats[:, cv2.CC_STAT_AREA] <= largest_px
    small[0] = False
    return small[gaps]


def _thin_lines(crop_rgb: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Mark thin lines much brighter or darker than their surroundings, bool [128, 128] (top-hat)."""
    grey = cv2.cvtColor(crop_rgb, cv2.COLOR_RGB2GRAY)
    bright, dark = (
        cv2.morphologyEx(grey, way, _DISC_PX) for way in (cv2.MORPH_TOPHAT, cv2.MORPH_BLACKHAT)
    )
    return np.asarray(cv2.max(bright, dark) > SEGMENT.line_levels)


def hole_from_mask(
    mask: NDArray[np.bool_], margin_px: int = SEGMENT.hole_margin_px
) -> NDArray[np.bool_]:
    """Dilate a mask by its edge and contact shadow, and fill pinholes: the hole, bool [128, 128].

    A pinhole would show as a dot of the mask on the fill.
    """
    hole = dilated(mask, margin_px)
    return hole | _enclosed_gaps(hole, SEGMENT.most_pinhole_px)


def spare_eyes(
    hole: NDArray[np.bool_], eyes: NDArray[np.bool_], probability: NDArray[np.float32]
) -> NDArray[np.bool_]:
    """Take eyes and lids out of a hole, but for sure mask pixels and a narrow margin of these.

    Few masks reach an eye, and a face with half an eye is wrong at a glance.

    Args:
        hole: bool [128, 128].
        eyes: bool [128, 128], the pixels between the lids.
        probability: float32 [128, 128], of being mask, 0..1.

    Returns:
        bool [128, 128].
    """
    sure = dilated(probability > SEGMENT.sure_probability, SEGMENT.eye_margin_px)
    return hole & (sure | ~dilated(eyes, _LID_PX))

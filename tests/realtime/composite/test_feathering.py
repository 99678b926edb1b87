"""The opacity of a fill: full on the mask, gone outside the hole, and between them only where needed."""

from __future__ import annotations

import numpy as np

from realtime.composite.feathering import feather
from realtime.segment.mask_cleaning import hole_from_mask


def revealed(mask: np.ndarray) -> np.ndarray:
    """Opacity where crop and fill differ everywhere."""
    black = np.zeros((128, 128, 3), np.uint8)
    return feather(mask, hole_from_mask(mask), black, black + 200)


def test_feather_is_1_on_the_mask_and_0_outside_the_hole(mask):
    hole = hole_from_mask(mask)
    opacity = revealed(mask)
    assert (opacity[mask] > 0.99).all()
    assert (opacity[~hole] == 0).all()
    rim = opacity[hole & ~mask]
    assert 0.05 < rim.mean() < 0.95


def test_feather_beside_the_mask_only_differences_are_covered(mask):
    crop, filled = np.full((2, 128, 128, 3), 150, np.uint8)
    crop[:, 64:] = 90  # a shadow of the mask on one half
    opacity = feather(mask, hole_from_mask(mask), crop, filled)
    rim = hole_from_mask(mask, 1) & ~mask
    left, right = np.indices(mask.shape)[1] < 60, np.indices(mask.shape)[1] > 68
    assert (opacity[rim & left] == 0).all()
    assert (opacity[rim & right] > 0.5).all()


def test_feather_tinted_fringe_is_covered_and_shade_is_not(mask):
    filled = np.full((128, 128, 3), 140, np.uint8)
    rim, far = hole_from_mask(mask, 1) & ~mask, hole_from_mask(mask) & ~hole_from_mask(mask, 2)
    shade, fringe = filled - 12, filled + np.array([14, 0, 0], np.uint8)
    fringe[far] = (200, 90, 90)  # surely the mask's own red
    assert feather(mask, hole_from_mask(mask), shade, filled)[rim].max() < 0.1
    opacity = feather(mask, hole_from_mask(mask), fringe, filled)
    assert opacity[rim].min() > 0.3 and opacity[far].max() > 0.15


def test_feather_beside_a_thin_loop_is_opaque(mask):
    mask[60:80, 105:107] = True
    alike = np.full((128, 128, 3), 150, np.uint8)
    opacity = feather(mask, hole_from_mask(mask), alike, alike)
    assert (opacity[62:78, [104, 107]] > 0.9).all()
    assert (opacity[62:78, [102, 109]] == 0).all()
    assert opacity[82, 35] == 0 < opacity[82, 36]

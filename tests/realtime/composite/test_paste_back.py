"""Putting the fill back: exact outside the hole, no seam at its rim, only the face's own region."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from realtime.align import affine, warp_crop
from realtime.composite.feathering import feather
from realtime.composite.paste_back import paste
from realtime.frames import Face
from realtime.inpaint.colour_matching import match_colour
from realtime.segment.mask_cleaning import hole_of


@pytest.fixture
def mask() -> np.ndarray:
    mask = np.zeros((128, 128), np.uint8)
    cv2.ellipse(mask, (64, 82), (28, 24), 0, 0, 360, 1, -1)
    return mask > 0


def revealed(mask: np.ndarray) -> np.ndarray:
    """Opacity where crop and fill differ everywhere."""
    black = np.zeros((128, 128, 3), np.uint8)
    return feather(mask, hole_of(mask), black, black + 200)


def test_opacity_is_full_on_the_mask_and_zero_outside_the_hole(mask):
    hole = hole_of(mask)
    opacity = revealed(mask)
    assert (opacity[mask] > 0.99).all()
    assert (opacity[~hole] == 0).all()
    rim = opacity[hole & ~mask]
    assert 0.05 < rim.mean() < 0.95


def test_round_the_mask_only_what_differs_is_covered(mask):
    crop, filled = np.full((2, 128, 128, 3), 150, np.uint8)
    crop[:, 64:] = 90  # a shadow of the mask on one half
    opacity = feather(mask, hole_of(mask), crop, filled)
    rim = hole_of(mask, 1) & ~mask
    left, right = np.indices(mask.shape)[1] < 60, np.indices(mask.shape)[1] > 68
    assert (opacity[rim & left] == 0).all()
    assert (opacity[rim & right] > 0.5).all()


def test_a_foreign_tint_beside_the_mask_is_covered_where_a_shade_is_not(mask):
    filled = np.full((128, 128, 3), 140, np.uint8)
    rim, far = hole_of(mask, 1) & ~mask, hole_of(mask) & ~hole_of(mask, 2)
    shade, fringe = filled - 12, filled + np.array([14, 0, 0], np.uint8)
    fringe[far] = (200, 90, 90)  # surely the mask's own red
    assert feather(mask, hole_of(mask), shade, filled)[rim].max() < 0.1
    opacity = feather(mask, hole_of(mask), fringe, filled)
    assert opacity[rim].min() > 0.3 and opacity[far].max() > 0.15


def test_beside_a_thin_loop_the_fill_is_opaque_where_beside_the_mask_it_is_not(mask):
    mask[60:80, 105:107] = True
    alike = np.full((128, 128, 3), 150, np.uint8)
    opacity = feather(mask, hole_of(mask), alike, alike)
    assert (opacity[62:78, [104, 107]] > 0.9).all()
    assert (opacity[62:78, [102, 109]] == 0).all()
    assert opacity[82, 35] == 0 < opacity[82, 36]


def test_pasting_the_same_crop_changes_next_to_nothing(astronaut_rgb, astronaut_face: Face, mask):
    frame = np.ascontiguousarray(astronaut_rgb[:, :, ::-1])
    crop, _ = warp_crop.warp_crop(astronaut_rgb, astronaut_face.matrix)
    patch = paste(frame, crop, revealed(mask), astronaut_face.matrix)
    assert patch is not None
    height, width = patch.replaced.shape
    region = frame[patch.y : patch.y + height, patch.x : patch.x + width]
    difference = np.abs(patch.image.astype(int) - region)
    assert difference[~patch.replaced].max(initial=0) == 0
    assert difference.mean() < 3


def test_pasted_region_is_the_holes_own(astronaut_rgb, astronaut_face: Face, mask):
    frame = np.ascontiguousarray(astronaut_rgb[:, :, ::-1])
    grey = np.full((128, 128, 3), 127, np.uint8)
    patch = paste(frame, grey, revealed(mask), astronaut_face.matrix)
    assert patch is not None
    expected = hole_of(mask, 2).sum() / affine.scale_of(astronaut_face.matrix) ** 2
    assert patch.replaced.sum() == pytest.approx(expected, rel=0.1)
    ys, xs = np.nonzero(patch.replaced)
    points = np.column_stack([xs + patch.x, ys + patch.y]).astype(float)
    inside = affine.apply(astronaut_face.matrix, points)
    assert np.hypot((inside[:, 0] - 64) / 32, (inside[:, 1] - 82) / 28).max() < 1.1


def test_a_face_half_outside_the_frame_is_cut(mask):
    frame = np.full((100, 100, 3), 50, np.uint8)
    matrix = np.array([[1.0, 0, 60], [0, 1.0, 40]])
    patch = paste(frame, np.full((128, 128, 3), 200, np.uint8), revealed(mask), matrix)
    assert patch is not None
    assert patch.x == 0
    assert patch.x + patch.replaced.shape[1] <= 100
    away = np.array([[1.0, 0, 4000], [0, 1.0, 0]])
    assert paste(frame, frame, revealed(mask), away) is None


def test_colour_meets_the_ring(mask):
    hole = hole_of(mask)
    crop = np.full((128, 128, 3), (180, 140, 120), np.uint8)
    crop[hole] = (160, 120, 106)
    out = match_colour(crop, hole, ~hole)
    assert np.array_equal(out[~hole], crop[~hole])
    rim = hole & (cv2.distanceTransform(hole.astype(np.uint8), cv2.DIST_L2, 3) <= 2)
    before = np.abs(crop[rim].astype(float) - (180, 140, 120)).mean()
    after = np.abs(out[rim].astype(float) - (180, 140, 120)).mean()
    assert after < 0.4 * before
    # far from the rim the generator is left alone
    deep = cv2.distanceTransform(hole.astype(np.uint8), cv2.DIST_L2, 3) > 22
    assert np.abs(out[deep].astype(int) - crop[deep]).max() <= 1


def test_light_from_one_side_continues(mask):
    hole = hole_of(mask)
    slope = np.linspace(-12, 12, 128)[None, :, None] * np.ones((128, 1, 1))
    lit = np.clip(np.array([180, 140, 120]) + slope, 0, 255).astype(np.uint8)
    crop = lit.copy()
    crop[hole] = (180, 140, 120)
    out = match_colour(crop, hole, ~hole)
    rim = hole & (cv2.distanceTransform(hole.astype(np.uint8), cv2.DIST_L2, 3) <= 3)
    before = np.abs(crop[rim].astype(float) - lit[rim]).mean()
    assert np.abs(out[rim].astype(float) - lit[rim]).mean() < 0.6 * before


def test_what_crosses_the_rim_does_not_stain_the_face(mask):
    hole = hole_of(mask)
    crop = np.full((128, 128, 3), (180, 140, 120), np.uint8)
    crop[104:] = (20, 30, 120)  # a collar
    crop[hole] = (180, 140, 120)
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    touching = cv2.dilate(hole.astype(np.uint8), cross) > 0
    fringe = touching & ~hole & (np.arange(128)[:, None] < 100)
    crop[fringe] = (120, 160, 220)  # the last of the mask
    out = match_colour(crop, hole, ~hole)
    assert np.abs(out[hole].astype(int) - crop[hole]).max() <= 4

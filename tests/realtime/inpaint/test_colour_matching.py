"""Filled colours meet the ring round the hole, and what only crosses the rim does not stain the face."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from realtime.frames import Fill, SegmentedFace
from realtime.inpaint.colour_matching import ColourMatching
from realtime.segment.mask_cleaning import hole_from_mask


def match_colours(crop: np.ndarray, hole: np.ndarray) -> np.ndarray:
    return ColourMatching()(Fill(crop), SegmentedFace.of_crop(crop, hole)).rgb


def test_colour_meets_the_ring(mask):
    hole = hole_from_mask(mask)
    crop = np.full((128, 128, 3), (180, 140, 120), np.uint8)
    crop[hole] = (160, 120, 106)
    out = match_colours(crop, hole)
    assert np.array_equal(out[~hole], crop[~hole])
    rim = hole & (cv2.distanceTransform(hole.astype(np.uint8), cv2.DIST_L2, 3) <= 2)
    before = np.abs(crop[rim].astype(float) - (180, 140, 120)).mean()
    after = np.abs(out[rim].astype(float) - (180, 140, 120)).mean()
    assert after < 0.4 * before
    # far from the rim the generator is left alone
    deep = cv2.distanceTransform(hole.astype(np.uint8), cv2.DIST_L2, 3) > 22
    assert np.abs(out[deep].astype(int) - crop[deep]).max() <= 1


def test_light_from_one_side_continues(mask):
    hole = hole_from_mask(mask)
    slope = np.linspace(-12, 12, 128)[None, :, None] * np.ones((128, 1, 1))
    lit = np.clip(np.array([180, 140, 120]) + slope, 0, 255).astype(np.uint8)
    crop = lit.copy()
    crop[hole] = (180, 140, 120)
    out = match_colours(crop, hole)
    rim = hole & (cv2.distanceTransform(hole.astype(np.uint8), cv2.DIST_L2, 3) <= 3)
    before = np.abs(crop[rim].astype(float) - lit[rim]).mean()
    assert np.abs(out[rim].astype(float) - lit[rim]).mean() < 0.6 * before


def test_what_crosses_the_rim_does_not_stain_the_face(mask):
    hole = hole_from_mask(mask)
    crop = np.full((128, 128, 3), (180, 140, 120), np.uint8)
    crop[104:] = (20, 30, 120)  # a collar
    crop[hole] = (180, 140, 120)
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    touching = cv2.dilate(hole.astype(np.uint8), cross) > 0
    fringe = touching & ~hole & (np.arange(128)[:, None] < 100)
    crop[fringe] = (120, 160, 220)  # the last of the mask
    out = match_colours(crop, hole)
    assert np.abs(out[hole].astype(int) - crop[hole]).max() <= 4


def test_colours_beyond_the_ring_and_in_the_fill_do_not_count(mask):
    """A dark background near the hole, and a beard in its middle, are not the skin along the rim."""
    hole = hole_from_mask(mask)
    outside = cv2.distanceTransform((~hole).astype(np.uint8), cv2.DIST_L2, 3)
    depth = cv2.distanceTransform(hole.astype(np.uint8), cv2.DIST_L2, 3)
    crop = np.full((128, 128, 3), (180, 140, 120), np.uint8)
    crop[outside > 6] = (160, 120, 100)
    crop[hole] = (168, 128, 108)
    crop[depth > 5] = (150, 110, 90)
    out = match_colours(crop, hole)
    rim = (depth > 0) & (depth <= 2)
    assert out[rim].mean(0) == pytest.approx((180, 140, 120), abs=4)
    assert out[depth > 12].mean(0) == pytest.approx((150, 110, 90), abs=1)


def test_without_a_hole_or_a_ring_nothing_is_moved():
    crop = np.full((128, 128, 3), (180, 140, 120), np.uint8)
    for hole in (np.zeros((128, 128), bool), np.ones((128, 128), bool)):
        assert np.array_equal(match_colours(crop, hole), crop)


def test_face_at_the_edge_of_the_picture_is_matched_by_what_is_seen(mask):
    hole = hole_from_mask(mask)
    valid = np.broadcast_to(np.arange(128)[:, None] < 75, (128, 128))
    crop = np.where(valid[..., None], np.array((180, 140, 120), np.uint8), np.uint8(0))
    crop[hole] = (168, 128, 108)
    out = ColourMatching()(Fill(crop), SegmentedFace.of_crop(crop, hole, valid)).rgb
    depth = cv2.distanceTransform(hole.astype(np.uint8), cv2.DIST_L2, 3)
    seen = (depth > 0) & (depth <= 2) & (np.arange(128)[:, None] < 60)
    assert out[seen].mean(0) == pytest.approx((180, 140, 120), abs=4)
    assert (out[hole] >= (168, 128, 108)).all()  # nowhere darker, as the black beyond is
    assert out[hole & ~valid].mean(0) == pytest.approx((168, 128, 108), abs=1)

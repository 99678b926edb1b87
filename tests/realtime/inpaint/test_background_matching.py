"""A plain background goes on beside the face, with a sharp contour; nothing else of a fill moves."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from realtime.align.affine import apply
from realtime.align.face_silhouette import face_silhouette
from realtime.frames import Face, Fill, SegmentedFace
from realtime.inpaint.background_matching import BackgroundMatching

SKIN, WALL = (190, 140, 115), (228, 226, 222)
TINT = 12  # levels by which a fill misses the wall's colour


@pytest.fixture
def landmarks(astronaut_face: Face) -> NDArray[np.float64]:
    assert astronaut_face.landmarks is not None
    return apply(astronaut_face.matrix, astronaut_face.landmarks)


@pytest.fixture
def silhouette(landmarks: NDArray[np.float64]) -> NDArray[np.bool_]:
    return face_silhouette(landmarks, (128, 128))


@pytest.fixture
def hole() -> NDArray[np.bool_]:
    """A mask that is wider than the face."""
    drawn = np.zeros((128, 128), np.uint8)
    cv2.ellipse(drawn, (64, 86), (50, 38), 0, 0, 360, 1, -1)
    return drawn > 0


def softly_filled(
    truth: NDArray[np.uint8], hole: NDArray[np.bool_], silhouette: NDArray[np.bool_]
) -> NDArray[np.uint8]:
    """Fill as a generator does: contours are soft, and the wall has nearly its colour."""
    soft = cv2.GaussianBlur(truth, (0, 0), 3.0)
    soft[~silhouette] -= np.minimum(soft[~silhouette], TINT)
    return np.where(hole[..., None], soft, truth)


def portrait(silhouette: NDArray[np.bool_], wall: tuple[int, int, int] = WALL) -> NDArray[np.uint8]:
    return np.where(silhouette[..., None], np.array(SKIN), np.array(wall)).astype(np.uint8)


def levels_off(some: NDArray[np.uint8], others: NDArray[np.uint8]) -> NDArray[np.int16]:
    return np.abs(some.astype(np.int16) - others).max(-1)


def depth_of(inside: NDArray[np.bool_]) -> NDArray[np.float32]:
    return np.asarray(cv2.distanceTransform(inside.view(np.uint8), cv2.DIST_L2, 5), np.float32)


def test_wall_goes_on_up_to_a_sharp_jaw(landmarks, silhouette, hole):
    truth = portrait(silhouette)
    filled = softly_filled(truth, hole, silhouette)
    given = filled.copy()
    face = SegmentedFace.of_crop(filled, hole, landmarks=landmarks)
    out = BackgroundMatching()(Fill(filled, 7), face)
    assert out.version == 7
    assert np.array_equal(filled, given)
    assert np.array_equal(out.rgb[~hole], truth[~hole])
    away = hole & (depth_of(~silhouette) > 5)
    assert levels_off(filled, truth)[away].min() >= TINT - 1
    assert levels_off(out.rgb, truth)[away].max() <= 2
    near = hole & ~away & (depth_of(silhouette) < 4)
    assert levels_off(out.rgb, truth)[near].mean() < 0.6 * levels_off(filled, truth)[near].mean()
    deep = depth_of(silhouette) > 9
    assert np.array_equal(out.rgb[deep], filled[deep])


def test_surroundings_that_are_not_plain_move_nothing(landmarks, silhouette, hole):
    leaves = np.random.default_rng(3).integers(40, 200, (128, 128, 3)).astype(np.uint8)
    truth = np.where(silhouette[..., None], np.array(SKIN, np.uint8), leaves)
    filled = softly_filled(truth, hole, silhouette)
    face = SegmentedFace.of_crop(filled, hole, landmarks=landmarks)
    out = BackgroundMatching()(Fill(filled), face).rgb
    beside = hole & (depth_of(~silhouette) > 8) & (depth_of(hole) > 3)
    soft = cv2.GaussianBlur(filled, (0, 0), 0.7)
    assert levels_off(out, soft)[beside].max() <= 1


def test_face_of_nearly_the_colour_of_the_wall_stays(landmarks, silhouette, hole):
    wall = (206, 158, 132)
    truth = portrait(silhouette, wall)
    filled = np.where(hole[..., None], cv2.GaussianBlur(truth, (0, 0), 1.5), truth)
    face = SegmentedFace.of_crop(filled, hole, landmarks=landmarks)
    out = BackgroundMatching()(Fill(filled), face).rgb
    edge = hole & (depth_of(silhouette) > 2)
    assert levels_off(out, truth)[edge].max() < (wall[0] - SKIN[0]) * 0.6
    assert levels_off(out, truth)[edge].mean() < (wall[0] - SKIN[0]) * 0.2


def test_neck_between_two_walls_keeps_its_colour(landmarks, silhouette, hole):
    neck = (np.abs(np.arange(128) - 64) < 18) & (np.arange(128)[:, None] > 100) & ~silhouette
    truth = np.where(neck[..., None], np.array((150, 100, 80), np.uint8), portrait(silhouette))
    filled = softly_filled(truth, hole, silhouette)
    face = SegmentedFace.of_crop(filled, hole, landmarks=landmarks)
    out = BackgroundMatching()(Fill(filled), face).rgb
    inside = hole & (depth_of(neck) > 5)
    assert inside.any()
    assert levels_off(out, truth)[inside].max() <= TINT + 3


def test_colour_that_is_like_nothing_known_stays(landmarks, silhouette, hole):
    filled = softly_filled(portrait(silhouette), hole, silhouette)
    lapel = hole & (depth_of(~silhouette) > 5) & (np.arange(128) < 40)
    filled[lapel] = (110, 170, 255)
    face = SegmentedFace.of_crop(filled, hole, landmarks=landmarks)
    out = BackgroundMatching()(Fill(filled), face).rgb
    inside = depth_of(lapel) > 3
    assert inside.any()
    assert levels_off(out, filled)[inside].max() <= 2


def test_what_lies_outside_the_picture_does_not_count(landmarks, silhouette, hole):
    truth = portrait(silhouette)
    valid = np.broadcast_to(np.arange(128) < 100, (128, 128))
    filled = softly_filled(truth, hole, silhouette)
    filled[~valid] = 0
    face = SegmentedFace.of_crop(filled, hole, valid, landmarks=landmarks)
    out = BackgroundMatching()(Fill(filled), face).rgb
    assert np.array_equal(out[~valid], filled[~valid])
    away = hole & (depth_of(~silhouette) > 5) & (np.arange(128) < 97)
    assert levels_off(out, truth)[away].max() <= 2


def test_wall_goes_on_at_the_edge_of_a_hole_if_no_landmarks_tell_the_silhouette(silhouette, hole):
    truth = portrait(silhouette)
    filled = softly_filled(truth, hole, silhouette)
    out = BackgroundMatching()(Fill(filled), SegmentedFace.of_crop(filled, hole)).rgb
    away = hole & (depth_of(~silhouette) > 5) & (depth_of(hole) < 15)
    assert levels_off(out, truth)[away].max() <= TINT / 2
    assert levels_off(out, truth)[away].mean() < 1
    deep = depth_of(hole) > 18
    assert np.array_equal(out[deep], filled[deep])


@pytest.mark.parametrize("known", ["no wall", "nothing beside the face"])
def test_fill_stays_where_there_is_nothing_to_go_by(landmarks, silhouette, hole, known):
    filled = softly_filled(portrait(silhouette), hole, silhouette)
    if known == "no wall":
        face = SegmentedFace.of_crop(filled, np.ones_like(hole), landmarks=landmarks)
    else:
        face = SegmentedFace.of_crop(filled, hole & (depth_of(silhouette) > 8), landmarks=landmarks)
    assert np.array_equal(BackgroundMatching()(Fill(filled), face).rgb, filled)

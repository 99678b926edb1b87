"""What is shown beside a face whose mask was wider than it: the background, and never under the chin."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from realtime.align.affine import apply
from realtime.align.warp_crop import warp_crop
from realtime.frames import Face, FaceContext, Fill
from realtime.inpaint.background import BackgroundPainting

_SKIN = (200, 150, 130)


@pytest.fixture
def crop(astronaut_rgb: NDArray[np.uint8], astronaut_face: Face) -> NDArray[np.uint8]:
    return warp_crop(astronaut_rgb, astronaut_face.matrix)[0]


@pytest.fixture
def points(astronaut_face: Face) -> NDArray[np.float64]:
    """The landmarks in the crop."""
    assert astronaut_face.landmarks is not None
    return apply(astronaut_face.matrix, astronaut_face.landmarks)


@pytest.fixture
def face_only(points: NDArray[np.float64]) -> NDArray[np.bool_]:
    drawn = np.zeros((128, 128), np.uint8)
    cv2.fillConvexPoly(drawn, cv2.convexHull(np.rint(points).astype(np.int32)), 1)
    return drawn > 0


@pytest.fixture
def hole(face_only: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """A mask that stands out by 12 px on both sides and below the chin."""
    hole = cv2.dilate(face_only.view(np.uint8), np.ones((25, 25), np.uint8)) > 0
    hole[:60] = False
    return hole


def paint(
    crop: NDArray[np.uint8], hole: NDArray[np.bool_], points: NDArray[np.float64] | None
) -> NDArray[np.uint8]:
    """Let a generator fill the hole with skin, and paint the background of that."""
    filled = crop.copy()
    filled[hole] = _SKIN
    context = FaceContext.of_crop(crop, hole)
    tracked = context.face.tracked
    tracked = replace(tracked, face=replace(tracked.face, landmarks=points))
    context = replace(context, face=replace(context.face, tracked=tracked))
    return BackgroundPainting()(Fill(filled), context).rgb


def _beside(
    hole: NDArray[np.bool_], face_only: NDArray[np.bool_], points: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """The hole's pixels beside the cheeks, above the corners of the jaw, a little away from the face."""
    away = cv2.dilate(face_only.view(np.uint8), np.ones((7, 7), np.uint8)) == 0
    jaw_y = int(points[[172, 397], 1].min())
    return hole & away & (np.arange(128) < jaw_y)[:, None]


def test_background_beside_the_face_is_like_the_truth_and_not_like_skin(
    crop: NDArray[np.uint8],
    hole: NDArray[np.bool_],
    points: NDArray[np.float64],
    face_only: NDArray[np.bool_],
):
    at = _beside(hole, face_only, points)
    assert at.sum() > 100
    painted = paint(crop, hole, points)[at].astype(int)
    error = np.abs(painted - crop[at]).mean()
    assert error < 0.5 * np.abs(np.array(_SKIN) - crop[at]).mean()
    assert np.abs(painted - np.array(_SKIN)).mean() > 20  # none of the skin has bled into it


def test_background_changes_neither_the_face_nor_the_neck_nor_what_lies_outside_the_hole(
    crop: NDArray[np.uint8],
    hole: NDArray[np.bool_],
    points: NDArray[np.float64],
    face_only: NDArray[np.bool_],
):
    painted = paint(crop, hole, points)
    inner = hole & (cv2.erode(face_only.view(np.uint8), np.ones((7, 7), np.uint8)) > 0)
    assert (painted[inner] == _SKIN).all()
    x, y = np.rint(points[152]).astype(int)
    under_chin = hole[y:, x - 4 : x + 5]
    assert under_chin.any() and (painted[y:, x - 4 : x + 5][under_chin] == _SKIN).all()
    assert np.array_equal(painted[~hole], crop[~hole])


def test_background_ends_sharply_at_the_face(
    crop: NDArray[np.uint8], hole: NDArray[np.bool_], points: NDArray[np.float64]
):
    painted = paint(crop, hole, points)
    row = int(points[[132, 361], 1].mean())
    changed = np.flatnonzero((painted[row] != _SKIN).any(1) & hole[row])
    left = changed[changed < 64]
    edge = points[:, 0][np.abs(points[:, 1] - row) < 3].min()
    assert left.max() == pytest.approx(edge, abs=3)


def test_background_stays_on_the_near_side_of_a_turned_head(
    crop: NDArray[np.uint8], hole: NDArray[np.bool_], points: NDArray[np.float64]
):
    turned = points.copy()
    nose_x = points[1, 0]
    near = turned[:, 0] < nose_x
    turned[~near, 0] = nose_x + 0.4 * (turned[~near, 0] - nose_x)
    painted = paint(crop, hole, turned)
    changed = (painted != _SKIN).any(-1) & hole
    assert not changed[:, : int(turned[152, 0]) - 2].any()
    assert changed[:, int(turned[152, 0]) + 2 :].any()


def test_background_without_landmarks_the_fill_stays(
    crop: NDArray[np.uint8], hole: NDArray[np.bool_]
):
    assert (paint(crop, hole, None)[hole] == _SKIN).all()


def test_background_where_none_is_seen_the_fill_stays(
    crop: NDArray[np.uint8], points: NDArray[np.float64]
):
    everywhere = np.ones((128, 128), bool)
    assert (paint(crop, everywhere, points) == _SKIN).all()

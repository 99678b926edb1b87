"""Where the parts of a face lie in the canonical crop, on the face of a photograph."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from realtime.align.affine import apply
from realtime.align.face_regions import NOSE_AND_MOUTH, SKIN_SEEDS, UPPER_FACE
from realtime.frames import Face

# Landmarks: brows, eyes' outer corners, the root and the base of the nose; then the face's outline.
UPPER = (70, 300, 33, 263, 168, 2)
OUTLINE = (10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
           152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109)  # fmt: skip


@pytest.fixture
def points(astronaut_face: Face) -> NDArray[np.float64]:
    """Her landmarks, crop px."""
    assert astronaut_face.landmarks is not None
    return apply(astronaut_face.matrix, astronaut_face.landmarks)


def filled(points: NDArray[np.float64]) -> NDArray[np.bool_]:
    place = np.zeros((128, 128), np.uint8)
    cv2.fillConvexPoly(place, cv2.convexHull(points.round().astype(np.int32)), (1,))
    return place > 0


def test_upper_face_is_eyes_nose_and_forehead_without_the_chin(points):
    face = filled(points[list(OUTLINE)])
    assert UPPER_FACE[filled(points[list(UPPER)])].mean() > 0.97
    assert face[UPPER_FACE].mean() > 0.8 and UPPER_FACE[face].mean() > 0.75
    assert not UPPER_FACE[round(points[17, 1]) :].any()


def test_skin_seeds_and_mouth_lie_within_the_face(points):
    face, mouth = filled(points[list(OUTLINE)]), np.zeros((128, 128), bool)
    mouth[NOSE_AND_MOUTH] = True
    assert mouth[filled(points[[61, 291, 0, 17]])].all() and face[mouth].all()
    for seeds in SKIN_SEEDS:
        assert face[seeds].mean() > 0.95 and seeds.sum() > 900


def test_regions_are_as_wide_to_the_left_as_to_the_right():
    mouth = np.zeros((128, 128), bool)
    mouth[NOSE_AND_MOUTH] = True
    for region in (UPPER_FACE, mouth, *SKIN_SEEDS):
        assert 63 <= np.nonzero(region)[1].mean() <= 64

"""The canonical crop: where the eyes land, what stays inside, what lies outside the picture."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from realtime import alignment
from realtime.face import Face


def test_eyes_are_level_and_apart_as_designed(astronaut_face: Face):
    assert astronaut_face.landmarks is not None
    points = alignment.apply(astronaut_face.matrix, astronaut_face.landmarks)
    right, left = points[33], points[263]
    assert right[1] == pytest.approx(left[1], abs=1e-6)
    assert (right[1] + left[1]) / 2 == pytest.approx(46, abs=1e-6)
    assert 40 <= left[0] - right[0] <= 48.001


def test_chin_and_what_is_under_it_lie_inside(astronaut_face: Face):
    assert astronaut_face.landmarks is not None
    chin = alignment.apply(astronaut_face.matrix, astronaut_face.landmarks)[152]
    assert 80 < chin[1] < 122


def test_crop_does_not_depend_on_how_the_picture_is_turned_or_scaled(
    astronaut_rgb, astronaut_face: Face
):
    assert astronaut_face.landmarks is not None
    crop, _ = alignment.warp_crop(astronaut_rgb, astronaut_face.matrix)
    move = cv2.getRotationMatrix2D((224, 120), 20, 1.5)
    turned = cv2.warpAffine(astronaut_rgb, move, (900, 900), flags=cv2.INTER_CUBIC)
    landmarks = alignment.apply(move, astronaut_face.landmarks)
    again, _ = alignment.warp_crop(
        np.asarray(turned, np.uint8), alignment.similarity_from_landmarks(landmarks)
    )
    middle = (slice(20, 110), slice(20, 110))
    assert np.abs(crop[middle].astype(int) - again[middle]).mean() < 4


def test_a_turned_head_does_not_zoom_in(astronaut_face: Face):
    assert astronaut_face.landmarks is not None
    centre = astronaut_face.landmarks[:, 0].mean()
    narrow = astronaut_face.landmarks.copy()
    narrow[:, 0] = centre + (narrow[:, 0] - centre) * 0.4
    frontal = alignment.scale_of(astronaut_face.matrix)
    turned = alignment.scale_of(alignment.similarity_from_landmarks(narrow))
    by_eyes_alone = frontal / 0.4
    assert turned < 0.6 * by_eyes_alone


def test_validity_marks_what_lies_outside(astronaut_rgb, astronaut_face: Face):
    matrix = astronaut_face.matrix
    x0, y0, x1, _ = astronaut_face.box
    cut = np.ascontiguousarray(astronaut_rgb[: int(y0 + 60)])
    _, valid = alignment.warp_crop(cut, matrix)
    assert valid[20:50, 40:90].all()
    assert not valid[110:].any()
    assert x1 > x0


def test_a_large_face_does_not_alias():
    stripes = np.zeros((1024, 1024, 3), np.uint8)
    stripes[:, ::2] = 255
    matrix = np.array([[1 / 8, 0, 0], [0, 1 / 8, 0.0]])
    crop, _ = alignment.warp_crop(stripes, matrix)
    assert np.abs(crop[8:-8, 8:-8].astype(int) - 127).max() <= 2


def test_a_larger_crop_of_a_large_face_shows_the_picture_to_its_edges():
    across, down = np.meshgrid(np.linspace(0, 255, 1024), np.linspace(0, 255, 1024))
    picture = np.dstack([across, down, across]).astype(np.uint8)
    matrix = np.array([[1 / 8, 0, 0], [0, 1 / 8, 0.0]])
    crop, valid = alignment.warp_crop(picture, matrix, 224)
    assert valid.all()
    assert np.abs(crop.astype(int) - cv2.resize(picture, (224, 224))).max() <= 3


def test_inverse_returns_the_points():
    matrix = np.array([[0.3, -0.1, 5.0], [0.1, 0.3, -7.0]])
    points = np.array([[10.0, 20.0], [300.0, 40.0]])
    there = alignment.apply(matrix, points)
    assert alignment.apply(alignment.invert(matrix), there) == pytest.approx(points, abs=1e-6)

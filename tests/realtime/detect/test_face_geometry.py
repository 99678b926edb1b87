"""Faces made of what the networks find: alike from every network, moved with the picture, told apart."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from realtime.align.affine import apply, compose, invert
from realtime.detect.blazeface import Detection
from realtime.detect.face_geometry import (
    face_of_alignment,
    face_of_detection,
    face_of_landmarks,
    is_same_face,
    moved,
    scaled_and_shifted,
)
from realtime.frames import Face


def similarity(zoom: float, degrees: float, x: float, y: float) -> NDArray[np.float64]:
    angle = np.deg2rad(degrees)
    cos, sin = zoom * np.cos(angle), zoom * np.sin(angle)
    return np.array([[cos, -sin, x], [sin, cos, y]])


def boxed(x: float, y: float, size: float) -> Face:
    """A face whose eyes are level, a third below the upper edge of its box."""
    box = (x - size / 2, y - size / 3, x + size / 2, y + 2 * size / 3)
    eyes = np.array([[x - size / 5, y], [x + size / 5, y]])
    return Face(box, np.concatenate([eyes, np.zeros((3, 2))]), None, np.eye(2, 3))


def test_face_of_alignment_lies_where_the_landmarks_put_it(astronaut_face: Face):
    face = face_of_alignment(astronaut_face.matrix)
    apart = np.hypot(*(face.keypoints - astronaut_face.keypoints).T)
    assert apart[:3].max() < 2 and apart[3:].max() < 16  # she smiles: her mouth is high
    assert face.box == pytest.approx(astronaut_face.box, abs=0.12 * astronaut_face.size)


def test_face_of_detection_estimates_both_mouth_corners(astronaut_face: Face):
    right_eye, left_eye, nose, *mouth = astronaut_face.keypoints
    ears = np.array([[178.0, 118], [262, 122]])
    points = np.stack([right_eye, left_eye, nose, np.mean(mouth, axis=0), *ears])
    face = face_of_detection(Detection(0.9, np.array([225.0, 124]), 100.0, points))
    assert face.box == (175, 74, 275, 174)
    assert np.abs(face.keypoints - astronaut_face.keypoints).max() < 8
    assert (
        np.abs(apply(face.matrix, points[:2]) - apply(astronaut_face.matrix, points[:2])).max() < 9
    )


@pytest.mark.parametrize("move", [similarity(1.3, 0, 20, -9), similarity(0.8, 8, -30, 12)])
def test_moved_face_is_that_of_the_moved_picture(astronaut_face: Face, move):
    assert astronaut_face.landmarks is not None
    found = moved(astronaut_face, move)
    wanted = face_of_landmarks(apply(move, astronaut_face.landmarks))
    assert found.landmarks == pytest.approx(wanted.landmarks)
    assert found.keypoints == pytest.approx(wanted.keypoints)
    assert found.matrix == pytest.approx(wanted.matrix, abs=1e-6)
    assert found.box == pytest.approx(wanted.box, abs=0.05 * wanted.size)
    assert moved(replace(astronaut_face, landmarks=None), move).landmarks is None
    there = moved(astronaut_face, scaled_and_shifted(2.0, 5, -7))
    assert there.box == pytest.approx(np.array(astronaut_face.box) * 2 + (5, -7, 5, -7))
    assert compose(there.matrix, invert(there.matrix)) == pytest.approx(np.eye(2, 3), abs=1e-9)


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (boxed(230, 205, 90), True),
        (boxed(245, 200, 100), True),
        (boxed(234, 234, 100), True),  # found twice, a little aside
        (boxed(265, 200, 100), False),  # cheek to cheek
        (boxed(200, 280, 100), False),  # the head below
        (boxed(170, 260, 30), True),  # a part of the face, taken for a small one
        (boxed(140, 170, 30), False),  # a small face behind, half hidden
        (boxed(140, 200, 60), False),
        (boxed(450, 200, 100), False),
        (boxed(200, 420, 100), False),
    ],
)
def test_is_same_face_close_or_within_the_other(other: Face, same: bool):
    one = boxed(200, 200, 100)
    assert is_same_face(one, other) == is_same_face(other, one) == same

"""Heads turned to a side: what is nearer moves further and hides what lies behind."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from realtime.align.affine import apply, scale_of
from realtime.synthetic.pose import fit_pose
from trainer.augment.head_turns import turn, turned
from trainer.augment.views import turned_view, view_of
from trainer.data.face_set import FaceSet

_NOSE, _CHIN, _RIGHT_CHEEK, _LEFT_CHEEK = 4, 152, 50, 280


def _marked(faces: FaceSet, landmark: int) -> NDArray[np.uint8]:
    """Flags with a spot of 5 px at a landmark."""
    flags = np.zeros((128, 128, 1), np.uint8)
    x, y = np.round(faces.landmarks[0][landmark]).astype(int)
    flags[y - 2 : y + 3, x - 2 : x + 3] = 255
    return flags


def _yaw(landmarks: NDArray[np.float32]) -> float:
    return float(np.degrees(fit_pose(landmarks).yaw))


def _straight(faces: FaceSet) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """The first face, turned to look straight ahead."""
    landmarks = faces.landmarks[0]
    crop, _, landmarks = turn(
        faces.crops[0], _marked(faces, _NOSE), landmarks, -np.deg2rad(_yaw(landmarks))
    )
    return crop, landmarks


def test_a_head_turned_by_nothing_stays(faces: FaceSet):
    crop, flags, landmarks = turn(faces.crops[0], _marked(faces, _NOSE), faces.landmarks[0], 0.0)
    assert np.abs(crop.astype(int) - faces.crops[0]).max() <= 1
    assert np.array_equal(flags, _marked(faces, _NOSE))
    assert np.allclose(landmarks, faces.landmarks[0], atol=1e-3)


@pytest.mark.parametrize("degrees", [-60.0, -30.0, 30.0, 60.0])
def test_landmarks_and_flags_move_with_the_pixels(faces: FaceSet, degrees: float):
    _, flags, landmarks = turn(
        faces.crops[0], _marked(faces, _NOSE), faces.landmarks[0], np.deg2rad(degrees)
    )
    spot = np.argwhere(flags[..., 0] > 127).mean(0)[::-1]
    assert np.hypot(*(spot - landmarks[_NOSE])) < 3
    assert (landmarks[_NOSE] - landmarks[_CHIN])[0] * degrees > 0  # the nose goes furthest


def test_the_head_is_turned_as_far_as_asked(faces: FaceSet):
    crop, landmarks = _straight(faces)
    for degrees in (-50, -25, 25, 50):
        _, _, points = turn(crop, np.zeros((128, 128, 1), np.uint8), landmarks, np.deg2rad(degrees))
        assert _yaw(points) == pytest.approx(degrees, abs=12)


def test_in_profile_the_far_cheek_is_hidden_and_the_near_one_seen(faces: FaceSet):
    for far, near, yaw in ((_LEFT_CHEEK, _RIGHT_CHEEK, 75), (_RIGHT_CHEEK, _LEFT_CHEEK, -75)):
        seen = {}
        for cheek in (far, near):
            flags = _marked(faces, cheek)
            _, flags, _ = turn(faces.crops[0], flags, faces.landmarks[0], np.deg2rad(yaw))
            seen[cheek] = int((flags > 127).sum())
        assert seen[near] > 10
        assert seen[far] < 0.3 * seen[near]


def test_what_lies_beside_the_head_and_below_the_chin_stays(faces: FaceSet):
    nothing = np.zeros((128, 128, 1), np.uint8)
    crop, _, _ = turn(faces.crops[0], nothing, faces.landmarks[0], np.deg2rad(50))
    below = int(faces.landmarks[0][_CHIN][1]) + 14
    assert below < 126
    assert np.abs(crop[below:].astype(int) - faces.crops[0][below:]).max() <= 1


def test_heads_are_turned_to_both_sides_up_to_profile_and_bowed(faces: FaceSet):
    rng, nothing = np.random.default_rng(0), np.zeros((128, 128, 1), np.uint8)
    yaws, heights = [], []
    for _ in range(80):
        crop, flags, landmarks = turned(faces.crops[0], nothing, faces.landmarks[0], rng)
        assert crop.shape == faces.crops[0].shape and flags.shape == nothing.shape
        yaws.append(_yaw(landmarks))
        heights.append(landmarks[_CHIN][1] - landmarks[168][1])
    assert min(yaws) < -60 and max(yaws) > 60
    usual = faces.landmarks[0][_CHIN][1] - faces.landmarks[0][168][1]
    assert min(heights) < 0.85 * usual and max(heights) > usual


def test_a_head_that_looks_aside_is_turned_on_to_that_side(faces: FaceSet):
    rng, nothing = np.random.default_rng(2), np.zeros((128, 128, 1), np.uint8)
    crop, straight = _straight(faces)
    for degrees in (-25, 25):
        aside, _, landmarks = turn(crop, nothing, straight, np.deg2rad(degrees))
        draws = [turned(aside, nothing, landmarks, rng)[2] for _ in range(20)]
        assert all(_yaw(points) * degrees > 0 for points in draws)


def test_profiles_are_drawn_as_often_as_asked(faces: FaceSet):
    rng, nothing = np.random.default_rng(1), np.zeros((128, 128, 1), np.uint8)
    shares = []
    for profiles in (0.0, 1.0):
        draws = [
            turned(faces.crops[0], nothing, faces.landmarks[0], rng, profiles) for _ in range(40)
        ]
        shares.append(np.mean([abs(_yaw(landmarks)) > 45 for _, _, landmarks in draws]))
    assert shares[0] < 0.8
    assert shares[1] > 0.9


def test_an_outline_is_drawn_as_a_lens_would_not_in_steps(faces: FaceSet):
    _, landmarks = _straight(faces)
    face = np.zeros((128, 128), np.uint8)
    cv2.fillConvexPoly(face, cv2.convexHull(np.rint(landmarks).astype(np.int32)), 255)
    white_on_black = np.repeat(cv2.GaussianBlur(face, (0, 0), 1.0)[..., None], 3, 2)
    nothing = np.zeros((128, 128, 1), np.uint8)
    for degrees in (-70, 70):
        aside, _, points = turn(white_on_black, nothing, landmarks, np.deg2rad(degrees))
        nose = int(points[_NOSE][1])
        rows = aside[nose - 10 : nose + 25, :, 0].astype(int)
        assert np.ptp(rows, axis=1).min() > 200  # both are there, and between them no step
        assert np.abs(np.diff(rows, axis=1)).max() < 160


def test_a_profiles_crop_is_as_level_as_its_head_was_and_not_enlarged(wide_faces: FaceSet):
    rng = np.random.default_rng(0)
    straight, yaws = view_of(wide_faces, 0), []
    for _ in range(30):
        view = turned_view(straight, rng, profiles=1.0)
        matrix = view.to_canonical
        yaws.append(abs(_yaw(view.landmarks)))
        assert np.degrees(np.arctan2(matrix[1, 0], matrix[0, 0])) == pytest.approx(0, abs=0.5)
        assert 0.7 < scale_of(matrix) < 1.4
        eyes = apply(matrix, view.landmarks[[33, 263]]).mean(0)
        assert eyes[1] == pytest.approx(46, abs=0.5)
        assert 45 < eyes[0] < 82
    assert min(yaws) > 40 and max(yaws) > 75

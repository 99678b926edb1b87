"""Head rotation: nearer points move further and hide farther ones."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from realtime.align.affine import apply, scale_of
from realtime.synthetic.pose import fit_pose
from trainer.augment.head_rotation import random_head_rotation, rotate_head
from trainer.augment.views import rotated_view, view_of
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
    """The first face, rotated to look straight ahead."""
    landmarks = faces.landmarks[0]
    crop, _, landmarks = rotate_head(
        faces.crops[0], _marked(faces, _NOSE), landmarks, -np.deg2rad(_yaw(landmarks))
    )
    return crop, landmarks


def test_rotate_head_by_zero_changes_nothing(faces: FaceSet):
    crop, flags, landmarks = rotate_head(
        faces.crops[0], _marked(faces, _NOSE), faces.landmarks[0], 0.0
    )
    assert np.abs(crop.astype(int) - faces.crops[0]).max() <= 1
    assert np.array_equal(flags, _marked(faces, _NOSE))
    assert np.allclose(landmarks, faces.landmarks[0], atol=1e-3)


@pytest.mark.parametrize("degrees", [-60.0, -30.0, 30.0, 60.0])
def test_rotate_head_moves_landmarks_with_pixels(faces: FaceSet, degrees: float):
    _, flags, landmarks = rotate_head(
        faces.crops[0], _marked(faces, _NOSE), faces.landmarks[0], np.deg2rad(degrees)
    )
    spot = np.argwhere(flags[..., 0] > 127).mean(0)[::-1]
    assert np.hypot(*(spot - landmarks[_NOSE])) < 3
    assert (landmarks[_NOSE] - landmarks[_CHIN])[0] * degrees > 0  # the nose goes furthest


def test_rotate_head_reaches_the_yaw(faces: FaceSet):
    crop, landmarks = _straight(faces)
    for degrees in (-50, -25, 25, 50):
        _, _, points = rotate_head(
            crop, np.zeros((128, 128, 1), np.uint8), landmarks, np.deg2rad(degrees)
        )
        assert _yaw(points) == pytest.approx(degrees, abs=12)


def test_rotate_head_to_profile_hides_far_cheek(faces: FaceSet):
    for far, near, yaw in ((_LEFT_CHEEK, _RIGHT_CHEEK, 75), (_RIGHT_CHEEK, _LEFT_CHEEK, -75)):
        seen = {}
        for cheek in (far, near):
            flags = _marked(faces, cheek)
            _, flags, _ = rotate_head(faces.crops[0], flags, faces.landmarks[0], np.deg2rad(yaw))
            seen[cheek] = int((flags > 127).sum())
        assert seen[near] > 10
        assert seen[far] < 0.3 * seen[near]


def test_rotate_head_keeps_pixels_below_chin(faces: FaceSet):
    nothing = np.zeros((128, 128, 1), np.uint8)
    crop, _, _ = rotate_head(faces.crops[0], nothing, faces.landmarks[0], np.deg2rad(50))
    below = int(faces.landmarks[0][_CHIN][1]) + 14
    assert below < 126
    assert np.abs(crop[below:].astype(int) - faces.crops[0][below:]).max() <= 1


def test_random_head_rotation_reaches_profile_and_pitch(faces: FaceSet):
    rng, nothing = np.random.default_rng(0), np.zeros((128, 128, 1), np.uint8)
    yaws, heights = [], []
    for _ in range(80):
        crop, flags, landmarks = random_head_rotation(
            faces.crops[0], nothing, faces.landmarks[0], rng
        )
        assert crop.shape == faces.crops[0].shape and flags.shape == nothing.shape
        yaws.append(_yaw(landmarks))
        heights.append(landmarks[_CHIN][1] - landmarks[168][1])
    assert min(yaws) < -60 and max(yaws) > 60
    usual = faces.landmarks[0][_CHIN][1] - faces.landmarks[0][168][1]
    assert min(heights) < 0.85 * usual and max(heights) > usual


def test_random_head_rotation_keeps_the_side_of_a_head(faces: FaceSet):
    rng, nothing = np.random.default_rng(2), np.zeros((128, 128, 1), np.uint8)
    crop, straight = _straight(faces)
    for degrees in (-25, 25):
        aside, _, landmarks = rotate_head(crop, nothing, straight, np.deg2rad(degrees))
        draws = [random_head_rotation(aside, nothing, landmarks, rng)[2] for _ in range(20)]
        assert all(_yaw(points) * degrees > 0 for points in draws)


def test_random_head_rotation_draws_share_of_profiles(faces: FaceSet):
    rng, nothing = np.random.default_rng(1), np.zeros((128, 128, 1), np.uint8)
    shares = []
    for profiles in (0.0, 1.0):
        draws = [
            random_head_rotation(faces.crops[0], nothing, faces.landmarks[0], rng, profiles)
            for _ in range(40)
        ]
        shares.append(np.mean([abs(_yaw(landmarks)) > 45 for _, _, landmarks in draws]))
    assert shares[0] < 0.8
    assert shares[1] > 0.9


def test_rotate_head_antialiases_outlines(faces: FaceSet):
    _, landmarks = _straight(faces)
    face = np.zeros((128, 128), np.uint8)
    cv2.fillConvexPoly(face, cv2.convexHull(np.rint(landmarks).astype(np.int32)), 255)
    white_on_black = np.repeat(cv2.GaussianBlur(face, (0, 0), 1.0)[..., None], 3, 2)
    nothing = np.zeros((128, 128, 1), np.uint8)
    for degrees in (-70, 70):
        aside, _, points = rotate_head(white_on_black, nothing, landmarks, np.deg2rad(degrees))
        nose = int(points[_NOSE][1])
        rows = aside[nose - 10 : nose + 25, :, 0].astype(int)
        assert np.ptp(rows, axis=1).min() > 200  # both are there, and between them no step
        assert np.abs(np.diff(rows, axis=1)).max() < 160


def test_rotated_view_keeps_roll_and_scale(wide_faces: FaceSet):
    rng = np.random.default_rng(0)
    straight, yaws = view_of(wide_faces, 0), []
    for _ in range(30):
        view = rotated_view(straight, rng, profiles=1.0)
        matrix = view.to_canonical
        yaws.append(abs(_yaw(view.landmarks)))
        assert np.degrees(np.arctan2(matrix[1, 0], matrix[0, 0])) == pytest.approx(0, abs=0.5)
        assert 0.7 < scale_of(matrix) < 1.4
        eyes = apply(matrix, view.landmarks[[33, 263]]).mean(0)
        assert eyes[1] == pytest.approx(46, abs=0.5)
        assert 45 < eyes[0] < 82
    assert min(yaws) > 40 and max(yaws) > 75

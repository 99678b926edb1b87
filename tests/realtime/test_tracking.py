"""Following faces: numbers that stay, calm transforms, misses bridged, reset that forgets."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from realtime.alignment import apply
from realtime.tracking import FaceTracker, OneEuro, _to_matrix, _to_vector


def test_similarity_survives_its_vector():
    matrix = np.array([[0.8, -0.2, 12.0], [0.2, 0.8, -30.0]])
    assert _to_matrix(_to_vector(matrix)) == pytest.approx(matrix, abs=1e-9)


def test_noise_is_calmed_and_motion_followed():
    rng = np.random.default_rng(0)
    noisy = rng.normal(0, 1.0, (200, 4))
    smooth = OneEuro()
    out = np.array([smooth(value) for value in noisy])
    assert out[20:].std() < 0.6 * noisy[20:].std()
    smooth = OneEuro()
    moving = np.array([smooth(np.full(4, 10.0 * step)) for step in range(60)])
    assert abs(moving[-1, 0] - 590) < 10


def test_a_moving_face_keeps_its_number(astronaut_rgb):
    numbers, eyes = [], []
    with FaceTracker(2) as tracker:
        for step in range(8):
            shift = np.array([[1.0, 0, 4.0 * step], [0, 1.0, 2.0 * step]])
            frame = cv2.warpAffine(astronaut_rgb, shift, (512, 512))
            (track,) = tracker(frame)
            numbers.append(track.track_id)
            eyes.append(apply(track.matrix, track.face.keypoints[:2]).mean(0))
    assert numbers == [0] * 8
    assert np.abs(np.array(eyes)[:, 1] - 46).max() < 4


def test_a_face_missed_for_a_moment_is_kept_then_dropped(astronaut_rgb):
    blank = np.zeros_like(astronaut_rgb)
    with FaceTracker(1) as tracker:
        (first,) = tracker(astronaut_rgb)
        for _ in range(6):
            tracker(astronaut_rgb)
        (held,) = tracker(blank)
        assert held.track_id == first.track_id
        assert held.misses == 1
        for _ in range(8):
            tracker(blank)
        assert tracker(blank) == []


def test_a_face_hidden_for_a_second_comes_back_with_its_number(astronaut_rgb):
    blank = np.zeros_like(astronaut_rgb)
    with FaceTracker(1) as tracker:
        for _ in range(7):
            tracker(astronaut_rgb)
        (before,) = tracker(astronaut_rgb)
        shown = [bool(tracker(blank)) for _ in range(29)]
        (after,) = tracker(astronaut_rgb)
        assert shown[:3] == [True] * 3
        assert shown[8:] == [False] * 21
        assert (after.track_id, after.fresh) == (before.track_id, True)
        (later,) = tracker(astronaut_rgb)
        assert not later.fresh
        for _ in range(40):
            tracker(blank)
        (other,) = tracker(astronaut_rgb)
        assert other.track_id != before.track_id


def test_reset_forgets(astronaut_rgb):
    with FaceTracker(1) as tracker:
        tracker(astronaut_rgb)
        tracker.reset()
        assert tracker(np.zeros_like(astronaut_rgb)) == []
        (track,) = tracker(astronaut_rgb)
        assert track.track_id == 0


def test_unrelated_pictures_are_not_smoothed(astronaut_rgb):
    moved = cv2.warpAffine(astronaut_rgb, np.array([[1.0, 0, 40], [0, 1.0, 30]]), (512, 512))
    with FaceTracker(1, still=True) as tracker:
        tracker(astronaut_rgb)
        (track,) = tracker(moved)
    assert np.array_equal(track.matrix, track.face.matrix)

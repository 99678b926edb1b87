"""Faces of a stream: those that are there are followed, new ones found, lost ones found again."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from realtime.detect.face_detector import FaceDetector

Picture = NDArray[np.uint8]


@pytest.fixture(scope="module")
def face(astronaut_rgb: Picture) -> Picture:
    return cv2.resize(astronaut_rgb[:300, 74:374], (512, 512)).astype(np.uint8)


@pytest.fixture(scope="module")
def one(face: Picture) -> Picture:
    """A face at the left of a wide frame."""
    return cv2.copyMakeBorder(face, 0, 0, 0, 512, cv2.BORDER_CONSTANT, value=(90, 90, 90))


@pytest.fixture(scope="module")
def two(face: Picture) -> Picture:
    """The same with its mirror image at the right."""
    return np.hstack([face, face[:, ::-1]])


def centres(finder: FaceDetector, frames: list[Picture]) -> list[list[float]]:
    return [sorted(float(face.centre[0]) for face in finder(frame)) for frame in frames]


def test_landmark_stream_face_enters_or_leaves_is_noticed(one: Picture, two: Picture) -> None:
    with FaceDetector(4, video=True) as finder:
        seen = centres(finder, [one] * 8 + [two] * 8 + [one] * 8)
    counts = [len(places) for places in seen]
    assert counts[:8] == [1] * 8
    assert counts[10:16] == [2] * 6
    assert counts[18:] == [1] * 6
    assert all(abs(places[0] - seen[0][0]) < 4 for places in seen)


def test_landmark_stream_cut_to_another_face_is_noticed(one: Picture) -> None:
    other = np.ascontiguousarray(one[:, ::-1])
    with FaceDetector(4, video=True) as finder:
        seen = centres(finder, [one] * 8 + [other] * 5)
    assert seen[-1] == pytest.approx([1023 - seen[0][0]], abs=6)


def test_landmark_stream_face_returns_is_found_again(one: Picture) -> None:
    empty = np.full_like(one, 90)
    with FaceDetector(4, video=True) as finder:
        seen = centres(finder, [one] * 6 + [empty] * 4 + [one] * 4)
    assert [len(places) for places in seen] == [1] * 6 + [0] * 4 + [1] * 4

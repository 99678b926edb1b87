"""Files are smoothed from both sides: calmer than live, without lag, and without holes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from realtime.frames import Face, TrackedFace, TrackedFrame
from realtime.video.track_smoothing import smooth_tracks

FRAMES = 60


def _truth(index: int) -> np.ndarray:
    angle, scale = 0.1 * np.sin(index / 9), 0.5 + 0.002 * index
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    linear = np.array([[cos, -sin], [sin, cos]])
    centre = np.array([200 + 3 * index, 150 + 20 * np.sin(index / 10)])
    return np.column_stack([linear, np.array([63.5, 63.5]) - linear @ centre])


def _frames(missed: set[int], lost: set[int]) -> Iterator[tuple[int, TrackedFrame]]:
    """A face found with noise; `missed`: kept at its old place; `lost`: not in the frame at all."""
    rng = np.random.default_rng(0)
    face = None
    blank = np.zeros((8, 8, 3), np.uint8)
    for index in range(FRAMES):
        found = face is None or index not in missed
        if face is None or found:
            matrix = _truth(index)
            matrix[:, 2] += rng.normal(0, 0.8, 2)
            face = Face((0, 0, 1, 1), np.zeros((5, 2)), None, matrix)
        tracked = TrackedFace(7, face, face.matrix, found)
        yield index, TrackedFrame(blank, () if index in lost else (tracked,))


def _errors(pairs: list[tuple[int, TrackedFrame]]) -> np.ndarray:
    """How far the crop's centre is off, in crop pixels, for every frame."""
    errors = []
    for index, tracked in pairs:
        (face,) = tracked.faces
        truth = _truth(index)
        centre = np.linalg.solve(truth[:, :2], np.array([63.5, 63.5]) - truth[:, 2])
        errors.append(np.hypot(*(face.matrix[:, :2] @ centre + face.matrix[:, 2] - 63.5)))
    return np.array(errors)


def test_smoothing_reduces_jitter_without_lag() -> None:
    raw = _errors(list(_frames(set(), set())))
    smooth = _errors(list(smooth_tracks(_frames(set(), set()))))
    assert smooth.mean() < 0.65 * raw.mean()
    assert smooth[5:-5].max() < 2.5


@pytest.mark.parametrize("kind", ["missed", "lost"])
def test_smoothing_fills_a_gap_on_the_line_between(kind: str) -> None:
    gap = {30, 31, 32}
    missed, lost = (gap, set[int]()) if kind == "missed" else (set[int](), gap)
    pairs = list(smooth_tracks(_frames(missed, lost)))
    assert [index for index, _ in pairs] == list(range(FRAMES))
    assert _errors(pairs)[sorted(gap)].max() < 2.5


def test_smoothing_does_not_keep_a_face_that_left() -> None:
    pairs = list(smooth_tracks(_frames(set(), set(range(40, FRAMES)))))
    assert all(not tracked.faces for _, tracked in pairs[40:])


def test_smoothing_looks_no_further_than_its_window() -> None:
    taken = 0

    def items() -> Iterator[tuple[int, TrackedFrame]]:
        nonlocal taken
        for item in _frames(set(), set()):
            taken += 1
            yield item

    for number, _ in enumerate(smooth_tracks(items(), window=4), 1):
        assert taken <= number + 4

"""Files are smoothed from both sides: calmer than live, without lag, and without holes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from realtime.frames import Face
from realtime.track.association import Motion, Place
from realtime.track.one_euro import OneEuro
from realtime.track.track import Track
from realtime.unmasker import Seen, Sight
from realtime.video.track_smoothing import look_ahead

FRAMES = 60


def _truth(index: int) -> np.ndarray:
    angle, scale = 0.1 * np.sin(index / 9), 0.5 + 0.002 * index
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    linear = np.array([[cos, -sin], [sin, cos]])
    centre = np.array([200 + 3 * index, 150 + 20 * np.sin(index / 10)])
    return np.column_stack([linear, np.array([63.5, 63.5]) - linear @ centre])


def _sights(missed: set[int], lost: set[int]) -> Iterator[tuple[int, Seen]]:
    """A face found with noise; `missed`: kept at its old place; `lost`: not in the frame at all."""
    rng = np.random.default_rng(0)
    face, track = None, None
    blank = np.zeros((8, 8, 3), np.uint8)
    for index in range(FRAMES):
        if face is None or index not in missed:
            matrix = _truth(index)
            matrix[:, 2] += rng.normal(0, 0.8, 2)
            face = Face((0, 0, 1, 1), np.zeros((5, 2)), None, matrix)
        track = track or Track(
            7, face, face.matrix, OneEuro(), Motion(Place(face.centre, face.size))
        )
        sights = [] if index in lost else [Sight(track, face, face.matrix)]
        yield index, Seen(blank, sights, {})


def _errors(pairs: list[tuple[int, Seen | None]]) -> np.ndarray:
    """How far the crop's centre is off, in crop pixels, for every frame."""
    errors = []
    for index, seen in pairs:
        assert seen is not None
        (sight,) = seen.sights
        truth = _truth(index)
        centre = np.linalg.solve(truth[:, :2], np.array([63.5, 63.5]) - truth[:, 2])
        errors.append(np.hypot(*(sight.matrix[:, :2] @ centre + sight.matrix[:, 2] - 63.5)))
    return np.array(errors)


def test_tracks_are_calmer_and_do_not_lag() -> None:
    raw = _errors(list(_sights(set(), set())))
    smooth = _errors(list(look_ahead(_sights(set(), set()))))
    assert smooth.mean() < 0.65 * raw.mean()
    assert smooth[5:-5].max() < 2.5


@pytest.mark.parametrize("kind", ["missed", "lost"])
def test_gaps_lie_on_the_line_between(kind: str) -> None:
    gap = {30, 31, 32}
    missed, lost = (gap, set[int]()) if kind == "missed" else (set[int](), gap)
    pairs = list(look_ahead(_sights(missed, lost)))
    assert [index for index, _ in pairs] == list(range(FRAMES))
    assert _errors(pairs)[sorted(gap)].max() < 2.5


def test_a_face_that_left_is_not_kept() -> None:
    pairs = list(look_ahead(_sights(set(), set(range(40, FRAMES)))))
    assert all(seen is not None and not seen.sights for _, seen in pairs[40:])


def test_it_looks_no_further_than_its_window() -> None:
    taken = 0

    def items() -> Iterator[tuple[int, Seen | None]]:
        nonlocal taken
        for item in _sights(set(), set()):
            taken += 1
            yield item

    for number, _ in enumerate(look_ahead(items(), window=4), 1):
        assert taken <= number + 4


def test_unmaskers_of_one_step_pass_through() -> None:
    items: list[tuple[int, Seen | None]] = [(n, None) for n in range(12)]
    assert list(look_ahead(iter(items))) == items

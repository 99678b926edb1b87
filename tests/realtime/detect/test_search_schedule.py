"""The windows in which each frame of a stream is searched."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from realtime.detect.search_schedule import SearchSchedule
from realtime.detect.search_windows import Window, pyramid
from realtime.frames import Face
from realtime.settings import DETECT

_WIDTH, _HEIGHT = 1280, 720
_INTERVAL_S = 1 / 30
# The picture in which changes are sought: a quarter as wide and high as the frame.
_GREY = np.random.default_rng(0).integers(60, 200, (_HEIGHT // 4, _WIDTH // 4)).astype(np.uint8)


_PLACE = (slice(82, 98), slice(225, 240))  # in that picture


def _windows_of(
    schedule: SearchSchedule,
    frames: int,
    change: tuple[slice, slice] | None = None,
    known: tuple[Face, ...] = (),
) -> list[list[Window]]:
    """Choose windows for frames in which a part changes from one to the next."""
    chosen = []
    for number in range(frames):
        frame = _GREY.copy()
        if change is not None:
            frame[change] = 255 * (number % 2)
        chosen.append(schedule.next(_INTERVAL_S, frame, known))
    return chosen


def _face(x0: float, y0: float, x1: float, y1: float) -> Face:
    return Face((x0, y0, x1, y1), np.zeros((5, 2)), None, np.eye(2, 3))


def test_frames_that_do_not_change_are_searched_in_every_window_in_time():
    schedule = SearchSchedule(_WIDTH, _HEIGHT)
    upright = {window for level in pyramid(_WIDTH, _HEIGHT) for window in level}
    frames = round(2 * DETECT.unchanged_sweep_s / _INTERVAL_S)
    searched = {window for chosen in _windows_of(schedule, frames) for window in chosen}
    assert upright <= searched
    assert {window.turns for window in searched} == {0, 1, 2, 3}


def test_frames_that_change_everywhere_are_searched_no_more_than_allowed():
    everywhere = (slice(None), slice(None))
    chosen = _windows_of(SearchSchedule(_WIDTH, _HEIGHT), 90, everywhere)
    assert sum(map(len, chosen[30:])) == pytest.approx(DETECT.windows_per_s * 2, abs=2)
    upright = {window for level in pyramid(_WIDTH, _HEIGHT)[:4] for window in level}
    assert upright <= {window for windows in chosen for window in windows}


def test_large_windows_come_round_more_often_than_small_and_rolled_ones():
    """Seconds between two searches, where one place changes all the time."""
    times: dict[Window, list[float]] = {}
    schedule = SearchSchedule(_WIDTH, _HEIGHT)
    for number, chosen in enumerate(_windows_of(schedule, 210, _PLACE)):
        for window in chosen:
            times.setdefault(window, []).append(number * _INTERVAL_S)
    waits: dict[tuple[int, bool], float] = {}
    for (x, y, side, turns), at in times.items():
        if max(abs(x - 930), abs(y - 360)) < side / 2 - 30:
            waits[round(side), turns > 0] = (at[-1] - at[0]) / (len(at) - 1) if at[1:] else 7.0
    upright = [waits[side, False] for side in (1280, 720, 432, 259, 156)]
    for wait, least, most in zip(
        upright, (0.2, 0.2, 0.5, 0.5, 1.5), (0.4, 0.4, 1, 1, 2.5), strict=True
    ):
        assert least < wait < most
    assert min(wait for (_, rolled), wait in waits.items() if rolled) > 2.5


def test_where_a_frame_changes_it_is_searched_soon():
    schedule = SearchSchedule(_WIDTH, _HEIGHT)
    schedule.next(_INTERVAL_S, _GREY, ())
    chosen = [window for windows in _windows_of(schedule, 20, _PLACE) for window in windows]
    sides = {window.side for window in chosen if window.turns == 0}
    assert len(sides) >= 4  # windows of each size down to the middle ones
    for x, y, side, _ in chosen:
        assert abs(x - 930) <= side / 2 + 40 and abs(y - 360) <= side / 2 + 40


def test_a_followed_face_that_moves_does_not_call_for_a_search():
    face = _face(890, 320, 970, 400)
    schedule = SearchSchedule(_WIDTH, _HEIGHT)
    assert not any(_windows_of(schedule, 20, _PLACE, (face,)))


def test_slow_changes_count():
    schedule = SearchSchedule(_WIDTH, _HEIGHT)
    chosen = []
    for number in range(40):
        frame = np.full_like(_GREY, 80 + number)  # a level a frame
        chosen += schedule.next(_INTERVAL_S, frame, ())
    assert chosen


def _noisy(rng: np.random.Generator) -> NDArray[np.uint8]:
    return np.clip(_GREY + rng.normal(0, 4, _GREY.shape), 0, 255).astype(np.uint8)


def test_noise_is_no_change():
    rng, schedule = np.random.default_rng(1), SearchSchedule(_WIDTH, _HEIGHT)
    assert not any(schedule.next(_INTERVAL_S, _noisy(rng), ()) for _ in range(30))

"""Which faces the feed gives: by time, size and mask."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from realtime.feed.selection import FeedOptions, Selection
from realtime.frames import FaceResult

CROP = np.zeros((128, 128, 3), np.uint8)
FACE = FaceResult(0, (10.0, 0.0, 50.0, 60.0), np.zeros((5, 2)), 0.3, True, CROP, CROP)


def given(options: FeedOptions, times_s: list[float], track_id: int = 0) -> list[float]:
    selection = Selection(options)
    return [time_s for time_s in times_s if selection(FACE, track_id, time_s)]


def test_selection_without_options_gives_every_face() -> None:
    assert given(FeedOptions(), [0.0, 0.04, 0.04]) == [0.0, 0.04, 0.04]


def test_selection_every_gives_a_face_once_in_the_time() -> None:
    times_s = [round(0.1 * number, 1) for number in range(12)]
    assert given(FeedOptions(every_s=0.5), times_s) == [0.0, 0.5, 1.0]


def test_selection_every_counts_each_track_alone() -> None:
    selection = Selection(FeedOptions(every_s=1.0))
    assert selection(FACE, 0, 0.0)
    assert selection(FACE, 1, 0.1)
    assert not selection(FACE, 0, 0.9)
    assert selection(FACE, 0, 1.0)
    assert not selection(FACE, 1, 1.0)


def test_selection_every_goes_on_when_the_clock_restarts() -> None:
    assert given(FeedOptions(every_s=1.0), [50.0, 0.0, 0.5]) == [50.0, 0.0]


def test_selection_leaves_out_faces_that_are_too_narrow() -> None:
    assert given(FeedOptions(min_size_px=40), [0.0]) == [0.0]
    assert given(FeedOptions(min_size_px=40.1), [0.0]) == []


def test_selection_only_bare_leaves_out_invented_faces() -> None:
    selection = Selection(FeedOptions(only_bare=True))
    assert not selection(FACE, 0, 0.0)
    assert selection(replace(FACE, inpainted=False), 0, 0.0)

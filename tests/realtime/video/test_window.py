"""A window over a recording: what it looks at, and that no frame is held for longer."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from copy import deepcopy

import numpy as np
import pytest

from realtime.frames import SegmentedFrame, TrackedFrame
from realtime.video.mask_gap_closing import close_mask_gaps
from realtime.video.track_smoothing import smooth_tracks
from realtime.video.window import windowed


class Large:
    """Stands for what a decoded frame holds."""


@pytest.mark.parametrize("window", [0, 1, 3])
def test_windowed_each_item_comes_with_its_neighbours(window: int) -> None:
    pairs = ((number, number) for number in range(9))
    seen = windowed(pairs, lambda number: -number, lambda _, *window: deepcopy(window), window)
    shown = list(seen)
    assert [item for item, _ in shown] == list(range(9))
    for item, (around, place) in shown:
        assert around[place] == -item
        first, last = -around[0], -around[-1]
        assert item - first <= 2 * window and last == min(item + window, 8)
        assert first <= max(item - window, 0)


@pytest.mark.parametrize("window", [0, 2])
@pytest.mark.parametrize("smoothed", [smooth_tracks, close_mask_gaps])
def test_smoothing_holds_only_the_frames_it_waits_for(smoothed: Callable, window: int) -> None:
    alive: weakref.WeakSet[Large] = weakref.WeakSet()
    most = 0
    tracked = TrackedFrame(np.zeros((8, 8, 3), np.uint8), ())
    frame = tracked if smoothed is smooth_tracks else SegmentedFrame(tracked, ())

    def made(_: int) -> tuple[Large, TrackedFrame | SegmentedFrame]:
        nonlocal most
        most = max(most, len(alive))
        large = Large()
        alive.add(large)
        return large, frame

    results: Iterator[object] = smoothed(map(made, range(12)), window)
    for result in results:
        del result
    assert most == window

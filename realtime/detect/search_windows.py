"""The squares of a frame in which faces are searched: an image pyramid of overlapping windows.

The detector finds faces from about a sixth of its input's side on. So small faces are searched in small
windows. A picture is searched in all windows at once, a stream in a few of them in each frame.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from realtime.settings import DETECT

_LARGE_LEVELS = 2  # levels of the pyramid whose windows are as high as the frame or higher
_ROLLED_LEVELS = 3  # levels that are searched for rolled faces too
SQUARE_PX = 128.0
"""Side of the detector's input, pixels."""


class Window(NamedTuple):
    """A square of a frame: its centre and side in pixels, and by how many quarter turns it is rolled."""

    x: float
    y: float
    side: float
    turns: int = 0

    @property
    def to_square(self) -> NDArray[np.float64]:
        """Frame pixels to the pixels 0..128 of the detector's input, float64 [2, 3]."""
        return square_about(np.array([self.x, self.y]), self.side, self.turns * np.pi / 2)


def square_about(centre: NDArray[np.float64], side: float, roll: float) -> NDArray[np.float64]:
    """Return the similarity that shows a square of a picture upright.

    Args:
        centre: float64 [2], of the square, pixels.
        side: of the square, pixels.
        roll: direction of the square's upper edge, radians; 0 is to the right, more is clockwise.

    Returns:
        float64 [2, 3], picture pixels to the pixels 0..128 of the detector's input.
    """
    scale = SQUARE_PX / side
    cos, sin = scale * np.cos(roll), scale * np.sin(roll)
    linear = np.array([[cos, sin], [-sin, cos]])
    return np.column_stack([linear, (SQUARE_PX - 1) / 2 - linear @ centre])


@cache
def pyramid(width: int, height: int) -> tuple[tuple[Window, ...], ...]:
    """Divide a frame into levels of overlapping windows, upright, the largest windows first.

    The first level shows the whole frame. The windows of the second one are as high as the frame, and
    those of each further level smaller by a constant factor.
    """
    longer, shorter = max(width, height), min(width, height)
    middle = Window((width - 1) / 2, (height - 1) / 2, float(longer))
    levels: list[tuple[Window, ...]] = [(middle,)]
    side = shorter if shorter < DETECT.window_step * longer else DETECT.window_step * longer
    least = max(DETECT.least_window_px, longer / DETECT.most_windows_across)
    while side >= least:
        columns, rows = (_centres(length, side) for length in (width, height))
        levels.append(tuple(Window(x, y, side) for y, x in itertools.product(rows, columns)))
        side *= DETECT.window_step
    return tuple(levels)


def _centres(length: int, side: float) -> list[float]:
    """Centres of overlapping windows that cover a length, pixels."""
    if length <= side:
        return [(length - 1) / 2]
    steps = int(np.ceil((length - side) / (side * (1 - DETECT.window_overlap))))
    return [float(c) - 0.5 for c in np.linspace(side / 2, length - side / 2, steps + 1)]


def all_windows(width: int, height: int) -> list[Window]:
    """Every window of a picture; the large ones also rolled."""
    levels = pyramid(width, height)
    rolled = [*_wider(levels), *itertools.chain(*levels[:_ROLLED_LEVELS])]
    return [*_wider(levels), *itertools.chain(*levels), *_rolled(rolled)]


def large_windows(width: int, height: int) -> list[Window]:
    """The windows of a picture that are as high as it or higher."""
    levels = pyramid(width, height)
    return [*_wider(levels), *itertools.chain(*levels[:_LARGE_LEVELS])]


def _wider(levels: tuple[tuple[Window, ...], ...]) -> list[Window]:
    """A window that is wider than the picture, for a face that fills it."""
    whole = levels[0][0]
    return [whole._replace(side=whole.side * DETECT.wider_than_picture)]


def _rolled(windows: Iterable[Window]) -> list[Window]:
    return [window._replace(turns=turns) for window in windows for turns in (1, 2, 3)]


class _Round:
    """Takes the windows of one kind in turn.

    Args:
        windows: all of them.
        period_s: seconds in which each has its turn.
    """

    def __init__(self, windows: Sequence[Window], period_s: float) -> None:
        self._windows, self._period_s, self._at = windows, period_s, 0.0

    def next(self, interval_s: float) -> list[Window]:
        """Choose the windows of a frame that comes so many seconds after the last one."""
        count = len(self._windows)
        end = self._at + count * min(interval_s / self._period_s, 1.0)
        chosen = [self._windows[n % count] for n in range(int(self._at), int(end))]
        self._at = end
        return chosen


class SearchSchedule:
    """Chooses the windows in which each frame of a stream is searched.

    Large windows come round several times a second, small ones and those for rolled faces more rarely.

    Args:
        width, height: of the frames, pixels.
    """

    def __init__(self, width: int, height: int) -> None:
        levels = pyramid(width, height)
        large = list(itertools.chain(*levels[:_LARGE_LEVELS]))
        rest = list(itertools.chain(*levels[_LARGE_LEVELS:]))
        least = max(width, height) / DETECT.fine_windows_across
        self._rounds = [
            _Round(windows, period_s)
            for windows, period_s in (
                (large, DETECT.coarse_sweep_s),
                ([one for one in rest if one.side >= least], DETECT.fine_sweep_s),
                ([one for one in rest if one.side < least], DETECT.small_sweep_s),
                (_rolled(itertools.chain(*levels[:_ROLLED_LEVELS])), DETECT.rolled_sweep_s),
            )
            if windows
        ]

    def next(self, interval_s: float) -> list[Window]:
        """Choose the windows of a frame that comes so many seconds after the last one."""
        return [window for one in self._rounds for window in one.next(interval_s)]

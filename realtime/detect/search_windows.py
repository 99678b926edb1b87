"""The squares of a frame in which faces are searched: an image pyramid of overlapping windows.

The detector finds faces from about a sixth of its input's side on. So small faces are searched in small
windows. A picture is searched in all windows at once, a stream in a few of them in each frame
(`realtime.detect.search_schedule`).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from realtime.settings import DETECT

_ROLLED_LEVELS = 3  # levels that are searched for rolled faces too
LARGE_LEVELS = 2
"""Levels of the pyramid whose windows are as high as the frame or higher."""
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
    side = min(shorter, DETECT.window_step * longer)
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
    wider = _wider(levels)
    return [*wider, *itertools.chain(*levels), *_rolled(wider), *rolled_windows(width, height)]


def rolled_windows(width: int, height: int) -> list[Window]:
    """The large windows of a picture, rolled by one, two and three quarter turns."""
    return _rolled(itertools.chain(*pyramid(width, height)[:_ROLLED_LEVELS]))


def large_windows(width: int, height: int) -> list[Window]:
    """The windows of a picture that are as high as it or higher."""
    levels = pyramid(width, height)
    return [*_wider(levels), *itertools.chain(*levels[:LARGE_LEVELS])]


def _wider(levels: tuple[tuple[Window, ...], ...]) -> list[Window]:
    """A window that is wider than the picture, for a face that fills it."""
    whole = levels[0][0]
    return [whole._replace(side=whole.side * DETECT.wider_than_picture)]


def _rolled(windows: Iterable[Window]) -> list[Window]:
    return [window._replace(turns=turns) for window in windows for turns in (1, 2, 3)]

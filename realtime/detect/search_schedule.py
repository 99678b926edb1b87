"""Chooses the windows in which each frame of a stream is searched for new faces, by what changed."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.detect.search_windows import LARGE_LEVELS, Window, pyramid, rolled_windows
from realtime.frames import Face
from realtime.settings import DETECT

_CELLS = 80  # of the map of changes, along the longer side of a frame


class SearchSchedule:
    """Gives each window its turn: often while the picture changes in it, rarely while it stays as it was.

    Large windows come round more often than small ones and those for rolled faces. In each second there
    are at most so many windows.

    Args:
        width, height: of the frames, pixels.
    """

    def __init__(self, width: int, height: int) -> None:
        levels = pyramid(width, height)
        fine = max(width, height) / DETECT.fine_windows_across
        large = list(itertools.chain(*levels[:LARGE_LEVELS]))
        small = list(itertools.chain(*levels[LARGE_LEVELS:]))
        rolled = rolled_windows(width, height)
        self._windows = [*large, *small, *rolled]
        self._periods_s = np.array(
            [DETECT.coarse_sweep_s] * len(large)
            + [DETECT.fine_sweep_s if one.side >= fine else DETECT.small_sweep_s for one in small]
            + [DETECT.rolled_sweep_s] * len(rolled)
        )
        self._waited_s = np.zeros(len(self._windows))
        self._changed = np.zeros(len(self._windows), bool)
        self._changes = ChangeMap(width, height, self._windows)
        self._left = 0.0

    def next(
        self, interval_s: float, grey: NDArray[np.uint8], known: Iterable[Face]
    ) -> list[Window]:
        """Choose the windows of a frame.

        Args:
            interval_s: time since the last frame, seconds.
            grey: uint8 [h, w], the frame, or a smaller picture of it.
            known: faces that are followed; what changes in their boxes does not count.
        """
        self._waited_s += interval_s
        self._changed |= self._changes(grey, known)
        self._left = min(self._left, 1.0) + interval_s * DETECT.windows_per_s
        periods_s = np.where(self._changed, self._periods_s, DETECT.unchanged_sweep_s)
        overdue = self._waited_s / periods_s
        chosen = np.argsort(-overdue, kind="stable")[: int(self._left)]
        chosen = chosen[overdue[chosen] >= 1]
        self._left -= len(chosen)
        self._waited_s[chosen], self._changed[chosen] = 0, False
        return [self._windows[index] for index in chosen]


class ChangeMap:
    """Says in which squares of a stream's frames the picture has changed since the last frame.

    Slow changes count too: each cell of the map is compared with what it was when it last changed.

    Args:
        width, height: of the frames, pixels.
        windows: the squares.
    """

    def __init__(self, width: int, height: int, windows: Iterable[Window]) -> None:
        self._cell_px = max(width, height) / _CELLS
        self._shape = (round(height / self._cell_px), round(width / self._cell_px))
        self._before: NDArray[np.int16] | None = None
        places = np.array([(one.x, one.y, one.side / 2) for one in windows])
        self._x0, self._x1, self._y0, self._y1 = (
            np.clip(np.round((places[:, axis] + sign * places[:, 2]) / self._cell_px), 0, most)
            .astype(int)
            for axis, most in ((0, self._shape[1]), (1, self._shape[0]))
            for sign in (-1, 1)
        )  # fmt: skip

    def __call__(self, grey: NDArray[np.uint8], known: Iterable[Face]) -> NDArray[np.bool_]:
        """Compare a frame with the last one; the first one counts as unchanged.

        Args:
            grey: uint8 [h, w], the frame, or a smaller picture of it.
            known: faces whose boxes are left out.

        Returns:
            bool, one for each square.
        """
        now = cv2.resize(grey, self._shape[::-1], interpolation=cv2.INTER_AREA).astype(np.int16)
        before = now.copy() if self._before is None else self._before
        changed = np.abs(now - before) > DETECT.changed_levels
        np.copyto(before, now, where=changed)
        self._before = before
        for face in known:
            x0, y0, x1, y1 = (max(round(at / self._cell_px), 0) for at in face.box)
            changed[y0:y1, x0:x1] = False
        sums = cv2.integral(changed.astype(np.uint8))
        y0, y1, x0, x1 = self._y0, self._y1, self._x0, self._x1
        return np.asarray(sums[y1, x1] - sums[y0, x1] - sums[y1, x0] + sums[y0, x0] > 0)

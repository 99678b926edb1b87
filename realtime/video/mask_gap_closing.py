"""Says of recorded video from both sides where a mask is worn: gaps are closed, changes come at once.

Live, a change counts once it has lasted for a moment, and a mask that is not found for a quarter of a
second blinks. A file knows what comes next.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.align.affine import compose
from realtime.align.warp_crop import warp_crop_rgb
from realtime.frames import Marked, Work
from realtime.video.window import windowed

T = TypeVar("T")
WINDOW = 8
_ALIKE = 18.0  # levels: what covers the mask, a hand, differs by more from it
_BLUR_PX = 5

Around = deque[dict[int, Work]]


def close_gaps(
    items: Iterable[tuple[T, Marked | None]], window: int = WINDOW
) -> Iterator[tuple[T, Marked | None]]:
    """Yield the same items in the same order, `window` later, with what each face wears decided anew.

    A mask that is missed in at most `window` - 1 frames between two in which it is seen is taken from
    the nearer one, where the frame still looks the same there. A mask seen in one frame alone is none.

    Args:
        items: what travels along, and what was marked in the frame.
        window: so many frames on each side are known.
    """
    decide = _Decider(window)
    for pair, around, place in windowed(items, _by_track, window):
        yield decide(pair, around, place)


def _by_track(pair: tuple[T, Marked | None]) -> dict[int, Work]:
    marked = pair[1]
    return {work.sight.track.track_id: work for work in (marked.work if marked else [])}


class _Decider:
    """Decides on the frame at a place of those around.

    Remembers which epochs of a face's memory are one, because the gap between them was closed: what was
    filled before a gap counts after it.
    """

    def __init__(self, window: int) -> None:
        self._window = window
        self._first: dict[tuple[int, int], int] = {}

    def __call__(
        self, pair: tuple[T, Marked | None], around: Around, place: int
    ) -> tuple[T, Marked | None]:
        item, marked = pair
        if marked is None:
            return pair
        frame_bgr = marked.seen.frame_bgr
        work = [self._decide(entry, around, place, frame_bgr) for entry in marked.work]
        return item, replace(marked, work=work)

    def _decide(self, work: Work, around: Around, place: int, frame_bgr: NDArray[np.uint8]) -> Work:
        track = work.sight.track.track_id
        worn = [track in found and found[track].worn for found in around]
        if work.worn:
            if place and worn[place - 1]:
                self._join(around[place - 1][track], work)
            masked = work.masked or any(
                worn[max(place - 1, 0) : place] + worn[place + 1 : place + 2]
            )
            return _in_epoch(replace(work, masked=masked), self._epoch(work))
        before = next((i for i in range(place - 1, -1, -1) if worn[i]), -self._window)
        after = next((i for i in range(place + 1, len(worn)) if worn[i]), 2 * len(worn))
        if after - before > self._window:
            return _bare(work) if work.masked else work
        earlier, later = around[before][track], around[after][track]
        self._join(earlier, later)
        nearer = earlier if place - before <= after - place else later
        return _in_epoch(_with_mask_of(work, nearer, frame_bgr), self._epoch(earlier))

    def _join(self, earlier: Work, later: Work) -> None:
        if later.moment.epoch != earlier.moment.epoch:
            track = later.sight.track.track_id
            self._first[track, later.moment.epoch] = self._epoch(earlier)

    def _epoch(self, work: Work) -> int:
        epoch = work.moment.epoch
        return self._first.get((work.sight.track.track_id, epoch), epoch)


def _in_epoch(work: Work, epoch: int) -> Work:
    return replace(work, moment=replace(work.moment, epoch=epoch))


def _with_mask_of(work: Work, other: Work, frame_bgr: NDArray[np.uint8]) -> Work:
    """The same face with another frame's mask; bare where something else is in the mask's place."""
    if work.framing is not other.framing:
        matrix = compose(other.framing, work.sight.matrix)
        crop, valid = warp_crop_rgb(frame_bgr, matrix)
        work = replace(work, framing=other.framing, matrix=matrix, crop=crop, valid=valid)
    change = cv2.absdiff(*(cv2.blur(w.crop, (_BLUR_PX, _BLUR_PX)) for w in (work, other)))
    seen = other.mask & work.valid
    if not seen.any() or float(change[seen].mean()) >= _ALIKE:
        return _bare(work)
    return replace(work, mask=other.mask, hole=other.hole, masked=True, filled=work.crop)


def _bare(work: Work) -> Work:
    nothing = np.zeros_like(work.mask)
    return replace(work, mask=nothing, hole=nothing, masked=False)

"""Closes gaps in the masks of recorded video, with frames from both sides.

Live, a mask counts as put on or taken off once that has lasted for a moment, and a mask that is missed for
a quarter of a second blinks. In a file the next frames are known: a change counts in the frame in which it
happens, and short gaps are closed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.align.warp_crop import warp_crop_rgb
from realtime.frames import SegmentedFace, SegmentedFrame
from realtime.video.window import windowed

T = TypeVar("T")
WINDOW = 8  # frames on each side
_MAX_CHANGE = 18.0  # mean difference, levels of 0..255; a hand in front of the mask differs by more
_BLUR_PX = 5  # side of the box filter before two crops are compared, crop pixels

Around = deque[dict[int, SegmentedFace]]
"""The faces of the frames around one, by track id."""


def close_mask_gaps(
    items: Iterable[tuple[T, SegmentedFrame]], window: int = WINDOW
) -> Iterator[tuple[T, SegmentedFrame]]:
    """Yield the same items in the same order, `window` later, with `wears_mask` of each face decided anew.

    A mask that is missed in at most `window` - 1 frames between two in which it is seen is taken from
    the nearer one, where the frame still looks the same there. A mask that is seen in a single frame does
    not count.

    Args:
        items: anything that belongs to a frame, and the frame with its segmented faces.
        window: how many frames on each side are looked at.
    """
    return windowed(items, _by_track, _GapClosing(window), window)


def _by_track(segmented: SegmentedFrame) -> dict[int, SegmentedFace]:
    return {face.track_id: face for face in segmented.faces}


class _GapClosing:
    """Decides which faces of a frame wear a mask.

    Where a gap was closed, the epoch (`CropChange.epoch`) after it becomes the epoch before it, so that the
    temporal blend goes on across the gap.
    """

    def __init__(self, window: int) -> None:
        self._window = window
        self._joined: dict[tuple[int, int], int] = {}  # track id, epoch: the epoch it continues

    def __call__(self, segmented: SegmentedFrame, around: Around, place: int) -> SegmentedFrame:
        frame_bgr = segmented.tracked.frame_bgr
        faces = tuple(self._decide(face, around, place, frame_bgr) for face in segmented.faces)
        return replace(segmented, faces=faces)

    def _decide(
        self, face: SegmentedFace, around: Around, place: int, frame_bgr: NDArray[np.uint8]
    ) -> SegmentedFace:
        track = face.track_id
        shown = [track in found and found[track].shows_mask for found in around]
        if face.shows_mask:
            if place and shown[place - 1]:
                self._join(around[place - 1][track], face)
            beside = shown[max(place - 1, 0) : place] + shown[place + 1 : place + 2]
            wears_mask = face.wears_mask or any(beside)
            return _in_epoch(replace(face, wears_mask=wears_mask), self._epoch(face))
        before = next((i for i in range(place - 1, -1, -1) if shown[i]), -self._window)
        after = next((i for i in range(place + 1, len(shown)) if shown[i]), 2 * len(shown))
        if after - before > self._window:
            return _without_mask(face) if face.wears_mask else face
        earlier, later = around[before][track], around[after][track]
        self._join(earlier, later)
        nearer = earlier if place - before <= after - place else later
        return _in_epoch(_with_mask_of(face, nearer, frame_bgr), self._epoch(earlier))

    def _join(self, earlier: SegmentedFace, later: SegmentedFace) -> None:
        if later.change.epoch != earlier.change.epoch:
            self._joined[later.track_id, later.change.epoch] = self._epoch(earlier)

    def _epoch(self, face: SegmentedFace) -> int:
        epoch = face.change.epoch
        return self._joined.get((face.track_id, epoch), epoch)


def _in_epoch(face: SegmentedFace, epoch: int) -> SegmentedFace:
    return replace(face, change=replace(face.change, epoch=epoch))


def _with_mask_of(
    face: SegmentedFace, other: SegmentedFace, frame_bgr: NDArray[np.uint8]
) -> SegmentedFace:
    """Return the face with the mask of another frame, or without a mask where the crop looks different."""
    if face.window != other.window:
        matrix = other.window.of(face.tracked.matrix)
        crop, valid = warp_crop_rgb(frame_bgr, matrix)
        face = replace(face, window=other.window, matrix=matrix, crop_rgb=crop, valid=valid)
    change = cv2.absdiff(*(cv2.blur(f.crop_rgb, (_BLUR_PX, _BLUR_PX)) for f in (face, other)))
    seen = other.mask & face.valid
    if not seen.any() or float(change[seen].mean()) >= _MAX_CHANGE:
        return _without_mask(face)
    return replace(
        face,
        mask=other.mask,
        hole=other.hole,
        mask_version=other.mask_version,
        wears_mask=True,
    )


def _without_mask(face: SegmentedFace) -> SegmentedFace:
    nothing = np.zeros_like(face.mask)
    return replace(face, mask=nothing, hole=nothing, wears_mask=False)

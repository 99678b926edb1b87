"""Lays the fills of a frame's faces over it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from realtime.composite.paste_back import paste
from realtime.frames import Work

_MANY, _TURNS = 3, 2


class Overlay:
    """Pastes filled crops into frames, each with the frame's own grain.

    Args:
        thrifty: of many faces every second one has its grain renewed, in turns; 15 times a second it is
            seen to stand still as little as at 30.
    """

    def __init__(self, *, thrifty: bool) -> None:
        self._thrifty, self._frames = thrifty, 0

    def __call__(
        self, frame_bgr: NDArray[np.uint8], masked: list[Work]
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Paste every filled crop into a copy of the frame.

        Args:
            frame_bgr: uint8 [H, W, 3], BGR; not changed.
            masked: its faces, filled.

        Returns:
            The frame, the given one itself where there is nothing to paste; and uint8 [H, W], 255 where
            pixels were replaced.
        """
        self._frames += 1
        replaced = np.zeros(frame_bgr.shape[:2], dtype=np.uint8)
        frame = frame_bgr
        for item in masked:
            finish = item.sight.track.finish
            done = finish(item.filled, item.crop, item.mask, item.hole, item.known, item.framing)
            renew = self._has_its_turn(item, len(masked))
            grain = finish.grain(frame_bgr, done, item.matrix, renew=renew)
            patch = paste(frame, done.fill, done.opacity, item.matrix, grain)
            if patch is None:
                continue
            if frame is frame_bgr:
                frame = frame_bgr.copy()
            height, width = patch.replaced.shape
            rows, columns = slice(patch.y, patch.y + height), slice(patch.x, patch.x + width)
            frame[rows, columns] = patch.image
            replaced[rows, columns][patch.replaced] = 255
        return frame, replaced

    def _has_its_turn(self, item: Work, faces: int) -> bool:
        few = not self._thrifty or faces < _MANY
        return few or not (self._frames + item.sight.track.track_id) % _TURNS

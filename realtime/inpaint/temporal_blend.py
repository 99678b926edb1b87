"""Keeps one face's fill calm over time, in crop space."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.frames import Moment
from realtime.segment.mask_memory import share_of

_TEXTURE_S = 0.15
_STILL, _MOVING = 1.5, 8.0  # levels of motion: the old fill counts in full, not at all
_SAME, _OTHER = 10.0, 45.0  # levels between two fills: blended, replaced


class TemporalBlend:
    """What was filled in a face's crop in the frames before.

    Args:
        smoothing: False makes every frame stand alone.
    """

    def __init__(self, *, smoothing: bool = True) -> None:
        self._smoothing = smoothing
        self._epoch = -1
        self._texture: NDArray[np.float32] | None = None
        self._hole: NDArray[np.bool_] | None = None
        self._shown: NDArray[np.uint8] | None = None

    def again(self, hole: NDArray[np.bool_], moment: Moment) -> NDArray[np.uint8] | None:
        """Return the last fill, that very array, where it is of this very hole, uint8 [128, 128, 3]."""
        return self._shown if self._hole is hole and self._epoch == moment.epoch else None

    def calm(
        self, filled_rgb: NDArray[np.uint8], hole: NDArray[np.bool_], moment: Moment
    ) -> NDArray[np.uint8]:
        """Blend the fill with what was filled before; the more moves, the more counts the new fill.

        Args:
            filled_rgb: uint8 [128, 128, 3], this frame's crop with the hole filled.
            hole: bool [128, 128].
            moment: how the frame follows on the last one.

        Returns:
            uint8 [128, 128, 3], equal to `filled_rgb` outside the hole.
        """
        if not self._smoothing:
            return filled_rgb
        new = filled_rgb.astype(np.float32)
        goes_on = self._epoch == moment.epoch and moment.motion < _MOVING
        if self._texture is not None and self._hole is not None and goes_on:
            moved = (moment.motion - _STILL) / (_MOVING - _STILL)
            least = max(share_of(_TEXTURE_S, moment.interval_s), moved)
            red, green, blue = cv2.split(cv2.absdiff(new, self._texture))
            other = cv2.max(cv2.max(red, green), blue)
            share = np.clip((other - _SAME) / (_OTHER - _SAME), least, 1)
            share[~(hole & self._hole)] = 1
            new = cv2.blendLinear(new, self._texture, share, 1 - share).astype(np.float32)
        self._texture, self._hole, self._epoch = new, hole, moment.epoch
        self._shown = np.rint(new).astype(np.uint8)
        return self._shown

"""Detects scene cuts: frames that differ much from the frame before."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.settings import TRACK

_ROWS, _COLUMNS = 24, 32  # size of the pictures that are compared, pixels


class SceneCut:
    """Compares each frame with the last one at a small size."""

    def __init__(self) -> None:
        self._before: NDArray[np.int16] | None = None

    def __call__(self, grey: NDArray[np.uint8]) -> bool:
        """Whether this frame, uint8 [H, W], begins another scene; the first one does not."""
        now = cv2.resize(grey, (_COLUMNS, _ROWS), interpolation=cv2.INTER_AREA).astype(np.int16)
        before, self._before = self._before, now
        return before is not None and float(np.abs(now - before).mean()) > TRACK.scene_cut_levels

    def forget(self) -> None:
        """The next frame is the first."""
        self._before = None

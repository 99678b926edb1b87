"""Notices scene cuts: a frame that has little to do with the last one."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

_STEP, _ROWS, _COLUMNS = 3, 24, 32
_CUT = 30.0  # mean difference, levels; a hand before the camera or a fast pan stays below


class SceneCut:
    """Compares each frame with the last one, both much reduced."""

    def __init__(self) -> None:
        self._before: NDArray[np.int16] | None = None

    def __call__(self, grey: NDArray[np.uint8]) -> bool:
        """Whether this frame, uint8 [H, W], begins another scene; the first one does not."""
        thin = np.ascontiguousarray(grey[::_STEP, ::_STEP])
        now = cv2.resize(thin, (_COLUMNS, _ROWS), interpolation=cv2.INTER_AREA).astype(np.int16)
        before, self._before = self._before, now
        return before is not None and float(np.abs(now - before).mean()) > _CUT

    def forget(self) -> None:
        """The next frame is the first."""
        self._before = None

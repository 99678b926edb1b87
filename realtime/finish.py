"""Finishes a fill for the frame: as crisp as its face, opaque where it is needed; once for each fill."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from realtime.blending import feather
from realtime.detail import sharpen


class Finish:
    """Sharpens one face's fills and draws their opacity; what is shown again is not done again."""

    def __init__(self) -> None:
        self._filled: NDArray[np.uint8] | None = None
        self._hole: NDArray[np.bool_] | None = None
        self._done: tuple[NDArray[np.uint8], NDArray[np.float32]] | None = None

    def __call__(
        self,
        filled_rgb: NDArray[np.uint8],
        crop_rgb: NDArray[np.uint8],
        mask: NDArray[np.bool_],
        hole: NDArray[np.bool_],
        known: NDArray[np.bool_],
    ) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """Finish a fill; the very arrays `filled_rgb` and `hole` of the last time give its result again.

        Args:
            filled_rgb: uint8 [128, 128, 3], composited.
            crop_rgb: uint8 [128, 128, 3], before filling.
            mask: bool [128, 128], mask pixels.
            hole: bool [128, 128], the filled pixels.
            known: bool [128, 128], true pixels of the photograph (never inside the hole).

        Returns:
            The sharpened fill, uint8 [128, 128, 3], and its opacity, float32 [128, 128].
        """
        if self._done is None or self._filled is not filled_rgb or self._hole is not hole:
            self._filled, self._hole = filled_rgb, hole
            sharp = sharpen(filled_rgb, hole, known)
            self._done = sharp, feather(mask, hole, crop_rgb, filled_rgb)
        return self._done

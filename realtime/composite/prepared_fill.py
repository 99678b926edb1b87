"""Finishes a fill for the frame: as crisp as its face, opaque where it is needed; once for each fill."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from realtime.align.crop_window import CANONICAL
from realtime.composite.feathering import feather
from realtime.composite.grain_synthesis import Grain, Skin, grain_for, needs_grain, skin_of
from realtime.composite.unsharp_mask import sharpen


@dataclass(frozen=True)
class Finished:
    """A fill that can be pasted.

    Attributes:
        fill: uint8 [128, 128, 3], sharpened.
        opacity: float32 [128, 128], 0 outside the hole.
        hole: bool [128, 128], the filled pixels.
        known: bool [128, 128], true pixels of the photograph (never inside the hole).
        framing: float64 [2, 3], canonical crop pixels to those of this crop.
    """

    fill: NDArray[np.uint8]
    opacity: NDArray[np.float32]
    hole: NDArray[np.bool_]
    known: NDArray[np.bool_]
    framing: NDArray[np.float64]

    @cached_property
    def skin(self) -> Skin | None:
        """What its grain is taken from."""
        return skin_of(self.fill, self.hole, self.known, self.framing)


class Finish:
    """Sharpens one face's fills and draws their opacity; what is shown again is not done again."""

    def __init__(self) -> None:
        self._filled: NDArray[np.uint8] | None = None
        self._done: Finished | None = None
        self._grain: Grain | None = None
        self._grained: Finished | None = None

    def __call__(
        self,
        filled_rgb: NDArray[np.uint8],
        crop_rgb: NDArray[np.uint8],
        mask: NDArray[np.bool_],
        hole: NDArray[np.bool_],
        known: NDArray[np.bool_],
        framing: NDArray[np.float64] = CANONICAL,
    ) -> Finished:
        """Finish a fill; the very arrays `filled_rgb` and `hole` of the last time give its result again.

        Args:
            filled_rgb: uint8 [128, 128, 3], composited.
            crop_rgb: uint8 [128, 128, 3], before filling.
            mask: bool [128, 128], mask pixels.
            hole: bool [128, 128], the filled pixels.
            known: bool [128, 128], true pixels of the photograph (never inside the hole).
            framing: float64 [2, 3], canonical crop pixels to those of this crop.
        """
        if self._done is None or self._filled is not filled_rgb or self._done.hole is not hole:
            self._filled = filled_rgb
            sharp = sharpen(filled_rgb, hole, known)
            opacity = feather(mask, hole, crop_rgb, filled_rgb)
            self._done = Finished(sharp, opacity, hole, known, framing)
        return self._done

    def grain(
        self,
        frame_bgr: NDArray[np.uint8],
        done: Finished,
        matrix: NDArray[np.float64],
        *,
        renew: bool = True,
    ) -> Grain | None:
        """Make the grain that a finished fill lacks in this frame; see `grain_for`.

        Args:
            frame_bgr: uint8 [H, W, 3].
            done: the fill.
            matrix: float64 [2, 3], frame pixels to crop pixels.
            renew: False takes the last frame's again, if that had the same fill.
        """
        if renew or self._grained is not done:
            skin = done.skin if needs_grain(matrix) else None
            self._grain, self._grained = grain_for(frame_bgr, skin, matrix), done
        return self._grain

"""Keeps the whole mask inside a face's crop from frame to frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from realtime.align.crop_window import CANONICAL, CropWindow, touched_sides

_MARGIN_PX = 4.0  # crop pixels that must lie round a mask in the canonical crop to go back to it
_SPARE_FRAMES = 15  # frames in a row in which the canonical crop would do
_KEPT_AREA = 0.9  # share of the mask that a closer window must still show


@dataclass(frozen=True)
class _Trial:
    """The wider window to return to, and the mask's area in it, while a closer window is tried."""

    window: CropWindow
    mask_area: float


class CropFitting:
    """Chooses the window of one face's crop.

    Attributes:
        window: the window in use.
    """

    def __init__(self) -> None:
        self.window = CANONICAL
        self._spare_frames, self._just_widened = 0, False
        self._trial: _Trial | None = None

    def widen(self) -> bool:
        """Show more round the face; False where the window is as wide as the generator can use."""
        return self._use(self.window.widened((False, False, True)))

    def reset(self) -> None:
        """Go back to the canonical crop."""
        self.window, self._spare_frames = CANONICAL, 0
        self._just_widened, self._trial = False, None

    def must_look_again(
        self,
        mask: NDArray[np.bool_],
        valid: NDArray[np.bool_],
        *,
        worn: bool,
        worn_here: bool = True,
    ) -> bool:
        """Take the mask found in the window in use; choose another window where the mask is cut off.

        A wider window is tried first, and then the closest one that holds the mask. Where that shows less
        of the mask, the wider one is taken after all.

        Args:
            mask: bool [128, 128], mask pixels.
            valid: bool [128, 128], which crop pixels lie inside the picture.
            worn: whether a mask is worn, earlier windows of this frame considered.
            worn_here: whether this crop alone shows a worn mask.

        Returns:
            True where the crop is to be taken again, with another window.
        """
        canonical = self.window == CANONICAL
        touched = touched_sides(mask, valid, loops=canonical)
        if self._trial is not None:
            trial, self._trial = self._trial, None
            kept = self._area(mask & valid) >= _KEPT_AREA * trial.mask_area
            if worn_here and kept and not any(touched):
                return False
            self.window = trial.window
            return True
        if worn and self._use(self.window.widened(touched)):
            return True
        if canonical:
            return False
        if worn and self._just_widened and not any(touched):
            self._just_widened = False
            closer = self.window.fitted(mask, valid)
            if closer is not None:
                self._trial = _Trial(self.window, self._area(mask & valid))
                self.window = closer
                return True
        spare = not worn or self.window.holds(mask, _MARGIN_PX)
        self._spare_frames = self._spare_frames + 1 if spare else 0
        if self._spare_frames > _SPARE_FRAMES:
            self.reset()
        return False

    def _use(self, wider: CropWindow | None) -> bool:
        if wider is not None:
            self.window, self._spare_frames, self._just_widened = wider, 0, True
        return wider is not None

    def _area(self, mask: NDArray[np.bool_]) -> float:
        """The area of a mask in the window in use, canonical crop pixels."""
        return np.count_nonzero(mask) / self.window.scale**2

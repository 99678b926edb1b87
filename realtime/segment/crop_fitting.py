"""Chooses the window of a face's crop from frame to frame, so that it holds the whole mask."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from realtime.align.crop_window import CANONICAL, CropWindow, touched_sides
from realtime.settings import SEGMENT


@dataclass(frozen=True)
class _WiderWindow:
    """The window to return to if a closer one fails, and the mask's area in it, canonical crop px."""

    window: CropWindow
    mask_area_px: float


class CropFitting:
    """Chooses the window of one face's crop.

    Attributes:
        window: the window in use.
    """

    def __init__(self) -> None:
        self.window = CANONICAL
        self._canonical_fits_frames, self._just_widened = 0, False
        self._wider: _WiderWindow | None = None

    def widen(self) -> bool:
        """Widen the window; False where it is as wide as the generator can use."""
        return self._use(self.window.widened((False, False, True)))

    def reset(self) -> None:
        """Go back to the canonical crop."""
        self.window, self._canonical_fits_frames = CANONICAL, 0
        self._just_widened, self._wider = False, None

    def needs_another_window(
        self,
        mask: NDArray[np.bool_],
        valid: NDArray[np.bool_],
        *,
        worn: bool,
        worn_here: bool = True,
    ) -> bool:
        """Judge the mask segmented in the window in use; choose another window where it is cut off.

        A wider window is tried first, and then the closest window that holds the mask. Where the closest
        one shows less of the mask, the wider one is used after all.

        Args:
            mask: bool [128, 128], mask pixels.
            valid: bool [128, 128], which crop pixels lie inside the picture.
            worn: whether a mask is worn, earlier windows of this frame considered.
            worn_here: whether this crop alone shows a worn mask.

        Returns:
            True where the crop must be cut and segmented again with the new window.
        """
        canonical = self.window == CANONICAL
        touched = touched_sides(mask, valid, loops=canonical)
        if self._wider is not None:
            wider, self._wider = self._wider, None
            kept = self._area_px(mask & valid) >= SEGMENT.kept_area_share * wider.mask_area_px
            if worn_here and kept and not any(touched):
                return False
            self.window = wider.window
            return True
        if worn and self._use(self.window.widened(touched)):
            return True
        if canonical:
            return False
        if worn and self._just_widened and not any(touched):
            self._just_widened = False
            closer = self.window.fitted(mask, valid)
            if closer is not None:
                self._wider = _WiderWindow(self.window, self._area_px(mask & valid))
                self.window = closer
                return True
        fits = not worn or self.window.holds(mask, SEGMENT.canonical_margin_px)
        self._canonical_fits_frames = self._canonical_fits_frames + 1 if fits else 0
        if self._canonical_fits_frames > SEGMENT.canonical_frames:
            self.reset()
        return False

    def _use(self, wider: CropWindow | None) -> bool:
        if wider is not None:
            self.window, self._canonical_fits_frames, self._just_widened = wider, 0, True
        return wider is not None

    def _area_px(self, mask: NDArray[np.bool_]) -> float:
        """Area of a mask found in the window in use, canonical crop px."""
        return np.count_nonzero(mask) / self.window.scale**2

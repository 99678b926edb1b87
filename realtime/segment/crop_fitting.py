"""Keeps the whole mask inside a face's crop from frame to frame; goes back to the canonical one after."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from realtime.align.affine import compose
from realtime.align.canonical_crop import CROP_SIZE
from realtime.align.crop_window import CANONICAL, fitted, touched_sides, widened

_ROOM_PX, _PATIENCE_FRAMES, _KEEPS = 4.0, 15, 0.9


@dataclass(frozen=True)
class _Trial:
    """A framing that holds the mask, and how much of it there is, while a narrower one is looked at."""

    matrix: NDArray[np.float64]
    area: float


class Framing:
    """How a face's crop differs from the canonical one, to hold the whole mask, while that is needed.

    Attributes:
        matrix: float64 [2, 3], canonical crop pixels to the pixels of the crop in use.
    """

    def __init__(self) -> None:
        self.matrix = CANONICAL
        self._spare_frames, self._just_widened = 0, False
        self._trial: _Trial | None = None

    @property
    def is_canonical(self) -> bool:
        """The crop in use is the canonical one."""
        return self.matrix is CANONICAL

    def of(self, to_canonical: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the transform from frame pixels to the crop in use, float64 [2, 3]."""
        return compose(self.matrix, to_canonical)

    def widen(self) -> bool:
        """Look at more round the face; False where the crop is as wide as the generator can use."""
        return self._use(widened(self.matrix, (False, False, True)))

    def reset(self) -> None:
        """Go back to the canonical crop."""
        self.matrix, self._spare_frames = CANONICAL, 0
        self._just_widened, self._trial = False, None

    def must_look_again(
        self,
        mask: NDArray[np.bool_],
        valid: NDArray[np.bool_],
        *,
        worn: bool,
        worn_here: bool = True,
    ) -> bool:
        """Take the mask found in the crop in use; choose another crop where it is cut off.

        A wider crop is tried first, and from there the one that fits the mask; where that shows less of
        the mask, the wider one is taken after all.

        Args:
            mask: bool [128, 128], mask pixels.
            valid: bool [128, 128], what of the crop lies inside the picture.
            worn: whether it is a mask at all.
            worn_here: whether this crop alone shows that.

        Returns:
            True where the crop is to be taken again.
        """
        touched = touched_sides(mask, valid, loops=self.is_canonical)
        if self._trial is not None:
            before, self._trial = self._trial, None
            if worn_here and not any(touched) and self._area(mask & valid) >= _KEEPS * before.area:
                return False
            self.matrix = before.matrix
            return True
        if worn and self._use(widened(self.matrix, touched)):
            return True
        if self.is_canonical:
            return False
        if worn and self._just_widened and not any(touched):
            self._just_widened = False
            closer = fitted(mask, valid, self.matrix)
            if closer is not None:
                self._trial, self.matrix = _Trial(self.matrix, self._area(mask & valid)), closer
                return True
        spare = not worn or _fits(mask, self.matrix)
        self._spare_frames = self._spare_frames + 1 if spare else 0
        if self._spare_frames > _PATIENCE_FRAMES:
            self.reset()
        return False

    def _use(self, wider: NDArray[np.float64] | None) -> bool:
        if wider is not None:
            self.matrix, self._spare_frames, self._just_widened = wider, 0, True
        return wider is not None

    def _area(self, mask: NDArray[np.bool_]) -> float:
        """Of a mask in the crop in use, in canonical crop pixels."""
        return np.count_nonzero(mask) / self.matrix[0, 0] ** 2


def _fits(mask: NDArray[np.bool_], framing: NDArray[np.float64]) -> bool:
    """Whether the mask would lie inside the canonical crop, with some room."""
    ys, xs = np.nonzero(mask)
    if not len(xs):
        return True
    x0, x1 = (np.array([xs.min(), xs.max()]) - framing[0, 2]) / framing[0, 0]
    below = (ys.max() - framing[1, 2]) / framing[1, 1]
    return bool(x0 > _ROOM_PX and max(x1, below) < CROP_SIZE - 1 - _ROOM_PX)

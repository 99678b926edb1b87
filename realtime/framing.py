"""Keeps the whole mask inside the crop: where it reaches the crop's edge, the crop is widened."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.alignment import CROP_SIZE, EYE_LINE_Y, compose

_LEAST_TOUCH_PX = 6  # an ear loop that leaves the crop is no reason to widen it
_STEP, _NARROWEST = 0.8, 0.6
_SIDE_SHIFT_PX = 10.0
_ROOM_PX, _PATIENCE_FRAMES = 4.0, 15

_EYES = np.array([(CROP_SIZE - 1) / 2, EYE_LINE_Y])
CANONICAL = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])


def touched_sides(mask: NDArray[np.bool_], valid: NDArray[np.bool_]) -> tuple[bool, bool, bool]:
    """Say at which sides of the crop the mask goes on outside it, though the picture does too.

    Args:
        mask: bool [128, 128], mask pixels.
        valid: bool [128, 128], what of the crop lies inside the picture.

    Returns:
        Left, right and lower side.
    """
    seen = mask & valid
    sides = seen[:, 0], seen[:, -1], seen[-1]
    left, right, below = (int(np.count_nonzero(side)) >= _LEAST_TOUCH_PX for side in sides)
    return left, right, below


def widened(
    framing: NDArray[np.float64], touched: tuple[bool, bool, bool]
) -> NDArray[np.float64] | None:
    """Show more round the face: smaller about the eyes, moved away from a touched side.

    Args:
        framing: float64 [2, 3], canonical crop pixels to the pixels of the present crop.
        touched: what `touched_sides` said.

    Returns:
        The next framing, or None where the crop is as wide as the generator can use.
    """
    scale = framing[0, 0] * _STEP
    if not any(touched) or scale < _NARROWEST:
        return None
    left, right, _ = touched
    shift = _SIDE_SHIFT_PX * (int(left) - int(right))
    moved = framing[:, :2] @ _EYES + framing[:, 2] - _EYES
    return shown_at(scale, moved + np.array([shift, 0.0]))


def shown_at(scale: float, shift: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what takes canonical crop pixels to those of a crop that shows the face smaller.

    Args:
        scale: 1 is the canonical crop's; smaller about the eyes.
        shift: float64 [2], x and y, pixels by which the eyes move.

    Returns:
        float64 [2, 3].
    """
    return np.column_stack([np.eye(2) * scale, (1 - scale) * _EYES + shift])


class Framing:
    """How much wider than the canonical crop a face's crop is; it stays so while that is needed.

    Attributes:
        matrix: float64 [2, 3], canonical crop pixels to the pixels of the crop in use.
    """

    def __init__(self) -> None:
        self.matrix = CANONICAL
        self._spare_frames = 0

    @property
    def is_canonical(self) -> bool:
        """The crop in use is the canonical one."""
        return self.matrix is CANONICAL

    def of(self, to_canonical: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the transform from frame pixels to the crop in use, float64 [2, 3]."""
        return compose(self.matrix, to_canonical)

    def widen(self) -> bool:
        """Look at more round the face; False where the crop is as wide as the generator can use."""
        wider = widened(self.matrix, (False, False, True))
        if wider is not None:
            self.matrix, self._spare_frames = wider, 0
        return wider is not None

    def reset(self) -> None:
        """Go back to the canonical crop."""
        self.matrix, self._spare_frames = CANONICAL, 0

    def must_widen(self, mask: NDArray[np.bool_], valid: NDArray[np.bool_], *, worn: bool) -> bool:
        """Take the mask found in the crop in use; widen the crop where it is cut off.

        Args:
            mask: bool [128, 128], mask pixels.
            valid: bool [128, 128], what of the crop lies inside the picture.
            worn: whether it is a mask at all.

        Returns:
            True where the crop is to be taken again, wider.
        """
        wider = widened(self.matrix, touched_sides(mask, valid)) if worn else None
        if wider is not None:
            self.matrix, self._spare_frames = wider, 0
        elif not self.is_canonical:
            spare = not worn or _fits(mask, self.matrix)
            self._spare_frames = self._spare_frames + 1 if spare else 0
            if self._spare_frames > _PATIENCE_FRAMES:
                self.reset()
        return wider is not None


def _fits(mask: NDArray[np.bool_], framing: NDArray[np.float64]) -> bool:
    """Whether the mask would lie inside the canonical crop, with some room."""
    ys, xs = np.nonzero(mask)
    if not len(xs):
        return True
    x0, x1 = (np.array([xs.min(), xs.max()]) - framing[0, 2]) / framing[0, 0]
    below = (ys.max() - framing[1, 2]) / framing[1, 1]
    return bool(x0 > _ROOM_PX and max(x1, below) < CROP_SIZE - 1 - _ROOM_PX)


def to_canonical(
    filled_rgb: NDArray[np.uint8],
    hole: NDArray[np.bool_],
    canonical_rgb: NDArray[np.uint8],
    framing: NDArray[np.float64],
) -> NDArray[np.uint8]:
    """Bring a fill made in a wider crop back into the canonical one.

    Args:
        filled_rgb: uint8 [128, 128, 3], the wider crop, filled.
        hole: bool [128, 128], what was filled there.
        canonical_rgb: uint8 [128, 128, 3], the canonical crop with the mask.
        framing: float64 [2, 3], canonical crop pixels to the wider crop's.

    Returns:
        uint8 [128, 128, 3]; equal to `canonical_rgb` outside the hole.
    """
    size = (CROP_SIZE, CROP_SIZE)
    flags = cv2.WARP_INVERSE_MAP
    fill = cv2.warpAffine(
        filled_rgb, framing, size, flags=flags | cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    inside = cv2.warpAffine(hole.astype(np.uint8), framing, size, flags=flags | cv2.INTER_NEAREST)
    return np.where(inside[..., None] > 0, fill, canonical_rgb).astype(np.uint8, copy=False)

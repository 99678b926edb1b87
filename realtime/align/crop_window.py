"""The crop window: which part of a face's surroundings the crop shows.

It is moved and widened so that the crop holds the whole mask.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.align.affine import compose
from realtime.align.canonical_crop import CROP_SIZE, EYE_LINE_Y
from realtime.settings import SEGMENT

# Width of the strips at the sides in which loops count, crop px: at the edge itself they are less sure.
_EDGE_STRIP_PX = 3
# How far a widened crop moves away from the side that cuts the mask off, crop px.
_SIDE_SHIFT_PX = 10.0
# How far a crop that holds a mask is moved to the side and up, crop px: as far as training moves faces.
MOST_ASIDE_PX, MOST_UP_PX = 14.0, 16.0
# Where the mask lies that a closer window is fitted to: first and last column, and last row, crop px.
_FIT_FIRST_PX, _FIT_LAST_PX = 5.0, 122.0
_SCALE_STEP = 0.03  # between the scales that are tried for a closer window
_USUAL_CENTROID = np.array([63.5, 80.0])  # of a worn mask in the canonical crop, x and y in crop px
# Middle between the eyes, x and y in crop px.
_EYES = np.array([(CROP_SIZE - 1) / 2, EYE_LINE_Y])


@dataclass(frozen=True)
class CropWindow:
    """How a crop differs from the canonical crop: a scale about the eyes and a shift.

    Attributes:
        scale: 1 shows the face as large as the canonical crop; a smaller scale shows more round it.
        shift: x and y by which the eyes move, crop pixels.
    """

    scale: float = 1.0
    shift: tuple[float, float] = (0.0, 0.0)

    @cached_property
    def matrix(self) -> NDArray[np.float64]:
        """Canonical crop pixels to pixels of this crop, float64 [2, 3]."""
        return np.column_stack([np.eye(2) * self.scale, (1 - self.scale) * _EYES + self.shift])

    @property
    def is_nearly_canonical(self) -> bool:
        """Whether the canonical crop shows the face hardly larger, and hardly elsewhere."""
        stays = np.hypot(*self.shift) < SEGMENT.moved_px[0]
        return bool(stays and self.scale * SEGMENT.least_window_gain > 1)

    def of(self, to_canonical: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the transform from frame pixels to this crop, float64 [2, 3], given the canonical one."""
        return compose(self.matrix, to_canonical)

    def widened(self, touched: tuple[bool, bool, bool]) -> CropWindow | None:
        """Show more round the face, moved away from a touched side.

        Args:
            touched: what `touched_sides` said of this crop.

        Returns:
            The next window, or None where nothing is touched or the window is as wide as the generator
            can use.
        """
        scale = self.scale * SEGMENT.window_step
        if not any(touched) or scale < SEGMENT.least_window_scale:
            return None
        left, right, _ = touched
        x, y = self.shift
        return CropWindow(scale, (x + _SIDE_SHIFT_PX * (int(left) - int(right)), y))

    def fitted(self, mask: NDArray[np.bool_], valid: NDArray[np.bool_]) -> CropWindow | None:
        """Find the window that shows the face largest and still holds its mask.

        Args:
            mask: bool [128, 128], the whole mask, in this crop.
            valid: bool [128, 128], which crop pixels lie inside the picture; only they count.

        Returns:
            The window, or None where none shows the face notably larger.
        """
        ys, xs = np.nonzero(mask & valid)
        if not len(xs):
            return None
        offset = self.matrix[:, 2]
        # Offsets from the middle between the eyes, in canonical crop pixels.
        left, right = (np.array([xs.min(), xs.max()]) - offset[0]) / self.scale - _EYES[0]
        below = (ys.max() - offset[1]) / self.scale - _EYES[1]
        for scale in np.arange(1.0, self.scale * SEGMENT.least_window_gain, -_SCALE_STEP):
            low = max(_FIT_FIRST_PX - _EYES[0] - scale * left, -MOST_ASIDE_PX)
            high = min(_FIT_LAST_PX - _EYES[0] - scale * right, MOST_ASIDE_PX)
            up = max(_EYES[1] + scale * below - _FIT_LAST_PX, 0.0)
            if low <= high and up <= MOST_UP_PX:
                return CropWindow(float(scale), (float(np.clip(0.0, low, high)), -float(up)))
        return None

    def moved_to_mask(self, mask: NDArray[np.bool_], valid: NDArray[np.bool_]) -> CropWindow | None:
        """Find the window that brings a mask to where masks lie in the canonical crop.

        Args:
            mask: bool [128, 128], what may be a mask, in this crop.
            valid: bool [128, 128], which crop pixels lie inside the picture; only they count.

        Returns:
            The window at the canonical scale; None where the mask is in its place, too far from it for the
            crop to be of a face, or too small.
        """
        ys, xs = np.nonzero(mask & valid)
        if len(xs) < SEGMENT.least_moved_px * self.scale**2:
            return None
        centroid = (np.array([xs.mean(), ys.mean()]) - self.matrix[:, 2]) / self.scale
        x, y = _USUAL_CENTROID - centroid
        least, most = SEGMENT.moved_px
        return CropWindow(1.0, (float(x), float(y))) if least < np.hypot(x, y) < most else None

    def show(self, place: NDArray) -> NDArray:
        """Show a part of the canonical crop as this crop does.

        Args:
            place: bool or float32 [128, 128]; 0 is taken outside.

        Returns:
            The same type, [128, 128].
        """
        if self == CANONICAL:
            return place
        way = cv2.INTER_NEAREST if place.dtype == bool else cv2.INTER_LINEAR
        values = place.view(np.uint8) if place.dtype == bool else place
        warped = cv2.warpAffine(values, self.matrix, (CROP_SIZE, CROP_SIZE), flags=way)
        return warped.astype(place.dtype)


CANONICAL = CropWindow()
"""The window of the canonical crop itself."""


def touched_sides(
    mask: NDArray[np.bool_], valid: NDArray[np.bool_], *, loops: bool = False
) -> tuple[bool, bool, bool]:
    """Say which sides of the crop cut the mask off, where the picture goes on beyond them.

    Args:
        mask: bool [128, 128], mask pixels.
        valid: bool [128, 128], which crop pixels lie inside the picture.
        loops: an ear loop that is cut off at the left or right counts too.

    Returns:
        Left, right and lower side.
    """
    seen = mask & valid
    strip, least = 1, SEGMENT.least_cut_px
    if loops:
        strip, least = _EDGE_STRIP_PX, SEGMENT.least_cut_loop_px
    left, right = (
        int(np.count_nonzero(side.any(1))) >= least for side in (seen[:, :strip], seen[:, -strip:])
    )
    return left, right, int(np.count_nonzero(seen[-1])) >= SEGMENT.least_cut_px

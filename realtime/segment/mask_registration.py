"""Mask registration: finds how a mask has moved in a face's crop since it was last segmented.

Crops are aligned by the upper face. Below it the mask moves a little by itself, with the jaw or a nod, and
tracking errs by about a pixel.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.align.affine import compose, invert
from realtime.align.canonical_crop import CROP_SIZE
from realtime.settings import SEGMENT

_SIDE_PX, _ITERATIONS = 64, 3  # side of the halved crop, pixels; Gauss-Newton steps
_STEP = CROP_SIZE / _SIDE_PX  # crop px for each of its pixels
_MOST_CONDITION = 1e8  # condition number of the normal equations from which they cannot be solved
_EDGE_PX = np.ones((3, 3), np.uint8)  # the mask is dilated by one pixel, so that its edge counts


class MaskRegistration:
    """A region of one crop, which is found again in later crops.

    A similarity, by Gauss-Newton steps on brightness, inverse compositional (Baker and Matthews,
    "Lucas-Kanade 20 Years On", 2004).

    Args:
        crop_rgb: uint8 [128, 128, 3].
        region: bool [128, 128], what is found again, with its edge.
    """

    def __init__(self, crop_rgb: NDArray[np.uint8], region: NDArray[np.bool_]) -> None:
        grey = _small(crop_rgb)
        small = cv2.resize(
            region.view(np.uint8), (_SIDE_PX, _SIDE_PX), interpolation=cv2.INTER_AREA
        )
        inside = cv2.dilate(small, _EDGE_PX) > 0
        ys, xs = np.nonzero(inside)
        self._inside, self._solve = inside, None
        if len(xs) < SEGMENT.least_registered_px:
            return
        values = grey[inside]
        self._centre = np.array([xs.mean(), ys.mean()])
        x, y = xs - self._centre[0], ys - self._centre[1]
        along_x = cv2.Sobel(grey, cv2.CV_32F, 1, 0, scale=1 / 8)[inside]
        along_y = cv2.Sobel(grey, cv2.CV_32F, 0, 1, scale=1 / 8)[inside]
        steps = np.stack([along_x * x + along_y * y, along_y * x - along_x * y, along_x, along_y])
        light, _ = np.linalg.qr(np.stack([np.ones_like(values), values], axis=1))
        # A change of brightness or contrast is no motion; so the first crop's own values are none.
        steps -= (steps @ light) @ light.T
        normal = steps @ steps.T
        if np.linalg.cond(normal) < _MOST_CONDITION:
            self._solve = np.linalg.solve(normal, steps).astype(np.float32)

    def __call__(self, crop_rgb: NDArray[np.uint8]) -> NDArray[np.float64] | None:
        """Find the region again.

        Args:
            crop_rgb: uint8 [128, 128, 3], the crop of another frame.

        Returns:
            float64 [2, 3], pixels of this crop to those of the first; None where it has moved too far.
        """
        if self._solve is None:
            return None
        grey, move = _small(crop_rgb), np.eye(2, 3)
        for _ in range(_ITERATIONS):
            seen = cv2.warpAffine(
                grey,
                move,
                (_SIDE_PX, _SIDE_PX),
                flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
                borderMode=cv2.BORDER_REPLICATE,
            )
            move = compose(move, invert(self._similarity(self._solve @ seen[self._inside])))
            middle = move[:, :2] @ self._centre + move[:, 2] - self._centre
            if np.hypot(*middle) > SEGMENT.most_shift_px:
                return None
        if np.hypot(move[0, 0] - 1, move[1, 0]) > SEGMENT.most_turn:
            return None
        move[:, 2] *= _STEP
        return invert(move)

    def _similarity(self, step: NDArray[np.float32]) -> NDArray[np.float64]:
        grow, turn, right, down = (float(value) for value in step)
        linear = np.array([[1 + grow, -turn], [turn, 1 + grow]])
        shift = self._centre - linear @ self._centre + np.array([right, down])
        return np.column_stack([linear, shift])


def _small(crop_rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    grey = cv2.cvtColor(crop_rgb, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (_SIDE_PX, _SIDE_PX), interpolation=cv2.INTER_AREA)
    return cv2.GaussianBlur(small, (3, 3), 0).astype(np.float32)

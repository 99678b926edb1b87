"""Finds how a mask has moved in a face's crop since the crop was last looked at closely.

Faces are aligned by their upper half. Below it a mask moves a little by itself, with the jaw, or because
the head nods; and what follows faces errs by a pixel or so.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.align.affine import compose, invert
from realtime.align.canonical_crop import CROP_SIZE

_SIDE_PX, _ROUNDS = 64, 3
_STEP = CROP_SIZE / _SIDE_PX
_LARGEST_PX, _LARGEST_TURN = 3.0, 0.06  # pixels of the small picture; change of scale, radians
_LEAST_PX = 60
_TO_CROP = np.array([[_STEP, 0, (_STEP - 1) / 2], [0, _STEP, (_STEP - 1) / 2]])
_TO_SMALL = invert(_TO_CROP)
_ROUND_PX = np.ones((3, 3), np.uint8)


class MaskRegistration:
    """A part of one crop, which is found again in the next ones.

    A similarity, by Gauss-Newton steps on brightness, inverse compositional (Baker and Matthews,
    "Lucas-Kanade 20 Years On", 2004).

    Args:
        crop_rgb: uint8 [128, 128, 3].
        part: bool [128, 128], what is found again, with its rim.
    """

    def __init__(self, crop_rgb: NDArray[np.uint8], part: NDArray[np.bool_]) -> None:
        grey = _small(crop_rgb)
        small = cv2.resize(part.view(np.uint8), (_SIDE_PX, _SIDE_PX), interpolation=cv2.INTER_AREA)
        inside = cv2.dilate(small, _ROUND_PX) > 0
        ys, xs = np.nonzero(inside)
        self._inside, self._solve = inside, None
        if len(xs) < _LEAST_PX:
            return
        self._values = grey[inside]
        self._centre = np.array([xs.mean(), ys.mean()])
        x, y = xs - self._centre[0], ys - self._centre[1]
        along_x = cv2.Sobel(grey, cv2.CV_32F, 1, 0, scale=1 / 8)[inside]
        along_y = cv2.Sobel(grey, cv2.CV_32F, 0, 1, scale=1 / 8)[inside]
        steps = np.stack([along_x * x + along_y * y, along_y * x - along_x * y, along_x, along_y])
        light, _ = np.linalg.qr(np.stack([np.ones_like(self._values), self._values], axis=1))
        steps -= (steps @ light) @ light.T  # brighter or of more contrast is no move
        normal = steps @ steps.T
        if np.linalg.cond(normal) < 1e8:
            self._solve = np.linalg.solve(normal, steps).astype(np.float32)

    def __call__(self, crop_rgb: NDArray[np.uint8]) -> NDArray[np.float64] | None:
        """Find the part again.

        Args:
            crop_rgb: uint8 [128, 128, 3], the crop of another frame.

        Returns:
            float64 [2, 3], pixels of this crop to those of the first; None where it is not found nearby.
        """
        if self._solve is None:
            return None
        grey, move = _small(crop_rgb), np.eye(2, 3)
        for _ in range(_ROUNDS):
            seen = cv2.warpAffine(
                grey,
                move,
                (_SIDE_PX, _SIDE_PX),
                flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
                borderMode=cv2.BORDER_REPLICATE,
            )
            step = self._solve @ (seen[self._inside] - self._values)
            move = compose(move, invert(self._similarity(step)))
            middle = move[:, :2] @ self._centre + move[:, 2] - self._centre
            if np.hypot(*middle) > _LARGEST_PX:
                return None
        if np.hypot(move[0, 0] - 1, move[1, 0]) > _LARGEST_TURN:
            return None
        return invert(compose(compose(_TO_CROP, move), _TO_SMALL))

    def _similarity(self, step: NDArray[np.float32]) -> NDArray[np.float64]:
        grow, turn, right, down = (float(value) for value in step)
        linear = np.array([[1 + grow, -turn], [turn, 1 + grow]])
        shift = self._centre - linear @ self._centre + np.array([right, down])
        return np.column_stack([linear, shift])


def _small(crop_rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    grey = cv2.cvtColor(crop_rgb, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (_SIDE_PX, _SIDE_PX), interpolation=cv2.INTER_AREA)
    return cv2.GaussianBlur(small, (3, 3), 0).astype(np.float32)

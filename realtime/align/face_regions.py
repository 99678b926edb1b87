"""Where the parts of a face lie in the canonical crop."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.align.canonical_crop import CROP_SIZE, EYE_LINE_Y

# All numbers here are places in the canonical crop: rows, columns, x and y in crop px.
Centre = tuple[int, int]
Axes = tuple[int, int]
_SOFT_SIGMA_PX = 6.0  # of the Gaussian that softens the edges of the lower face, crop px


def _ellipse(centre: Centre, axes: Axes) -> NDArray[np.uint8]:
    filled = np.zeros((CROP_SIZE, CROP_SIZE), np.uint8)
    cv2.ellipse(filled, centre, axes, 0, 0, 360, 1, -1)
    return filled


def _rectangles(*places: tuple[slice, slice]) -> NDArray[np.bool_]:
    filled = np.zeros((CROP_SIZE, CROP_SIZE), dtype=bool)
    for place in places:
        filled[place] = True
    return filled


def _upper_face() -> NDArray[np.bool_]:
    oval = _ellipse((64, 62), (40, 50))
    oval[86:] = 0
    return oval > 0


def _lower_face() -> NDArray[np.float32]:
    oval = _ellipse((64, 76), (27, 34)).astype(np.float32)
    return np.asarray(cv2.GaussianBlur(oval, (0, 0), _SOFT_SIGMA_PX), np.float32)


def _beside_face() -> NDArray[np.bool_]:
    outside = _ellipse((64, 70), (25, 30)) == 0
    outside[: int(EYE_LINE_Y)] = False
    return outside


UPPER_FACE = _upper_face()
"""The face above the mouth, bool [128, 128], without neck and ears, whose light and focus differ."""

LOWER_FACE = _lower_face()
"""Cheeks, mouth and chin, float32 [128, 128], 0..1, with soft edges; background may lie beside them."""

BESIDE_FACE = _beside_face()
"""Where background may be seen, bool [128, 128]: below the eyes and outside the face; eyes, brows and lips
differ from skin too, but are no background."""

SKIN_SEEDS = (
    _rectangles((slice(44, 60), slice(54, 75)), (slice(56, 82), slice(34, 95))),
    _rectangles((slice(22, 40), slice(38, 90))),
)
"""Where skin is most likely bare, bool [128, 128]: nose root and cheeks; else the forehead, which is as
often covered by a fringe or a cap."""

NOSE_AND_MOUTH = slice(74, 98), slice(46, 82)
"""Rows and columns that every worn mask covers, whatever its kind.

From the nose to the upper half of the chin.
"""

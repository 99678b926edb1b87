"""Where the parts of a face lie: among the landmarks, and in the canonical crop."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.align.canonical_crop import CROP_SIZE

FACE_OVAL = (
    *(10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377),
    *(152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109),
)
"""Landmarks of the face's outline, from the middle of the forehead clockwise as seen."""

EYES = (
    (33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246),
    (263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466),
)
"""Landmarks of the lids of the person's right and left eye, a closed outline each."""

CHIN = 152
"""Landmark of the chin's lowest point."""

# All numbers below are places in the canonical crop: rows, columns, x and y in crop px.


def _rectangles(*places: tuple[slice, slice]) -> NDArray[np.bool_]:
    filled = np.zeros((CROP_SIZE, CROP_SIZE), dtype=bool)
    for place in places:
        filled[place] = True
    return filled


def _upper_face() -> NDArray[np.bool_]:
    oval = np.zeros((CROP_SIZE, CROP_SIZE), np.uint8)
    cv2.ellipse(oval, (64, 62), (40, 50), 0, 0, 360, 1, -1)
    oval[86:] = 0
    return oval > 0


UPPER_FACE = _upper_face()
"""The face above the mouth, bool [128, 128], without neck and ears, whose light and focus differ."""

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


def _inner_face() -> NDArray[np.float32]:
    rows, columns = np.mgrid[:CROP_SIZE, :CROP_SIZE]
    radius = np.hypot((columns - 63.5) / 20, (rows - 80) / 24)
    return np.clip((1.4 - radius) / 0.4, 0, 1).astype(np.float32)


INNER_FACE = _inner_face()
"""Nose and mouth with the cheeks beside them, where no contour of the face lies, float32 [128, 128].

1 inside an ellipse, falling to 0 at 1.4 times its size.
"""

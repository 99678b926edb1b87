"""Which pixels are a face, also under a mask, and which are its eyes: by its landmarks."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.align.canonical_head import CANONICAL_HEAD
from realtime.align.face_regions import EYES

_SHIFT = 4  # fractional bits of drawn coordinates


def face_silhouette(points: NDArray[np.floating], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Mark the pixels of a face from ear to ear and from the forehead to the chin.

    In profile the nose, the lips and the chin lie outside the outline that `FACE_OVAL` names. So the
    triangles between the landmarks are drawn.

    Args:
        points: float [478, 2], landmarks in pixels.
        shape: height and width.

    Returns:
        bool [height, width].
    """
    drawn = np.zeros(shape, np.uint8)
    for triangle in _fixed_point(points[CANONICAL_HEAD.index])[_TRIANGLES]:
        cv2.fillConvexPoly(drawn, triangle, (1,), cv2.LINE_8, _SHIFT)
    return drawn > 0


def open_eyes(points: NDArray[np.floating], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Mark the pixels between the lids of both eyes; as `face_silhouette`."""
    return enclosed((points[list(lids)] for lids in EYES), shape)


def enclosed(outlines: Iterable[NDArray[np.floating]], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Mark the pixels inside closed outlines.

    Args:
        outlines: float [N, 2] each, pixels.
        shape: height and width.

    Returns:
        bool [height, width].
    """
    drawn = np.zeros(shape, np.uint8)
    for outline in outlines:
        cv2.fillPoly(drawn, [_fixed_point(outline)], (1,), cv2.LINE_8, _SHIFT)
    return drawn > 0


def _fixed_point(points: NDArray[np.floating]) -> NDArray[np.int32]:
    return np.rint(points * 2**_SHIFT).astype(np.int32)


def _triangles() -> NDArray[np.intp]:
    """Return the triangles between the canonical head's points as seen from the front, int [T, 3]."""
    front = CANONICAL_HEAD.points_cm[:, :2].astype(np.float32)
    plane = cv2.Subdiv2D((-20, -20, 40, 40))  # x, y, width and height, cm
    plane.insert(front.tolist())
    corners = plane.getTriangleList().reshape(-1, 3, 1, 2)
    away = np.linalg.norm(corners - front, axis=-1)
    inside = (away.min(-1) < 0.01).all(1)  # without the corners of the plane
    return away.argmin(-1)[inside]


_TRIANGLES = _triangles()

"""Affine transforms of the plane as float64 [2, 3] matrices: apply, invert, compose."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray


def apply(matrix: NDArray[np.float64], points: NDArray[np.floating]) -> NDArray[np.float64]:
    """Move points [N, 2] by an affine matrix [2, 3]."""
    return np.asarray(points, dtype=np.float64) @ matrix[:, :2].T + matrix[:, 2]


def invert(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the inverse of an affine matrix [2, 3]."""
    return cv2.invertAffineTransform(matrix).astype(np.float64)


def compose(after: NDArray[np.float64], before: NDArray[np.float64]) -> NDArray[np.float64]:
    """Join two affine transforms, float64 [2, 3] each, `before` done first."""
    linear = after[:, :2]
    joined = np.empty((2, 3))
    joined[:, :2], joined[:, 2] = linear @ before[:, :2], linear @ before[:, 2] + after[:, 2]
    return joined


def scale_of(matrix: NDArray[np.float64]) -> float:
    """Return the scale of a similarity [2, 3]: crop pixels for each picture pixel."""
    return float(np.hypot(matrix[0, 0], matrix[1, 0]))

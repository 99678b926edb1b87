"""Writes similarity transforms as vectors that a filter can smooth: crop centre, log size and angle."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_HALF_PX, _CENTRE = 64, np.array([63.5, 63.5])  # half the crop's side and its centre, crop px
TURN = 2 * np.pi * _HALF_PX
"""A whole turn as the vectors' last element, crop px at the crop's edge."""


def to_vector(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Write a similarity as crop centre in the frame, log size and angle.

    All four, float64 [4], are in pixels of motion at the crop's edge, so that one filter fits them; the
    last repeats with `TURN`.
    """
    scale = np.hypot(matrix[0, 0], matrix[1, 0])
    angle = np.arctan2(matrix[1, 0], matrix[0, 0])
    linear = matrix[:, :2]
    centre = np.linalg.solve(linear, _CENTRE - matrix[:, 2])
    return np.array([*(centre * scale), -np.log(scale) * _HALF_PX, angle * _HALF_PX])


def to_matrix(vector: NDArray[np.float64]) -> NDArray[np.float64]:
    """The inverse of `to_vector`."""
    scale, angle = np.exp(-vector[2] / _HALF_PX), vector[3] / _HALF_PX
    linear = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    centre = vector[:2] / scale
    return np.column_stack([linear, _CENTRE - linear @ centre])

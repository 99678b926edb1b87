"""Smooths similarity transforms: what is filtered is what is seen, the filter is the one-euro filter."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

NOMINAL_INTERVAL_S = 1 / 30
_HALF_PX, _CENTRE = 64, np.array([63.5, 63.5])
TURN = 2 * np.pi * _HALF_PX


class OneEuro:
    """The one-euro filter (Casiez, Roussel, Vogel 2012) on a vector.

    Args:
        min_cutoff_hz: cut-off at rest; lower is calmer.
        beta: how fast the cut-off rises with speed; higher lags less.
    """

    def __init__(self, min_cutoff_hz: float = 1.5, beta: float = 0.15) -> None:
        self._min_cutoff_hz, self._beta = min_cutoff_hz, beta
        self._value: NDArray[np.float64] | None = None
        self._speed: NDArray[np.float64] | None = None

    def __call__(
        self, value: NDArray[np.float64], interval_s: float = NOMINAL_INTERVAL_S
    ) -> NDArray[np.float64]:
        """Take the next raw value, float64 [K]; return the smoothed one."""
        if self._value is None or self._speed is None:
            self._value, self._speed = value, np.zeros_like(value)
            return value
        raw_speed = (value - self._value) / interval_s
        speed = self._speed + _share(1.0, interval_s) * (raw_speed - self._speed)
        cutoff_hz = self._min_cutoff_hz + self._beta * np.abs(speed)
        smoothed = self._value + _share(cutoff_hz, interval_s) * (value - self._value)
        self._value, self._speed = smoothed, speed
        return smoothed


def _share(cutoff_hz: float | NDArray[np.float64], interval_s: float):
    """How much of a new value a low-pass of this cut-off takes."""
    return 1 / (1 + 1 / (2 * np.pi * np.maximum(cutoff_hz, 1e-6) * interval_s))


def to_vector(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Write a similarity as what is seen: crop centre in the frame, log size and angle.

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

"""Smooths vectors over time with the one-euro filter."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from realtime.frames import NOMINAL_INTERVAL_S


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

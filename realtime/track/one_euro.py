"""Low-pass filters over time: the one-euro filter on vectors, and on the transforms of tracked faces."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from realtime.align.similarity_vector import to_matrix, to_vector
from realtime.frames import NOMINAL_INTERVAL_S, TrackedFace
from realtime.settings import TRACK
from realtime.stages import PerTrack

_SPEED_CUTOFF_HZ = 1.0  # of the low-pass on the speed, as the paper suggests


class OneEuro:
    """The one-euro filter (Casiez, Roussel, Vogel 2012) on a vector.

    Args:
        min_cutoff_hz: cut-off frequency at rest; lower is calmer.
        beta: how fast the cut-off frequency rises with speed, Hz for each unit/s; higher lags less.
    """

    def __init__(
        self,
        min_cutoff_hz: float = TRACK.min_cutoff_hz,
        beta: float = TRACK.speed_coefficient,
    ) -> None:
        self._min_cutoff_hz, self._beta = min_cutoff_hz, beta
        self._value: NDArray[np.float64] | None = None
        self._speed: NDArray[np.float64] | float = 0.0

    def __call__(
        self, value: NDArray[np.float64], interval_s: float = NOMINAL_INTERVAL_S
    ) -> NDArray[np.float64]:
        """Take the next raw value, float64 [K]; return the smoothed one."""
        if self._value is None:
            self._value = value
            return value
        raw_speed = (value - self._value) / interval_s
        speed = self._speed + _share_at(_SPEED_CUTOFF_HZ, interval_s) * (raw_speed - self._speed)
        cutoff_hz = self._min_cutoff_hz + self._beta * np.abs(speed)
        smoothed = self._value + _share_at(cutoff_hz, interval_s) * (value - self._value)
        self._value, self._speed = smoothed, speed
        return smoothed


@dataclass
class _Smoothed:
    """The filter of one face, and its transform as smoothed last."""

    matrix: NDArray[np.float64]
    filter: OneEuro = field(default_factory=OneEuro)


class TransformSmoothing:
    """Smooths the transforms of tracked faces as frames come, without knowing later frames."""

    def __init__(self) -> None:
        self._tracks: PerTrack[_Smoothed | None] = PerTrack(lambda: None)

    def __call__(self, face: TrackedFace, interval_s: float) -> TrackedFace:
        """Return the face with its transform smoothed; a face that was missed stays where it was."""
        state = self._tracks[face.track_id]
        if state is None or face.restarted:
            state = self._tracks[face.track_id] = _Smoothed(face.matrix)
            state.filter(to_vector(face.matrix))
        elif face.found:
            state.matrix = to_matrix(state.filter(to_vector(face.matrix), interval_s))
        return replace(face, matrix=state.matrix)

    def keep_only(self, track_ids: Collection[int]) -> None:
        """Forget all other faces."""
        self._tracks.keep_only(track_ids)

    def reset(self) -> None:
        """Forget all faces."""
        self._tracks.clear()


def low_pass_share(time_constant_s: float, interval_s: float) -> float:
    """Return the share of a new value that a low-pass of this time constant takes after an interval."""
    return 1 - float(np.exp(-interval_s / time_constant_s))


def _share_at(cutoff_hz: float | NDArray[np.float64], interval_s: float):
    """Return the share of a new value that a low-pass of this cut-off frequency takes."""
    return 1 / (1 + 1 / (2 * np.pi * np.maximum(cutoff_hz, 1e-6) * interval_s))

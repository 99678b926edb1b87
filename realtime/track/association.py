"""Matches detections with tracks, also after a second out of sight."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from realtime.settings import TRACK

# Share of a new speed in the estimate, and after _LATE_S.
_SPEED_SHARE, _LATE_SPEED_SHARE = 0.3, 0.5
_LATE_S = 0.1  # seconds out of sight
_SPEED_KEPT_PER_S = 0.55  # share of its speed that a face out of sight keeps each second


class Place(NamedTuple):
    """Where a face is: the middle between its eyes, float64 [2], and its size, both in pixels."""

    centre: NDArray[np.float64]
    size: float


class MotionModel:
    """Predicts where a face is: it goes on at constant speed, and slows down while it is out of sight.

    Args:
        place: where it was first detected.

    Attributes:
        predicted: where it should be now.
        unseen_s: seconds since it was last detected.
    """

    def __init__(self, place: Place) -> None:
        self.predicted, self.unseen_s = place, 0.0
        self._last_centre = place.centre
        self._speed = np.zeros(2)

    def advance(self, interval_s: float) -> None:
        """Predict the place an interval later; the face counts as unseen until `update`."""
        centre = self.predicted.centre + self._speed * interval_s
        self.predicted = Place(centre, self.predicted.size)
        if self.unseen_s > 0:
            self._speed *= _SPEED_KEPT_PER_S**interval_s
        self.unseen_s += interval_s

    def update(self, place: Place) -> None:
        """Correct the prediction by a detection."""
        seconds = max(self.unseen_s, 1e-3)
        speed = (place.centre - self._last_centre) / seconds
        share = _SPEED_SHARE if seconds < _LATE_S else _LATE_SPEED_SHARE
        self._speed = self._speed * (1 - share) + speed * share
        self.predicted, self._last_centre, self.unseen_s = place, place.centre, 0.0

    def distance(self, place: Place) -> float:
        """Distance of a detection from the predicted place; from 1 on it is of another face.

        It is measured in sizes of the face, times a gate that widens while the face is out of sight. A face
        of a very different size is infinitely far.
        """
        size = max(self.predicted.size, place.size, 1e-6)
        if min(self.predicted.size, place.size) < TRACK.least_size_ratio * size:
            return np.inf
        gate = TRACK.gate + TRACK.gate_per_s * self.unseen_s
        return float(np.hypot(*(place.centre - self.predicted.centre))) / size / gate


def match(motions: Sequence[MotionModel], places: Sequence[Place]) -> dict[int, int]:
    """Pair tracks with detections greedily, the nearest pairs first.

    Returns:
        {index into motions: index into places}; each at most once.
    """
    distances = (
        (motion.distance(place), number, found)
        for number, motion in enumerate(motions)
        for found, place in enumerate(places)
    )
    pairs: dict[int, int] = {}
    for distance, number, found in sorted(distances):
        if distance < 1 and number not in pairs and found not in pairs.values():
            pairs[number] = found
    return pairs

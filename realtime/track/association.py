"""Tells which of the faces found now is which of those followed, also after a second out of sight."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_GATE, _GATE_PER_S = 0.6, 1.5
_LEAST_SIZE_RATIO = 0.4
_SPEED_SHARE, _SPEED_KEPT_PER_S = 0.3, 0.55


class Place(NamedTuple):
    """Where a face is: the middle between its eyes, float64 [2], and its size, both in pixels."""

    centre: NDArray[np.float64]
    size: float


class Motion:
    """Guesses where a face is from where it was seen: it goes on at its speed and slows down.

    Args:
        place: where it was first seen.

    Attributes:
        guess: where it should be now.
        unseen_s: seconds since it was last seen.
    """

    def __init__(self, place: Place) -> None:
        self.guess, self.unseen_s = place, 0.0
        self._seen_centre = place.centre
        self._speed = np.zeros(2)

    def advance(self, interval_s: float) -> None:
        """Let time pass; the face counts as unseen until `see`."""
        self.guess = Place(self.guess.centre + self._speed * interval_s, self.guess.size)
        if self.unseen_s > 0:
            self._speed *= _SPEED_KEPT_PER_S**interval_s
        self.unseen_s += interval_s

    def see(self, place: Place) -> None:
        """Take where it was found."""
        seconds = max(self.unseen_s, 1e-3)
        speed = (place.centre - self._seen_centre) / seconds
        share = _SPEED_SHARE if seconds < 0.1 else 0.5
        self._speed = self._speed * (1 - share) + speed * share
        self.guess, self._seen_centre, self.unseen_s = place, place.centre, 0.0

    def distance(self, place: Place) -> float:
        """How far from the guess, in sizes of the face and of the gate, which widens out of sight.

        1 and more: another face; so is one of a very different size.
        """
        size = max(self.guess.size, place.size, 1e-6)
        if min(self.guess.size, place.size) < _LEAST_SIZE_RATIO * size:
            return np.inf
        gate = _GATE + _GATE_PER_S * self.unseen_s
        return float(np.hypot(*(place.centre - self.guess.centre))) / size / gate


def match(motions: Sequence[Motion], places: Sequence[Place]) -> dict[int, int]:
    """Pair followed faces with found ones, the surest pairs first.

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

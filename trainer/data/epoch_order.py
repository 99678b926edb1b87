"""The order of the faces in a run: a new permutation each epoch, derived from seed and position."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

_SEED_STEP = 1_000_003  # a prime; keeps the seeds of several devices apart


def seed_of(seed: int, rank: int) -> int:
    """Return the seed of one of several devices, given the run's seed."""
    return seed + _SEED_STEP * rank


class CropCount:
    """Counts the crops that a device has drawn, step by step.

    Args:
        before: number of crops before a step; it is asked only where steps do not follow each other, as
            when a run is resumed. A run whose end is a time may take other steps than it tells of.
    """

    def __init__(self, before: Callable[[int], int]) -> None:
        self._before = before
        self._step, self._crops = -1, 0

    def add(self, step: int, crops: int) -> int:
        """Count the crops of a step; return the number before it."""
        first = self._crops if step == self._step else self._before(step)
        self._step, self._crops = step + 1, first + crops
        return first


class EpochOrder:
    """Order of faces in epochs: every face comes once an epoch.

    Args:
        count: number of faces.
        seed: random seed of the permutations.
    """

    def __init__(self, count: int, seed: int) -> None:
        self._count, self._seed = count, seed
        self._epoch, self._permutation = -1, np.empty(0, np.int64)

    def take(self, first: int, count: int) -> list[int]:
        """Return the faces at positions `first` to `first + count` of the whole run."""
        places = range(first, first + count)
        return [int(self._epoch_of(at // self._count)[at % self._count]) for at in places]

    def _epoch_of(self, epoch: int) -> NDArray[np.int64]:
        if epoch != self._epoch:
            rng = np.random.default_rng([self._seed, 1, epoch])
            self._epoch, self._permutation = epoch, rng.permutation(self._count)
        return self._permutation

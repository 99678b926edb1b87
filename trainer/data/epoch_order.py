"""The order in which a run sees its faces: epochs, each a new permutation, known from seed and place."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


class EpochOrder:
    """Faces in epochs: every one once before any comes again.

    Args:
        count: how many faces there are.
        seed: fixes every permutation.
    """

    def __init__(self, count: int, seed: int) -> None:
        self._count, self._seed = count, seed
        self._epoch, self._permutation = -1, np.empty(0, np.int64)

    def take(self, first: int, count: int) -> list[int]:
        """Return the faces at places `first` to `first + count` of the whole run."""
        return [int(self._of(place)) for place in range(first, first + count)]

    def _of(self, place: int) -> np.int64:
        epoch, at = divmod(place, self._count)
        return self._of_epoch(epoch)[at]

    def _of_epoch(self, epoch: int) -> NDArray[np.int64]:
        if epoch != self._epoch:
            rng = np.random.default_rng([self._seed, 1, epoch])
            self._epoch, self._permutation = epoch, rng.permutation(self._count)
        return self._permutation

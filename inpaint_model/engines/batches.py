"""Cuts a call's crops into the fixed batch sizes that an engine is built, captured or tuned for."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

DOUBLING_SIZES = (1, 2, 4, 8, 16, 32, 64)
"""For engines that pay once for every size: any count wastes less than half of its last batch."""


def split(count: int, sizes: Iterable[int]) -> list[tuple[int, int, int]]:
    """Cut crops into batches, the largest first.

    What is left over is padded up to the next size where it fills more than half of it, or where
    there is no smaller size.

    Args:
        count: how many crops there are, >= 0.
        sizes: the batch sizes at hand, each >= 1, in any order; at least one.

    Returns:
        Of each batch: its first crop, how many crops are in it, and the size to pad it up to. They
        are in order, and together hold every crop once.
    """
    known = sorted(set(sizes))
    batches: list[tuple[int, int, int]] = []
    start = 0
    while start < count:
        left = count - start
        below = max((size for size in known if size <= left), default=None)
        above = min((size for size in known if size >= left), default=None)
        if above is not None and (below is None or 2 * left > above):
            batches.append((start, left, above))
            break
        assert below is not None
        batches.append((start, below, below))
        start += below
    return batches


def padded(array: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Return an array with zeros added to its first axis up to `size`; itself where it is as long."""
    if len(array) == size:
        return array
    out = np.zeros((size, *array.shape[1:]), dtype=np.uint8)
    out[: len(array)] = array
    return out

"""Runs a call's crops in the fixed batch sizes that an engine is built, captured or tuned for."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

Images = NDArray[np.uint8]
POWERS_OF_TWO = (1, 2, 4, 8, 16, 32, 64)
"""Batch sizes for engines that pay once for every size: padding is less than half of the last batch."""


def split(count: int, sizes: Iterable[int]) -> list[tuple[int, int, int]]:
    """Split crops into batches, the largest first.

    The remainder is padded to the next larger size if it fills more than half of it, or if there is
    no smaller size.

    Args:
        count: number of crops, >= 0.
        sizes: the possible batch sizes, each >= 1, in any order; at least one.

    Returns:
        For each batch: the index of its first crop, its number of crops, and the batch size to pad it
        to. The batches are in order and together hold every crop once.
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


def run_in_batches(
    crops: Images, holes: Images, sizes: Iterable[int], run: Callable[[Images, Images, int], Images]
) -> Images:
    """Run a network on any number of crops, batch by batch.

    Args:
        crops: uint8 [N, 128, 128, 3].
        holes: uint8 [N, 128, 128].
        sizes: the possible batch sizes.
        run: fills one batch; its arguments are n crops, n holes and the batch size to pad them to,
            its result has at least n crops and may be overwritten by the next call.

    Returns:
        uint8 [N, 128, 128, 3], the caller's own.
    """
    filled = np.empty_like(crops)
    for start, count, size in split(len(crops), sizes):
        part = slice(start, start + count)
        filled[part] = run(crops[part], holes[part], size)[:count]
    return filled


def pad(array: Images, size: int) -> Images:
    """Pad the first axis with zeros up to `size`; an array of that length is returned itself."""
    if len(array) == size:
        return array
    out = np.zeros((size, *array.shape[1:]), dtype=np.uint8)
    out[: len(array)] = array
    return out

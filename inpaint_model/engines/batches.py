"""Splits a call of any number of crops into the batch sizes an engine is made for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence


def split(count: int, sizes: Sequence[int]) -> Iterator[tuple[int, int, int]]:
    """Yield (start, how many crops, batch size)."""
    start = 0
    while start < count:
        rest = count - start
        fits = max((s for s in sizes if s <= rest), default=min(sizes))
        larger = min((s for s in sizes if s >= rest), default=0)
        size = larger if larger and rest * 2 > larger else fits
        yield start, min(rest, size), size
        start += size

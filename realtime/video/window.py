"""A sliding window: each item of a stream with the items before and after it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")
N = TypeVar("N")


def windowed(
    items: Iterable[T], note: Callable[[T], N], window: int
) -> Iterator[tuple[T, deque[N], int]]:
    """Yield the items in order, each `window` later.

    Args:
        items: a stream.
        note: called once for each item, in order; returns what the window holds of it.
        window: how many items on each side the window holds.

    Yields:
        The item, the notes in the window, and the index of its own note among them.
    """
    around: deque[N] = deque(maxlen=2 * window + 1)
    waiting: deque[T] = deque()
    for item in items:
        around.append(note(item))
        waiting.append(item)
        del item  # only those that wait are kept
        if len(waiting) > window:
            yield waiting.popleft(), around, len(around) - 1 - window
    while waiting:
        place = len(around) - len(waiting)
        yield waiting.popleft(), around, place

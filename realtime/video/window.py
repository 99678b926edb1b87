"""Looks at each item of a stream with what lies around it on both sides."""

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
        note: called once for each item, in order: what the others are to know of it.
        window: so many items on each side are known.

    Yields:
        The item, the notes of those around it, and the place of its own among them.
    """
    around: deque[N] = deque(maxlen=2 * window + 1)
    waiting: deque[T] = deque()
    for item in items:
        around.append(note(item))
        waiting.append(item)
        if len(waiting) > window:
            yield waiting.popleft(), around, len(around) - 1 - window
    while waiting:
        place = len(around) - len(waiting)
        yield waiting.popleft(), around, place

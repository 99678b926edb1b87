"""A sliding window: each frame of a stream is decided with the frames before and after it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")
F = TypeVar("F")
N = TypeVar("N")
D = TypeVar("D")


def windowed(
    items: Iterable[tuple[T, F]],
    note: Callable[[F], N],
    decide: Callable[[F, deque[N], int], D],
    window: int,
) -> Iterator[tuple[T, D]]:
    """Yield the items in order, each `window` later; no other item is held than those that wait.

    Args:
        items: anything that belongs to a frame, and the frame.
        note: called once for each frame; returns what the window holds of it.
        decide: called with a frame, the notes in the window, and the index of its own note among them;
            returns what takes the frame's place.
        window: how many frames on each side the window holds.
    """
    around: deque[N] = deque(maxlen=2 * window + 1)
    waiting: deque[tuple[T, F]] = deque()

    def decided(place: int) -> tuple[T, D]:
        item, frame = waiting.popleft()
        return item, decide(frame, around, place)

    for item in items:
        around.append(note(item[1]))
        waiting.append(item)
        del item
        if len(waiting) > window:
            yield decided(len(around) - 1 - window)
    while waiting:
        yield decided(len(around) - len(waiting))

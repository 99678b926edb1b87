"""Links between threads: short queues, and what one does when its reader is slower than its writer.

Files need every item (`Ordered`), a live preview shows the newest (`LatestWins`).
"""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Ended(Exception):
    """A link has ended: nothing more will come."""


@dataclass(frozen=True)
class Ordered:
    """Every item arrives, in order: the writer waits while `depth` items are in the queue."""

    depth: int = 2
    replaces: bool = False


@dataclass(frozen=True)
class LatestWins:
    """A newer item replaces one that nobody has taken; the replaced one is counted as dropped.

    Items are dropped only after the source and after the last stage. A stage takes its next item only when
    its last result was taken, so no result is dropped between two stages.
    """

    depth: int = 1
    replaces: bool = True


Policy = Ordered | LatestWins


class Link(Generic[T]):
    """A short queue between two threads.

    Args:
        policy: what happens when it is full.

    Attributes:
        dropped: how many items were replaced by newer ones.
    """

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._changed = threading.Condition()
        self._items: deque[T] = deque()
        self._closed = False
        self._error: BaseException | None = None
        self.dropped = 0

    def put(self, item: T) -> None:
        """Add an item: wait for room, or replace the oldest item.

        Raises:
            Ended: the link is closed, so nobody reads any more.
        """
        with self._changed:
            if not self._policy.replaces:
                self._changed.wait_for(self._has_room_or_closed)
            if self._closed:
                raise Ended
            if len(self._items) >= self._policy.depth:
                self._items.popleft()
                self.dropped += 1
            self._items.append(item)
            self._changed.notify_all()

    def take(self, timeout_s: float | None = None) -> T | None:
        """Wait for an item and take it; None if none came in time.

        Raises:
            Ended: the link is closed and empty.
            BaseException: what the writer failed with, once the items before it are taken.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._items or self._closed, timeout_s)
            if self._items:
                item = self._items.popleft()
                self._changed.notify_all()
                return item
            if self._error is not None:
                raise self._error
            if self._closed:
                raise Ended
            return None

    def wait_until_taken(self) -> None:
        """Wait until the queue is empty."""
        with self._changed:
            self._changed.wait_for(lambda: not self._items or self._closed)

    def close(self, error: BaseException | None = None, *, discard: bool = False) -> None:
        """Say that nothing more will come, or that nobody reads any more.

        Args:
            error: why the writer ended; the reader raises it after the last item.
            discard: drop the items that are in the queue.
        """
        with self._changed:
            if not self._closed:
                self._closed, self._error = True, error
            if discard:
                self._items.clear()
            self._changed.notify_all()

    def _has_room_or_closed(self) -> bool:
        return self._closed or len(self._items) < self._policy.depth


def items_of(link: Link[Any], output: Link[Any] | None = None) -> Iterator[Any]:
    """Take items until the link ends; with an output, take each only when the last result was taken."""
    with contextlib.suppress(Ended):
        while True:
            if output is not None:
                output.wait_until_taken()
            yield link.take()

"""A place for one item between two threads: a newer item takes the place of one that nobody took."""

from __future__ import annotations

import threading
from typing import Generic, TypeVar

T = TypeVar("T")


class Ended(Exception):
    """Nothing more will come."""


class LatestSlot(Generic[T]):
    """One item that waits to be taken.

    Attributes:
        dropped: how many items were replaced before anybody took them.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._item: T | None = None
        self._closed = False
        self.dropped = 0

    def put(self, item: T) -> None:
        """Lay an item down, in place of one that still lies there."""
        with self._changed:
            self.dropped += self._item is not None
            self._item = item
            self._changed.notify_all()

    def take(self, timeout_s: float | None = None) -> T | None:
        """Wait for an item and take it; None where none came in time.

        Raises:
            Ended: the slot is closed and empty.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._item is not None or self._closed, timeout_s)
            item, self._item = self._item, None
            if item is not None:
                self._changed.notify_all()
            elif self._closed:
                raise Ended
            return item

    def wait_for_room(self) -> None:
        """Wait until nothing lies there, so that what is laid down next replaces nothing."""
        with self._changed:
            self._changed.wait_for(lambda: self._item is None or self._closed)

    def close(self, *, empty: bool = False) -> None:
        """Say that nothing more will come; an item that lies there may still be taken, unless `empty`."""
        with self._changed:
            self._closed = True
            if empty:
                self._item = None
            self._changed.notify_all()

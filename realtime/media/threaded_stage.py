"""Reads ahead and writes behind in threads, through bounded queues that never deadlock."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Generic, Self, TypeVar

T = TypeVar("T")
_LOOK_UP_S = 0.1


class ReadAhead(Generic[T]):
    """Iterates over `items` in a thread of its own, at most `depth` ahead of the caller.

    What the thread raises is raised to the caller in its place. On leaving the context the thread
    has ended, whether or not everything was read.
    """

    def __init__(self, items: Iterable[T], depth: int) -> None:
        self._items = items
        self._queue: queue.Queue[tuple[T | None, BaseException | None]] = queue.Queue(depth)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="reader", daemon=True)

    def _run(self) -> None:
        try:
            for item in self._items:
                if not self._put((item, None)):
                    return
            self._put((None, StopIteration()))
        except BaseException as error:
            self._put((None, error))

    def _put(self, entry: tuple[T | None, BaseException | None]) -> bool:
        """Wait for room; False once nobody reads any more."""
        while not self._stop.is_set():
            try:
                self._queue.put(entry, timeout=_LOOK_UP_S)
                return True
            except queue.Full:
                continue
        return False

    def __iter__(self) -> Iterator[T]:
        while True:
            item, error = self._queue.get()
            if isinstance(error, StopIteration):
                return
            if error is not None:
                raise error
            assert item is not None
            yield item

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


class WriteBehind(Generic[T]):
    """Hands items in order to `write` in a thread of its own, at most `depth` behind the caller.

    What `write` raises is raised to the caller at the next `put` or on leaving. Left without an
    error, everything has been written; left with one, what still waited is dropped.
    """

    def __init__(self, write: Callable[[T], None], depth: int) -> None:
        self._write = write
        self._queue: queue.Queue[T | None] = queue.Queue(depth)
        self._error: BaseException | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                item = self._queue.get()
                if item is None:
                    return
                self._write(item)
        except BaseException as error:
            self._error = error

    def put(self, item: T) -> None:
        """Queue an item; wait where `depth` items wait already."""
        self._put(item)

    def _put(self, item: T | None) -> None:
        while True:
            if self._error is not None:
                raise self._error
            try:
                return self._queue.put(item, timeout=_LOOK_UP_S)
            except queue.Full:
                continue

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._put(None)
            self._thread.join()
            if self._error is not None:
                raise self._error
            return
        self._stop.set()
        while self._thread.is_alive():
            try:
                self._queue.put_nowait(None)
            except queue.Full:
                self._drop_one()
            self._thread.join(_LOOK_UP_S)

    def _drop_one(self) -> None:
        try:
            self._queue.get_nowait()
        except queue.Empty:
            return

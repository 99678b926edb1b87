"""The one pipeline: a source, stages and a sink, joined by short links, a thread each.

A stage is a function from a stream to a stream, so it may hold items back or look ahead. The policy says
what a link does when its reader is slower than its writer: a recording must keep every item, a preview
shows the newest.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Self, TypeVar

T = TypeVar("T")
Stage = Callable[[Iterator[Any]], Iterator[Any]]
"""Turns a stream of items into another one; runs in a thread of its own."""


class Ended(Exception):
    """A link has ended: nothing more will come."""


@dataclass(frozen=True)
class Ordered:
    """Every item arrives, in order: a writer waits while `depth` items lie in its link."""

    depth: int = 2
    replaces: bool = False


@dataclass(frozen=True)
class LatestWins:
    """A newer item takes the place of one that nobody took, which is counted as dropped.

    Between two stages an item is never replaced: a stage takes its next item only when its last result was
    taken. So what has been worked on is not thrown away before the last link.
    """

    depth: int = 1
    replaces: bool = True


Policy = Ordered | LatestWins


class Link(Generic[T]):
    """A short queue between two threads.

    Args:
        policy: what happens where it is full.

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
        """Lay an item down: wait for room, or replace the oldest item.

        Raises:
            Ended: nobody reads any more.
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
        """Wait for an item and take it; None where none came in time.

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
        """Wait until nothing lies there."""
        with self._changed:
            self._changed.wait_for(lambda: not self._items or self._closed)

    def close(self, error: BaseException | None = None, *, discard: bool = False) -> None:
        """Say that nothing more will come, or that nobody reads any more.

        Args:
            error: why the writer ended; raised to the reader.
            discard: throw away the items that lie there.
        """
        with self._changed:
            if not self._closed:
                self._closed, self._error = True, error
            if discard:
                self._items.clear()
            self._changed.notify_all()

    def _has_room_or_closed(self) -> bool:
        return self._closed or len(self._items) < self._policy.depth


class Pipeline:
    """Runs a source and stages, a thread each, while the context is entered; the caller takes the results.

    Left early, all threads end soon and what still waited is dropped. What a thread raises reaches the
    caller in its place, after the results before it.

    Args:
        source: the items.
        stages: in order.
        policy: of every link.
        stop_source: ends a source that blocks; called from any thread, more than once.
    """

    def __init__(
        self,
        source: Iterable[Any],
        stages: Sequence[Stage],
        policy: Policy,
        stop_source: Callable[[], None] = lambda: None,
    ) -> None:
        self._source, self._stop_source = source, stop_source
        self._links: list[Link[Any]] = [Link(policy) for _ in range(len(stages) + 1)]
        self._threads = [threading.Thread(target=self._read, name="source", daemon=True)]
        self._threads += [
            threading.Thread(
                target=self._work, args=(stage, number), name=_name(stage), daemon=True
            )
            for number, stage in enumerate(stages)
        ]

    def dropped_after(self, stage: int) -> int:
        """How many items were replaced by newer ones after the source (0) or a stage (from 1 on)."""
        return self._links[stage].dropped

    def take(self, timeout_s: float | None = None) -> Any | None:
        """Wait for the next result; None where none came in time.

        Raises:
            Ended: there are no more.
            BaseException: what the source or a stage raised.
        """
        return self._links[-1].take(timeout_s)

    def __iter__(self) -> Iterator[Any]:
        return _items_of(self._links[-1])

    def _read(self) -> None:
        self._run(iter(self._source), self._links[0])

    def _work(self, stage: Stage, number: int) -> None:
        before, after = self._links[number : number + 2]
        is_last = number + 2 == len(self._links)
        try:
            self._run(stage(_items_of(before, None if is_last else after)), after)
        finally:
            before.close(discard=True)
            if number == 0:
                self._stop_source()

    def _run(self, items: Iterator[Any], output: Link[Any]) -> None:
        error = None
        try:
            for item in items:
                output.put(item)
        except Ended:
            pass
        except BaseException as raised:
            error = raised
        finally:
            output.close(error)

    def stop(self) -> None:
        """Make every thread end soon; from any thread."""
        self._stop_source()
        for link in self._links:
            link.close(discard=True)

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        for thread in self._threads:
            thread.join()


def run(
    source: Iterable[Any], stages: Sequence[Stage], sink: Callable[[Any], None], policy: Policy
) -> None:
    """Run a pipeline to its end; the sink is called in the caller's thread."""
    with Pipeline(source, stages, policy) as pipeline:
        for item in pipeline:
            sink(item)


def each(function: Callable[[Any], Any]) -> Stage:
    """Make a stage that calls a function on each item."""

    def stage(items: Iterator[Any]) -> Iterator[Any]:
        return map(function, items)

    stage.__name__ = getattr(function, "__name__", "stage")
    return stage


def _items_of(link: Link[Any], output: Link[Any] | None = None) -> Iterator[Any]:
    """Take items until the link ends; with an output, each only when the last result was taken."""
    while True:
        if output is not None:
            output.wait_until_taken()
        try:
            item = link.take()
        except Ended:
            return
        yield item


def _name(stage: Stage) -> str:
    return getattr(stage, "__name__", "stage")

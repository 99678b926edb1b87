"""The one pipeline: a source, stages and a sink, each in a thread of its own, joined by short queues.

A stage is a function from an iterator to an iterator, so it may hold items back or look ahead. The policy
of the queues says whether every item is kept or the newest alone (`realtime.runtime.links`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Self

from realtime.runtime.links import Ended, Link, Policy, items_of

Stage = Callable[[Iterator[Any]], Iterator[Any]]
"""Takes an iterator of items and returns one of results; runs in a thread of its own."""


class Pipeline:
    """Runs a source and stages, a thread each, while its context is entered; the caller takes the results.

    If the context is left early, all threads end soon and waiting items are dropped. The caller gets an
    error of a thread after the results that came before it.

    Args:
        source: the items.
        stages: in order.
        policy: of every queue.
        stop_source: ends a source that blocks; may be called from any thread, and more than once.
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
        """Return how many items were dropped after the source (0) or after a stage (from 1 on)."""
        return self._links[stage].dropped

    def take(self, timeout_s: float | None = None) -> Any | None:
        """Wait for the next result; None if none came in time.

        Raises:
            Ended: there are no more.
            BaseException: what the source or a stage raised.
        """
        return self._links[-1].take(timeout_s)

    def __iter__(self) -> Iterator[Any]:
        return items_of(self._links[-1])

    def _read(self) -> None:
        self._run(iter(self._source), self._links[0])

    def _work(self, stage: Stage, number: int) -> None:
        before, after = self._links[number : number + 2]
        is_last = number + 2 == len(self._links)
        try:
            self._run(stage(items_of(before, None if is_last else after)), after)
        finally:
            before.close(discard=True)
            if number == 0:
                self._stop_source()

    def _run(self, items: Iterator[Any], output: Link[Any]) -> None:
        error = None
        try:
            for item in items:
                output.put(item)
                del item
        except Ended:
            pass
        except BaseException as raised:
            error = raised
        finally:
            output.close(error)

    def stop(self) -> None:
        """Make every thread end soon; may be called from any thread."""
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
    source: Iterable[Any],
    stages: Sequence[Stage],
    sink: Callable[[Any], None],
    policy: Policy | None,
) -> None:
    """Run a pipeline to its end.

    Args:
        source: the items.
        stages: in order.
        sink: called with each result, in the caller's thread.
        policy: of every queue; None: all runs in the caller's thread, and no item waits in a queue.

    Raises:
        BaseException: what the source, a stage or the sink raised.
    """
    if policy is None:
        items = iter(source)
        for stage in stages:
            items = stage(items)
        return _drain(items, sink)
    with Pipeline(source, stages, policy) as pipeline:
        _drain(iter(pipeline), sink)


def _drain(items: Iterator[Any], sink: Callable[[Any], None]) -> None:
    for item in items:
        sink(item)
        del item  # frames are large: none is kept while the next one is waited for


def each(function: Callable[[Any], Any]) -> Stage:
    """Return a stage that calls a function on each item."""

    def stage(items: Iterator[Any]) -> Iterator[Any]:
        return map(function, items)

    stage.__name__ = getattr(function, "__name__", "stage")
    return stage


def join_by_thread(steps: Mapping[str, Stage], threads: Sequence[Sequence[str]]) -> list[Stage]:
    """Make one stage of the steps that share a thread.

    Args:
        steps: all steps by name.
        threads: the names of each thread's steps, in order (`realtime.settings.THREADS`).
    """
    return [_joined([steps[name] for name in names], "+".join(names)) for names in threads]


def _joined(steps: Sequence[Stage], name: str) -> Stage:
    def stage(items: Iterator[Any]) -> Iterator[Any]:
        for step in steps:
            items = step(items)
        return items

    stage.__name__ = name
    return stage


def _name(stage: Stage) -> str:
    return getattr(stage, "__name__", "stage")

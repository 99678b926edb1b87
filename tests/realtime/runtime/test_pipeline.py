"""The pipeline: every item in order or the newest, errors in their place, and no thread left behind."""

from __future__ import annotations

import itertools
import threading
import time
import weakref
from collections.abc import Iterator

import pytest

from realtime.runtime.links import LatestWins, Ordered
from realtime.runtime.pipeline import Pipeline, Stage, each, join_by_thread, run

pytestmark = pytest.mark.usefixtures("no_thread_is_left")


def doubled(items: Iterator[int]) -> Iterator[int]:
    """Holds one item back, as a stage does that looks ahead."""
    before = None
    for item in items:
        if before is not None:
            yield 2 * before
        before = item
    if before is not None:
        yield 2 * before


def test_run_ordered_keeps_every_item_in_order() -> None:
    seen: list[int] = []
    run(range(200), [doubled, each(lambda x: x + 1)], seen.append, Ordered())
    assert seen == [2 * x + 1 for x in range(200)]


class Large:
    """Stands for what a decoded frame holds."""


def test_run_in_turn_holds_one_frame() -> None:
    alive: weakref.WeakSet[Large] = weakref.WeakSet()
    counts = []

    def made(_: int) -> Large:
        counts.append(len(alive))
        large = Large()
        alive.add(large)
        return large

    run(map(made, range(5)), [each(lambda large: large)], lambda _: None, None)
    assert counts == [0] * 5


def test_pipeline_that_waits_for_a_frame_holds_none() -> None:
    alive: weakref.WeakSet[Large] = weakref.WeakSet()
    more = threading.Event()

    def made(number: int) -> Large:
        if number == 3:
            more.wait(10)
        large = Large()
        alive.add(large)
        return large

    stages = [each(lambda large: large), each(lambda large: large)]
    with Pipeline(map(made, range(4)), stages, Ordered()) as pipeline:
        for _ in range(3):
            pipeline.take()
        deadline = time.monotonic() + 5
        while alive and time.monotonic() < deadline:
            time.sleep(0.01)
        held = len(alive)
        more.set()
    assert held == 0


def test_join_by_thread_steps_of_one_name_share_a_thread() -> None:
    threads: dict[str, int] = {}

    def step(name: str) -> Stage:
        def note(item: str) -> str:
            threads[name] = threading.get_ident()
            return item + name

        return each(note)

    stages = join_by_thread({name: step(name) for name in "abc"}, (("a", "b"), ("c",)))
    seen: list[str] = []
    run([""], stages, seen.append, Ordered())
    assert seen == ["abc"]
    assert threads["a"] == threads["b"] != threads["c"]


def test_run_stages_have_threads_of_their_own() -> None:
    threads: list[int] = []

    def note(item: int) -> int:
        threads.append(threading.get_ident())
        return item

    run(range(1), [each(note), each(note)], lambda item: threads.append(note(item)), Ordered())
    threads.pop()
    assert len(set(threads)) == 3 and threads[-1] == threading.get_ident()


@pytest.mark.parametrize("policy", [Ordered(), LatestWins()])
def test_run_error_of_a_stage_reaches_the_caller(policy) -> None:
    def fails(item: int) -> int:
        if item == 99:
            raise RuntimeError("no such item")
        return item

    with pytest.raises(RuntimeError, match="no such item"):
        run(range(100), [each(lambda x: x), each(fails)], lambda _: None, policy)


def test_run_error_of_the_source_comes_after_its_items() -> None:
    def source() -> Iterator[int]:
        yield from range(3)
        raise OSError("unplugged")

    seen: list[int] = []
    with pytest.raises(OSError, match="unplugged"):
        run(source(), [doubled], seen.append, Ordered())
    assert seen == [0, 2]


def test_run_error_of_the_sink_ends_an_endless_source() -> None:
    def endless() -> Iterator[int]:
        while True:
            yield 1

    def sink(_: int) -> None:
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        run(endless(), [each(lambda x: x)], sink, Ordered())


class Blocking:
    """A source that gives three items and then blocks until it is stopped."""

    def __init__(self) -> None:
        self._stopped = threading.Event()

    def __iter__(self) -> Iterator[int]:
        yield from range(3)
        self._stopped.wait()

    def stop(self) -> None:
        self._stopped.set()


def test_pipeline_left_early_stops_a_blocked_source() -> None:
    source = Blocking()
    with Pipeline(source, [each(lambda x: x)], LatestWins(), source.stop) as pipeline:
        assert pipeline.take(5) is not None


def test_pipeline_latest_wins_drops_nothing_between_stages() -> None:
    """A stage takes its next item only when its last result was taken by the next stage."""
    taken = threading.Semaphore(0)
    worked: list[int] = []

    def slow(items: Iterator[int]) -> Iterator[int]:
        for item in items:
            assert taken.acquire(timeout=60)
            yield item

    def note(item: int) -> int:
        worked.append(item)
        return item

    with Pipeline(itertools.count(), [each(note), slow], LatestWins()) as pipeline:
        for _ in range(3):
            taken.release()
            assert pipeline.take(60) is not None
        assert pipeline.dropped_after(1) == 0
        assert len(worked) <= 5  # three taken, one in the slow stage, one in the link before it
        taken.release(1000)


def test_run_without_queues_holds_one_item() -> None:
    held: list[int] = []

    def source() -> Iterator[int]:
        for number in range(4):
            held.append(number)
            yield number

    seen: list[tuple[int, int]] = []
    run(
        source(),
        [each(lambda n: n + 10), each(lambda n: n)],
        lambda n: seen.append((n, len(held))),
        None,
    )
    assert seen == [(10, 1), (11, 2), (12, 3), (13, 4)]

"""Links between threads: a full one waits or replaces, and a closed one refuses."""

from __future__ import annotations

import threading

import pytest

from realtime.runtime.links import Ended, LatestWins, Link, Ordered


def test_link_latest_wins_replaces_and_counts() -> None:
    link: Link[int] = Link(LatestWins())
    for number in range(5):
        link.put(number)
    assert (link.take(0), link.take(0), link.dropped) == (4, None, 4)
    link.put(7)
    link.close()
    assert link.take() == 7
    with pytest.raises(Ended):
        link.take()


def test_link_ordered_makes_the_writer_wait() -> None:
    link: Link[int] = Link(Ordered(depth=2))
    link.put(0)
    link.put(1)
    writer = threading.Thread(target=link.put, args=(2,))
    writer.start()
    writer.join(0.05)
    assert writer.is_alive()
    assert link.take() == 0
    writer.join(5)
    assert (link.take(), link.take(), link.dropped) == (1, 2, 0)


def test_link_closed_refuses_writers() -> None:
    link: Link[int] = Link(Ordered())
    link.close()
    with pytest.raises(Ended):
        link.put(1)

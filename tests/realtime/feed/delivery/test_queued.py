"""Lines through the queue, whatever the receiver: it is away, it refuses, the feed is killed."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from inpaint_model.errors import UserError
from realtime.feed.delivery import Delivery, DeliveryError, DeliveryOptions, open_delivery
from tests.realtime.feed.delivery import sending
from tests.realtime.feed.delivery.making_receivers import (
    HttpServer,
    LineServer,
    free_port,
    line,
    numbers,
    wait_for,
)


def opened(out: str, options: DeliveryOptions, *, waits: bool = True, **more: object) -> Delivery:
    return open_delivery(
        out,
        source_key="source",
        waits=waits,
        options=options,
        **more,  # pyright: ignore
    )


def test_queued_receiver_away_then_back_gets_all(
    options: DeliveryOptions, queue_folder: Path
) -> None:
    port, told = free_port(), []
    delivery = opened(f"http://127.0.0.1:{port}/faces", options, notify=told.append)
    for number in range(500):
        delivery.put(line(number))
    wait_for(lambda: told)
    time.sleep(0.2)  # further attempts
    server = HttpServer(port)
    assert delivery.finish(20) == 0
    delivery.close()
    server.close()
    assert numbers(server.received) == list(range(500))
    assert len(told) == 2  # at changes, not at attempts
    assert (
        "away (connection refused)" in told[0] and "is back" in told[1] and "since: 500" in told[1]
    )
    assert list(queue_folder.iterdir()) == []
    assert delivery.dropped == 0


def test_queued_file_source_waits_while_full(options: DeliveryOptions) -> None:
    server = HttpServer()
    server.status = 503
    size = len(line(1000).text)
    delivery = opened(server.url, replace(options, queue_bytes=10 * size))
    putting = threading.Thread(target=lambda: [delivery.put(line(n)) for n in range(40)])
    putting.start()
    wait_for(lambda: server.refused > 2)
    assert putting.is_alive()
    server.status = 200
    putting.join(20)
    assert delivery.finish(20) == 0
    delivery.close()
    server.close()
    assert numbers(server.received) == list(range(40))
    assert delivery.dropped == 0


def test_queued_live_source_drops_the_oldest_while_full(options: DeliveryOptions) -> None:
    server = HttpServer()
    server.status = 503
    size = len(line(1000).text)
    delivery = opened(
        server.url, replace(options, queue_bytes=10 * size, batch_lines=2), waits=False
    )
    delivery.put(line(1000))
    wait_for(lambda: server.refused)
    for number in range(1001, 1101):
        delivery.put(line(number))
    server.status = 200
    assert delivery.finish(20) == 0
    delivery.close()
    server.close()
    got = numbers(server.received)
    assert got[-1] == 1100 and got == sorted(set(got))
    assert len(got) + delivery.dropped == 101
    assert 85 < delivery.dropped < 95


def test_queued_closed_early_goes_on_with_the_same_command(
    options: DeliveryOptions, queue_folder: Path
) -> None:
    port, told = free_port(), []
    out = f"http://me:secret@127.0.0.1:{port}/faces"
    delivery = opened(out, options, notify=told.append)
    for number in range(10):
        delivery.put(line(number))
    assert delivery.finish(0.05) == 10
    delivery.close()
    assert "lines that wait on disk: 10; the same command sends them" in told[-1]
    server = HttpServer(port)
    delivery = opened(out, options, notify=told.append)
    assert "lines that wait on disk from before: 10" in told[-1]
    for number in range(20):  # a file is read again from its start
        delivery.put(line(number))
    assert delivery.finish(20) == 0
    delivery.close()
    server.close()
    assert numbers(server.received) == list(range(20))
    assert list(queue_folder.iterdir()) == []
    assert "secret" not in "".join(told) + delivery.name


def test_queued_same_source_and_receiver_twice_is_refused(options: DeliveryOptions) -> None:
    server = HttpServer()
    delivery = opened(server.url, options)
    with pytest.raises(UserError, match="is running"):
        opened(server.url, options)
    delivery.close()
    server.close()


@pytest.mark.parametrize("status", [301, 400, 401, 413])
def test_queued_file_source_refused_fails(status: int, options: DeliveryOptions) -> None:
    server = HttpServer()
    server.status = status
    server.headers = {"Location": "http://127.0.0.1:1/"}
    delivery = opened(server.url, options)
    delivery.put(line(0))
    with pytest.raises(DeliveryError, match=f"answers {status}"):
        delivery.finish(20)
    with pytest.raises(DeliveryError, match=f"answers {status}"):
        delivery.put(line(1))
    delivery.close()
    server.status = 200
    delivery = opened(server.url, options)  # the cause is mended
    assert delivery.finish(20) == 0
    delivery.close()
    server.close()
    assert 0 in numbers(server.received)


def test_queued_live_source_refused_counts_and_goes_on(options: DeliveryOptions) -> None:
    server, told = HttpServer(), []
    server.status = 400
    delivery = opened(server.url, options, waits=False, notify=told.append)
    for number in range(3):
        delivery.put(line(number))
        wait_for(lambda number=number: delivery.dropped == number + 1)
    server.status = 200
    delivery.put(line(3))
    assert delivery.finish(20) == 0
    delivery.close()
    server.close()
    assert numbers(server.received) == [3]
    assert len(told) == 1 and "400" in told[0]


@pytest.mark.parametrize("kind", ["http", "tcp"])
def test_queued_feed_killed_and_started_again_loses_nothing(kind: str) -> None:
    count = 3000
    server = HttpServer() if kind == "http" else LineServer()
    out = server.url if isinstance(server, HttpServer) else server.out
    command = [sys.executable, "-m", sending.__name__, out, str(count), "6000"]
    with subprocess.Popen(command) as process:
        wait_for(lambda: len(server.received) > 1000)
        process.send_signal(signal.SIGKILL)
    ended = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert ended.stdout == "missing 0\n"
    wait_for(lambda: len(set(server.received)) == count)
    server.close()
    assert numbers(list(dict.fromkeys(server.received))) == list(range(count))
    if isinstance(server, HttpServer):  # only the batch that was under way, by the same key
        assert len(server.received) - count == len(server.repeated)
        assert len(server.repeated) <= DeliveryOptions().batch_lines

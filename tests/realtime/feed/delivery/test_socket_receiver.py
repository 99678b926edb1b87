"""Lines to TCP and Unix sockets that break."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from realtime.feed.delivery import DeliveryOptions, open_delivery
from realtime.feed.delivery.address import read_address
from realtime.feed.delivery.receiver import Away, WaitingLine
from realtime.feed.delivery.socket_receiver import SocketReceiver
from tests.realtime.feed.delivery import outages
from tests.realtime.feed.delivery.making_receivers import (
    LineServer,
    free_port,
    line,
    numbers,
    wait_for,
)


@pytest.fixture(params=["tcp", "unix"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> int | Path:
    if request.param == "tcp":
        return free_port()
    return tmp_path / "socket"


def listening(place: int | Path) -> socket.socket:
    if isinstance(place, int):
        return socket.create_server(("127.0.0.1", place))
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(place))
    server.listen()
    return server


def test_socket_receiver_away_then_back_gets_all(
    place: int | Path, options: DeliveryOptions
) -> None:
    out = f"unix://{place}" if isinstance(place, Path) else f"tcp://127.0.0.1:{place}"
    told: list[str] = []
    delivery = open_delivery(
        out, source_key="source", waits=True, options=options, notify=told.append
    )
    delivery.put(line(0))
    wait_for(lambda: told)
    assert "away" in told[0]
    server = LineServer(place)
    for number in range(1, 1000):
        delivery.put(line(number))
    assert delivery.finish(20) == 0
    delivery.close()
    server.close()
    assert numbers(server.received) == list(range(1000))
    assert server.connections == 1


def test_socket_connection_broken_in_order_repeats_nothing(
    place: int | Path, options: DeliveryOptions
) -> None:
    server = LineServer(place)
    delivery = open_delivery(server.out, source_key="source", waits=True, options=options)
    received: list[str] = []
    for part in range(3):
        for number in range(100 * part, 100 * part + 100):
            delivery.put(line(number))
        wait_for(lambda server=server: len(server.received) == 100)
        received += server.received
        server.close()
        server = LineServer(place)
    assert delivery.finish(20) == 0
    delivery.close()
    server.close()
    assert numbers(received + server.received) == list(range(300))


def test_socket_receiver_killed_loses_nothing(
    place: int | Path, options: DeliveryOptions, tmp_path: Path
) -> None:
    out = f"unix://{place}" if isinstance(place, Path) else f"tcp://127.0.0.1:{place}"
    file, count = tmp_path / "received", 4000
    file.touch()
    command = [sys.executable, "-c", _RECEIVES, out, str(file)]
    delivery = open_delivery(out, source_key="source", waits=True, options=options)
    with subprocess.Popen(command) as process:
        wait_for(lambda: file.stat().st_size)  # it listens
        process.send_signal(signal.SIGSTOP)  # it reads no more, and what comes lies unread
        for number in range(count):
            delivery.put(line(number, padding=100))
        time.sleep(0.3)  # the buffers fill
        process.kill()
    with subprocess.Popen(command) as process:
        assert delivery.finish(20) == 0
        delivery.close()
        process.kill()
    got = [text for text in file.read_text().split("\n") if text.endswith("}")]
    assert list(dict.fromkeys(numbers(got))) == list(range(count))


def test_socket_reset_while_idle_is_sent_again(place: int | Path, options: DeliveryOptions) -> None:
    server = listening(place)
    out = f"unix://{place}" if isinstance(place, Path) else f"tcp://127.0.0.1:{place}"
    receiver = SocketReceiver(read_address(out), options, threading.Event())
    receiver.connect()
    connection, _ = server.accept()
    receiver.send([WaitingLine(1, "k1", "face", b"unread")])
    connection.close()  # unread: the system resets the connection
    server.close()
    time.sleep(0.05)
    with pytest.raises(Away, match="reset"):
        receiver.poll()
    assert receiver.delivered == 0
    with pytest.raises(Away):
        receiver.connect()


def test_socket_never_closed_by_the_receiver_is_finished(options: DeliveryOptions) -> None:
    server = LineServer()
    server.stays_open = True
    delivery = open_delivery(server.out, source_key="source", waits=True, options=options)
    delivery.put(line(0))
    assert delivery.finish(20) == 0
    delivery.close()
    wait_for(lambda: numbers(server.received) == [0])
    server.close()


_RECEIVES = f"""
import sys
import threading
import time
from pathlib import Path
from {outages.__name__} import receive
receive(sys.argv[1], Path(sys.argv[2]))
"""

"""Counts lines through outages of receivers and feeds that are killed.

`python -m tests.realtime.feed.delivery.outages` takes 8 minutes; or name some of http, tcp, unix, mqtt
(which needs mosquitto). Receivers of sockets are processes of their own and are killed by SIGKILL.
"""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Protocol

from tests.realtime.feed.delivery.making_receivers import (
    HttpServer,
    Subscriber,
    free_port,
    numbers,
    running_broker,
)

PACKAGE = "tests.realtime.feed.delivery"
LINES_PER_S = 60
AWAY_S, REFUSES_S = 60, 30


class Service(Protocol):
    """A receiver that can go and come back at its address."""

    out: str

    def start(self) -> None: ...
    def stop(self) -> None: ...
    def texts(self) -> list[str]: ...


class HttpService:
    def __init__(self, folder: Path) -> None:
        self._port, self._texts, self.repeated = free_port(), [], []
        self.out = f"http://127.0.0.1:{self._port}/faces"

    def start(self) -> None:
        self.server = HttpServer(self._port)
        self.server.received, self.server.repeated = self._texts, self.repeated

    def stop(self) -> None:
        self.server.close()

    def texts(self) -> list[str]:
        return self._texts


class SocketService:
    def __init__(self, folder: Path, out: str) -> None:
        self.out, self._file = out, folder / "received"

    def start(self) -> None:
        command = [sys.executable, "-m", f"{PACKAGE}.outages", "receive", self.out, str(self._file)]
        self._process = subprocess.Popen(command)

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()

    def texts(self) -> list[str]:
        if not self._file.exists():
            return []
        return [text for text in self._file.read_text().split("\n") if text.endswith("}")]


class MqttService:
    def __init__(self, folder: Path) -> None:
        self._folder, self._port = folder, free_port()
        self.out = f"mqtt://127.0.0.1:{self._port}/unmask"
        self._subscriber: Subscriber | None = None

    def start(self) -> None:
        self._broker = running_broker("mosquitto", self._folder, self._port)
        self._broker.__enter__()
        self._subscriber = self._subscriber or Subscriber(self._port)

    def stop(self) -> None:
        self._broker.__exit__(None, None, None)

    def texts(self) -> list[str]:
        assert self._subscriber is not None
        return self._subscriber.texts("face")


def receive(out: str, file: Path) -> None:
    """Append what comes to a file; a line that a break cut short is ended there."""
    if out.startswith("unix://"):
        Path(out.removeprefix("unix://")).unlink(missing_ok=True)
        server = socket.socket(socket.AF_UNIX)
        server.bind(out.removeprefix("unix://"))
        server.listen()
    else:
        server = socket.create_server(("127.0.0.1", int(out.rpartition(":")[2])), backlog=5)
    with file.open("ab", buffering=0) as target:
        while True:
            target.write(b"\n")
            connection, _ = server.accept()
            with connection:
                while data := connection.recv(65536):
                    target.write(data)


def start_feed(out: str, count: int, lines_per_s: float) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", f"{PACKAGE}.sending", out, str(count), str(lines_per_s)]
    return subprocess.Popen(command)


def report(case: str, kind: str, service: Service, count: int) -> None:
    end_s = time.monotonic() + 20
    while len(set(numbers(service.texts()))) < count and time.monotonic() < end_s:
        time.sleep(0.2)
    got = numbers(service.texts())
    twice = sum(times - 1 for times in Counter(got).values())
    known = ""
    if isinstance(service, HttpService):
        known = f"  twice in batches of a new Idempotency-Key {twice - len(service.repeated)}"
    first = list(dict.fromkeys(got))
    print(
        f"{case:<28}{kind:<6}sent {count:>6}  received {len(got):>6}  twice {twice:>5}  "
        f"lost {count - len(first):>3}  in order {first == sorted(first)}{known}",
        flush=True,
    )


def be_away(kind: str, service: Service) -> None:
    count = LINES_PER_S * (AWAY_S + 20)
    service.start()
    feed = start_feed(service.out, count, LINES_PER_S)
    time.sleep(10)
    service.stop()
    time.sleep(AWAY_S)
    service.start()
    feed.wait()
    report(f"receiver away for {AWAY_S} s", kind, service, count)


def refuse(kind: str, service: HttpService) -> None:
    count = LINES_PER_S * (REFUSES_S + 20)
    service.start()
    feed = start_feed(service.out, count, LINES_PER_S)
    time.sleep(10)
    service.server.status = 500
    time.sleep(REFUSES_S)
    service.server.status = 200
    feed.wait()
    report(f"answers 500 for {REFUSES_S} s", kind, service, count)


def be_killed(kind: str, service: Service, kills: int = 8) -> None:
    count, lines_per_s = 6000, 1500
    service.start()
    for kill in range(kills):
        feed = start_feed(service.out, count, lines_per_s)
        while len(set(service.texts())) < count * (kill + 1) / (kills + 1):
            time.sleep(0.01)
        time.sleep(0.05 * random.random())
        feed.send_signal(signal.SIGKILL)
        feed.wait()
    start_feed(service.out, count, lines_per_s).wait()
    report(f"feed killed {kills} times", kind, service, count)


def main(kinds: list[str]) -> None:
    for kind in kinds:
        for case in (be_away, be_killed, *([refuse] if kind == "http" else [])):
            with tempfile.TemporaryDirectory() as name:
                folder = Path(name)
                os.environ["UNMASK_CACHE_DIR"] = str(folder / "cache")
                tcp = f"tcp://127.0.0.1:{free_port()}"
                services = {
                    "http": lambda folder=folder: HttpService(folder),
                    "tcp": lambda folder=folder, tcp=tcp: SocketService(folder, tcp),
                    "unix": lambda folder=folder: SocketService(folder, f"unix://{folder}/socket"),
                    "mqtt": lambda folder=folder: MqttService(folder),
                }
                service = services[kind]()
                case(kind, service)
                service.stop()


if __name__ == "__main__":
    if sys.argv[1:2] == ["receive"]:
        receive(sys.argv[2], Path(sys.argv[3]))
    else:
        main(sys.argv[1:] or ["http", "tcp", "unix", "mqtt"])

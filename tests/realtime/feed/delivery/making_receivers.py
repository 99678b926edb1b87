"""Receivers on this machine for the tests: an HTTP server, socket servers, MQTT brokers, a proxy."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from paho.mqtt import client as mqtt

from realtime.feed.line import Line

BROKERS = [name for name in ("mosquitto", "amqtt") if name == "amqtt" or shutil.which(name)]


def line(number: int, *, track: int = 0, event: Any = "face", padding: int = 0) -> Line:
    """A line of which the receivers tell the number."""
    record = {"key": f"k{number}", "number": number, "track_id": track, "padding": "x" * padding}
    return Line(f"k{number}", event, json.dumps(record))


def numbers(texts: list[str]) -> list[int]:
    return [json.loads(text)["number"] for text in texts]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def wait_for(is_true: Callable[[], Any], timeout_s: float = 20.0) -> None:
    end_s = time.monotonic() + timeout_s
    while not is_true():
        assert time.monotonic() < end_s, "did not happen in time"
        time.sleep(0.01)


class HttpServer:
    """Collects batches; answers with `status`, after it has read the batch."""

    def __init__(self, port: int = 0, certificate: tuple[Path, Path] | None = None) -> None:
        self.status, self.headers = 200, {}
        self.received: list[str] = []  # lines that were answered by 200
        self.repeated: list[str] = []  # of these, lines of batches whose Idempotency-Key was known
        self.refused = 0  # batches that were answered otherwise
        self.keys: list[str] = []  # Idempotency-Key of every request
        self.requests: list[dict[str, str]] = []
        self.taken: set[str] = set()  # Idempotency-Key of every batch that was answered by 200
        self._connections: set[socket.socket] = set()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                super().setup()
                outer._connections.add(self.connection)

            def handle(self) -> None:
                with contextlib.suppress(OSError):  # the feed was killed
                    super().handle()
                outer._connections.discard(self.connection)

            def finish(self) -> None:
                with contextlib.suppress(OSError):
                    super().finish()

            def do_POST(self) -> None:
                size = int(self.headers["Content-Length"])
                body = self.rfile.read(size)
                if len(body) < size:  # the feed was killed while it sent
                    return
                key = self.headers["Idempotency-Key"]
                outer.keys.append(key)
                outer.requests.append({**self.headers, "path": self.path})
                status = outer.status
                if status == 200:
                    outer.received += body.decode().splitlines()
                    outer.repeated += body.decode().splitlines() if key in outer.taken else []
                    outer.taken.add(key)
                else:
                    outer.refused += 1
                self.send_response(status)
                for name, value in outer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        if certificate is not None:  # key and certificate
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate[1], certificate[0])
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/faces"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close_connections(self) -> None:
        for connection in list(self._connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self.close_connections()


class LineServer:
    """Listens on a socket and collects whole lines; one connection at a time."""

    def __init__(self, place: int | Path = 0) -> None:
        self.received: list[str] = []
        self.connections = 0
        self.stays_open = False  # after the other side has ended
        if isinstance(place, Path):
            place.unlink(missing_ok=True)
            self._server = socket.socket(socket.AF_UNIX)
            self._server.bind(str(place))
            self._server.listen()
            self.out = f"unix://{place}"
        else:
            self._server = socket.create_server(("127.0.0.1", place))
            self.port = self._server.getsockname()[1]
            self.out = f"tcp://127.0.0.1:{self.port}"
        self._connection: socket.socket | None = None
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                self._connection, _ = self._server.accept()
                self.connections += 1
                with contextlib.suppress(OSError), self._connection as connection:
                    self._read(connection)

    def _read(self, connection: socket.socket) -> None:
        rest = b""
        while data := connection.recv(65536):
            *lines, rest = (rest + data).split(b"\n")
            self.received += [text.decode() for text in lines]
        while self.stays_open:
            time.sleep(0.01)

    def close(self) -> None:
        """Stop listening and end the connection."""
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)  # wakes the thread
        self._server.close()
        if self._connection is not None:
            with contextlib.suppress(OSError):
                self._connection.shutdown(socket.SHUT_RDWR)
            self._connection.close()


class Proxy:
    """Passes one TCP connection after another on; `cut` breaks them and refuses others until `mend`."""

    def __init__(self, target: int) -> None:
        self._target, self.port = target, free_port()
        self._sockets: list[socket.socket] = []
        self._server: socket.socket | None = None
        self.passed_bytes = 0
        self.mend()

    def mend(self) -> None:
        self._server = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, args=(self._server,), daemon=True).start()

    def cut(self) -> None:
        assert self._server is not None
        for end in (self._server, *self._sockets):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        self._sockets.clear()

    def _accept(self, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = server.accept()
                far = socket.create_connection(("127.0.0.1", self._target))
                self._sockets += [near, far]
                for pair in ((near, far), (far, near)):
                    threading.Thread(target=self._pump, args=pair, daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
                self.passed_bytes += len(data)
            target.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def running_broker(
    name: str, folder: Path, port: int = 0, *, lets_in: bool = True
) -> Iterator[int]:
    """Run a broker that lets everybody in or nobody; yield its port. mosquitto keeps its sessions."""
    port = port or free_port()
    if name == "mosquitto":
        config = folder / "mosquitto.conf"
        config.write_text(
            f"listener {port} 127.0.0.1\nallow_anonymous {str(lets_in).lower()}\nmax_queued_messages 0\n"
            f"persistence true\npersistence_location {folder}/\nuser root\n"
        )
        with subprocess.Popen(
            ["mosquitto", "-c", str(config)], stderr=subprocess.DEVNULL
        ) as process:
            wait_for(lambda: _listens(port))
            yield port
            process.terminate()
    else:
        with _running_amqtt(port, lets_in):
            yield port


@contextlib.contextmanager
def _running_amqtt(port: int, lets_in: bool) -> Iterator[None]:
    from amqtt.broker import Broker

    config = {
        "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{port}"}},
        "plugins": {
            "amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": lets_in}
        },
    }
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    broker = asyncio.run_coroutine_threadsafe(_started(Broker, config), loop).result(10)
    try:
        yield
    finally:
        asyncio.run_coroutine_threadsafe(broker.shutdown(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


async def _started(broker_class: Any, config: dict[str, Any]) -> Any:
    broker = broker_class(config)
    await broker.start()
    return broker


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
        return True
    return False


class Subscriber:
    """Collects what is published below a topic."""

    def __init__(self, port: int, topic: str = "#") -> None:
        self.received: list[tuple[str, str]] = []  # topic, text
        self._topic, self.subscribed = topic, threading.Event()
        version = mqtt.CallbackAPIVersion.VERSION2
        self._client = mqtt.Client(version, "reader", clean_session=False)
        self._client.reconnect_delay_set(1, 1)
        self._client.on_message = lambda client, data, message: self.received.append(
            (message.topic, message.payload.decode())
        )
        self._client.on_connect = self._subscribe
        self._client.on_subscribe = lambda *arguments: self.subscribed.set()
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        assert self.subscribed.wait(10)

    def _subscribe(self, client: mqtt.Client, *arguments: Any) -> None:
        client.subscribe(self._topic, 1)

    def texts(self, event: str) -> list[str]:
        return [text for topic, text in self.received if topic.endswith(f"/{event}")]

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

"""Live sources and sinks for tests: cameras that can be unplugged, a sink that presses keys."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.capture import CapturedFrame, CaptureLost
from realtime.live.choices import Key
from realtime.live.view import Preview


class FakeClock:
    """Stands in for the module `time`: it advances only when somebody sleeps."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def perf_counter(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds


class FakeCamera:
    """Stands in for a camera, which no test machine has.

    Its capture times are exactly `interval_s` apart, however busy the machine is.

    Args:
        frames: how many it gives before it ends or fails.
        then: what happens after them: it raises this, or ends (None).
        interval_s: between frames.
        wait: called before each frame instead of waiting for the interval.
        size: width and height of its frames, pixels.

    Attributes:
        given: how many frames were read.
        ended: set once all frames were given and one more was asked for.
    """

    nominal_fps = 100.0

    def __init__(
        self,
        frames: int,
        then: BaseException | None = None,
        interval_s: float = 0.01,
        wait: Callable[[], object] | None = None,
        size: tuple[int, int] = (64, 48),
    ) -> None:
        self.name, self._size = "0: Fake (/dev/video0)", size
        self.warnings: list[str] = []
        self._frames, self._then, self._interval_s = frames, then, interval_s
        self._wait = wait or (lambda: time.sleep(interval_s))
        self._began_s = time.perf_counter()
        self.given, self.closed, self.ended = 0, False, threading.Event()

    def read(self) -> CapturedFrame | None:
        assert not self.closed
        if self.given == self._frames:
            self.ended.set()
            if self._then is not None:
                raise self._then
            return None
        self._wait()
        image = np.full((*self._size[::-1], 3), self.given % 256, np.uint8)
        captured_s = self._began_s + self.given * self._interval_s
        self.given += 1
        return CapturedFrame(image, self.given - 1, captured_s)

    def close(self) -> None:
        self.closed = True


def plugged(*states: FakeCamera | None) -> Callable[[], FakeCamera]:
    """Opens one after the other; None: it is not there at that moment."""
    left = list(states)

    def open_camera() -> FakeCamera:
        camera = left.pop(0)
        if camera is None:
            raise CaptureLost("is not connected")
        return camera

    return open_camera


class FingerSink:
    """Shows nothing and presses keys.

    Args:
        keys: frame number to the key that is pressed after it was shown.
        raises: raised by `show` at the fifth frame.

    Attributes:
        shown: the images, in order.
        previews: what they were made of.
        interactive: as of a window.
    """

    name = "fingers"

    def __init__(self, keys: dict[int, Key] | None = None, raises: BaseException | None = None):
        self._keys, self._raises = dict(keys or {}), raises
        self.shown: list[NDArray[np.uint8]] = []
        self.previews: list[Preview] = []
        self.interactive = False
        self._turns = threading.Semaphore(1)

    def wait_until_shown(self) -> None:
        """For a camera: wait until the frame before was shown, so that none is dropped."""
        assert self._turns.acquire(timeout=60)

    def show(self, preview: Preview) -> None:
        self.previews.append(preview)
        self.shown.append(preview.as_shown())
        self._turns.release()
        if self._raises is not None and len(self.shown) >= 5:
            raise self._raises

    def poll(self) -> Key | None:
        reached = [at for at in self._keys if at <= len(self.shown)]
        return self._keys.pop(min(reached)) if reached else None

    def close(self) -> None:
        pass


class NetworkCamera:
    """A real network camera: MJPEG over HTTP, as many give it.

    Attributes:
        given: how many frames it sent.
    """

    def __init__(self, fps: float = 200.0) -> None:
        self._on, self._fps, self.given = threading.Event(), fps, 0
        self._server: ThreadingHTTPServer | None = None
        self.port = 0

    def plug_in(self) -> None:
        camera = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "multipart/x-mixed-replace;boundary=frame")
                self.end_headers()
                while camera._on.is_set():
                    image = np.full((48, 64, 3), camera.given % 250, np.uint8)
                    camera.given += 1
                    content = cv2.imencode(".jpg", image)[1].tobytes()
                    head = f"Content-Type: image/jpeg\r\nContent-Length: {len(content)}\r\n\r\n"
                    try:
                        self.wfile.write(b"--frame\r\n" + head.encode() + content + b"\r\n")
                    except OSError:
                        return
                    time.sleep(1 / camera._fps)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._on.set()
        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.02,), name="camera").start()

    def unplug(self) -> None:
        self._on.clear()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/video"


@contextmanager
def network_camera() -> Iterator[NetworkCamera]:
    """One that is plugged in, and is unplugged at the end."""
    camera = NetworkCamera()
    camera.plug_in()
    try:
        yield camera
    finally:
        camera.unplug()

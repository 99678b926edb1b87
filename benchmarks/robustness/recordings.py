"""Ends `unmask live --record` at random moments, in every way, and plays what is left."""

from __future__ import annotations

import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import av
import av.error
import cv2
import numpy as np

from benchmarks.clips import write_wide_clip
from benchmarks.options import Count, Out, Seed
from benchmarks.processes import start_unmask
from benchmarks.tables import Row, publish
from inpaint_model.errors import UserError
from realtime.media.reader import VideoReader

_WAYS = ("SIGKILL", "SIGHUP", "SIGTERM", "disk full", "stream cut")
_FIRST_S, _LAST_S = 3.0, 10.0  # the moments lie between, after the recording began
_START_S, _END_S = (
    120.0,
    60.0,
)  # longest waits for the recording to begin, and for the program to end
_POLL_S = 0.02
_FPS = 15


@dataclass(frozen=True)
class _Left:
    """How long a recording ran, and how long it plays, seconds; None: it does not open."""

    way: str
    ran_s: float
    plays_s: float | None


def run(count: Count = 20, seed: Seed = 0, out: Out = None) -> list[Row]:
    """End `unmask live --record` at random moments: each recording opens and lacks at most two seconds."""
    rng = np.random.default_rng(seed)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        clip = folder / "clip.mp4"
        write_wide_clip(clip, 640, 360, _FPS, _LAST_S)
        left = [
            _end_one(folder / str(number), clip, _WAYS[number % len(_WAYS)], rng)
            for number in range(count)
        ]
    rows = [_row(way, [one for one in left if one.way == way]) for way in _WAYS[:count]]
    return publish("recordings", rows, out)


def _row(way: str, left: list[_Left]) -> Row:
    lost_s = [one.ran_s - one.plays_s for one in left if one.plays_s is not None]
    return {
        "ended by": way,
        "recordings": len(left),
        "that open": len(lost_s),
        "most seconds lost": max(lost_s, default=float("nan")),
    }


def _end_one(out: Path, clip: Path, way: str, rng: np.random.Generator) -> _Left:
    """Record, end it at a random moment, and look at the file."""
    moment_s = float(rng.uniform(_FIRST_S, _LAST_S))
    largest = round(moment_s * 40_000) if way == "disk full" else None  # bytes
    options = ("--loop", "--sink", "none", "--record", "--max-faces", 1, "--out", out)
    with _stream(clip) as (address, cut):
        source = address if way == "stream cut" else clip
        process = start_unmask("live", "--source", source, *options, largest_file=largest)
        file = _wait_for_file(out, process)
        began_s = time.monotonic()
        if way == "disk full":
            ended_s = _wait_until_full(file)
            process.terminate()
        else:
            time.sleep(moment_s)
            ended_s = time.monotonic()
            if way == "stream cut":
                cut()
                time.sleep(1.0)
                process.terminate()
            else:
                process.send_signal(getattr(signal, way))
        process.wait(_END_S)
    return _Left(way, ended_s - began_s, _plays_s(file))


def _wait_for_file(out: Path, process: subprocess.Popen[bytes]) -> Path:
    until_s = time.monotonic() + _START_S
    while time.monotonic() < until_s and process.poll() is None:
        for file in out.glob("*.mp4"):
            if file.stat().st_size:
                return file
        time.sleep(_POLL_S)
    process.kill()
    raise UserError("`unmask live --record` began no recording")


def _wait_until_full(file: Path) -> float:
    """Return when a file grew for the last time: it stays as it is for three seconds."""
    size, grew_s = 0, time.monotonic()
    while time.monotonic() - grew_s < 3:
        if file.stat().st_size > size:
            size, grew_s = file.stat().st_size, time.monotonic()
        time.sleep(_POLL_S)
    return grew_s


def _plays_s(path: Path) -> float | None:
    try:
        with av.open(str(path)) as file:
            return max(float(frame.time or 0) for frame in file.decode(video=0))
    except (av.error.FFmpegError, ValueError):
        return None


@contextmanager
def _stream(clip: Path) -> Iterator[tuple[str, Callable[[], None]]]:
    """Serve a clip as a network camera does (MJPEG over HTTP); yield its address and what cuts it."""
    with VideoReader(clip) as file:
        pictures = [cv2.imencode(".jpg", frame.image_bgr)[1].tobytes() for frame in file]
    ended = threading.Event()

    class Camera(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "multipart/x-mixed-replace;boundary=frame")
            self.end_headers()
            number = 0
            with suppress(OSError):
                while not ended.wait(1 / _FPS):
                    content = pictures[number % len(pictures)]
                    head = f"Content-Type: image/jpeg\r\nContent-Length: {len(content)}\r\n\r\n"
                    self.wfile.write(b"--frame\r\n" + head.encode() + content + b"\r\n")
                    number += 1

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Camera) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/video", ended.set
        finally:
            ended.set()
            server.shutdown()

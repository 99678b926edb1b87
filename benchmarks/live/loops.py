"""The live pipeline and two naive loops on one paced camera, each measured in the same way."""

from __future__ import annotations

import os
import queue
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from realtime import Unmasker
from realtime.capture.frame import CapturedFrame
from realtime.capture.paced_file import PacedFile
from realtime.capture.reconnecting import Reconnecting
from realtime.live.session import LiveOptions, run_live
from realtime.live.sinks import NullSink
from realtime.live.statistics import LiveReport, LiveStatistics
from realtime.runtime.stage_times import StageTimes

_DRIVER_BUFFERS = 4  # frames that V4L2 keeps for OpenCV by default
_CAMERA_TIMEOUT_S = 5.0


@dataclass(frozen=True)
class Outcome:
    """What a loop did.

    Attributes:
        shown: frames that came through.
        seconds: from the first to the last.
        dropped: frames that the camera gave, or should have given, and that did not come through.
        latency_ms: from capture to display: p50, p95, p99.
        masked: faces filled.
        stages: times of each stage, as in a report.
        cpu_share: of all cores' time, 0..1.
    """

    shown: int
    seconds: float
    dropped: int
    latency_ms: dict[str, float]
    masked: int
    stages: dict[str, dict[str, float]]
    cpu_share: float

    @property
    def fps(self) -> float:
        """Frames a second that came through."""
        return (self.shown - 1) / max(self.seconds, 1e-9)


Loop = Callable[[Path, float, float, Unmasker], Outcome]


def run_unmask_live(
    camera: Path,
    fps: float,
    unmasker: Unmasker,
    options: LiveOptions,
    progress: Callable[[LiveStatistics], None] = lambda _: None,
) -> LiveReport:
    """Run what `unmask live` runs, on a clip that plays as a camera, without a display."""
    source = Reconnecting(lambda: PacedFile(camera, fps, loop=True), lambda _line: None)
    try:
        return run_live(source, NullSink(), unmasker, options, progress=progress)
    finally:
        source.close()


def _unmask_live(camera: Path, fps: float, seconds: float, unmasker: Unmasker) -> Outcome:
    with _cpu_share() as cpu_share:
        done = run_unmask_live(camera, fps, unmasker, LiveOptions(seconds=seconds))
    return Outcome(
        done.frames,
        done.seconds,
        done.dropped_frames,
        done.latency_ms,
        done.masked_faces,
        done.stages,
        cpu_share(),
    )


def _naive(buffers: int, camera: Path, fps: float, seconds: float, unmasker: Unmasker) -> Outcome:
    """Process frames one by one from a queue of so many (0: any number); a full one loses new frames."""
    source, stop = PacedFile(camera, fps, loop=True), threading.Event()
    waiting: queue.Queue[CapturedFrame] = queue.Queue(buffers)
    captured = 0

    def capture() -> None:
        nonlocal captured
        while not stop.is_set() and (shot := source.read()) is not None:
            captured = shot.index + 1
            if not waiting.full():
                waiting.put(shot)

    thread = threading.Thread(target=capture, name="naive camera")
    delays_ms: list[float] = []
    times, masked, first_s, now_s = StageTimes(), 0, 0.0, 0.0
    with _cpu_share() as cpu_share:
        thread.start()
        try:
            while not first_s or now_s - first_s < seconds:
                shot = waiting.get(timeout=_CAMERA_TIMEOUT_S)
                result = unmasker(shot.image_bgr)
                now_s = time.perf_counter()
                first_s = first_s or now_s
                delays_ms.append((now_s - shot.captured_s) * 1e3)
                times.add(result.latency_ms)
                masked += sum(face.inpainted for face in result.faces)
        finally:
            stop.set()
            thread.join()
    source.close()
    shown = len(delays_ms)
    latency_ms = {f"p{p}": float(np.percentile(delays_ms, p)) for p in (50, 95, 99)}
    seconds, dropped = now_s - first_s, captured - shown
    return Outcome(shown, seconds, dropped, latency_ms, masked, times.summary(), cpu_share())


@contextmanager
def _cpu_share() -> Iterator[Callable[[], float]]:
    """Yield a function that gives this process's share of all cores' time within the context."""
    began, share = (time.perf_counter(), time.process_time()), 0.0
    yield lambda: share
    elapsed_s, cpu_s = time.perf_counter() - began[0], time.process_time() - began[1]
    share = cpu_s / (elapsed_s * (os.cpu_count() or 1))


LOOPS: dict[str, Loop] = {
    "unmask live": _unmask_live,
    # OpenCV's usual loop reads, processes and shows; the driver buffers meanwhile.
    "one thread": partial(_naive, _DRIVER_BUFFERS),
    # A thread reads into a queue without a bound.
    "endless queue": partial(_naive, 0),
}

"""The live pipeline and two naive loops on one paced camera, each counted the same way."""

from __future__ import annotations

import queue
import resource
import threading
import time
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from os import cpu_count
from pathlib import Path
from typing import Protocol

import numpy as np

from realtime import Unmasker
from realtime.capture.frame import CapturedFrame
from realtime.capture.paced_file import PacedFile
from realtime.capture.reconnecting import Reconnecting
from realtime.live.session import LiveOptions, run_live
from realtime.live.sinks import NullSink
from realtime.runtime.stage_times import StageTimes

_DRIVER_BUFFERS = 4  # what V4L2 keeps for OpenCV where nobody asks for less


@dataclass(frozen=True)
class Outcome:
    """What a loop did.

    Attributes:
        shown: frames that came through.
        seconds: from the first to the last.
        dropped: frames that the camera gave, or should have, and that did not come through.
        latency_ms: from capture to display: p50, p95, p99.
        cpu_share: of all cores' time, 0..1.
        masked: faces filled.
        stages_ms: each stage's median.
    """

    shown: int
    seconds: float
    dropped: int
    latency_ms: dict[str, float]
    cpu_share: float
    masked: int
    stages_ms: dict[str, float] = field(default_factory=dict)

    @property
    def fps(self) -> float:
        """Frames a second that came through."""
        return (self.shown - 1) / max(self.seconds, 1e-9)


Loop = Callable[[Path, float, float, Unmasker], Outcome]


def pipeline(clip: Path, fps: float, seconds: float, unmasker: Unmasker) -> Outcome:
    """`unmask live`, shown nowhere."""
    source = Reconnecting(lambda: PacedFile(clip, fps, loop=True), lambda _line: None)
    try:
        with _cpu() as cpu:
            done = run_live(source, NullSink(), unmasker, LiveOptions(seconds=seconds))
    finally:
        source.close()
    return Outcome(
        done.frames,
        done.seconds,
        done.dropped_frames,
        done.latency_ms,
        cpu.share,
        done.masked_faces,
        _medians(done.stages),
    )


class _Waiting(Protocol):
    """Where captured frames wait for a naive loop."""

    def put(self, shot: CapturedFrame) -> None: ...
    def get(self, timeout_s: float) -> CapturedFrame: ...


class _Driver:
    """A driver's buffers: where all are full, new frames are lost."""

    def __init__(self) -> None:
        self._queue: queue.Queue[CapturedFrame] = queue.Queue(_DRIVER_BUFFERS)

    def put(self, shot: CapturedFrame) -> None:
        if not self._queue.full():
            self._queue.put(shot)

    def get(self, timeout_s: float) -> CapturedFrame:
        return self._queue.get(timeout=timeout_s)


class _Endless:
    """A queue without a bound."""

    def __init__(self) -> None:
        self._queue: queue.Queue[CapturedFrame] = queue.Queue()

    def put(self, shot: CapturedFrame) -> None:
        self._queue.put(shot)

    def get(self, timeout_s: float) -> CapturedFrame:
        return self._queue.get(timeout=timeout_s)


def one_thread(clip: Path, fps: float, seconds: float, unmasker: Unmasker) -> Outcome:
    """OpenCV's usual loop: read, process, show; the driver buffers meanwhile."""
    return _naive(_Driver(), clip, fps, seconds, unmasker)


def endless_queue(clip: Path, fps: float, seconds: float, unmasker: Unmasker) -> Outcome:
    """The same with a thread that reads into a queue without a bound."""
    return _naive(_Endless(), clip, fps, seconds, unmasker)


def _naive(
    waiting: _Waiting, clip: Path, fps: float, seconds: float, unmasker: Unmasker
) -> Outcome:
    source, stop = PacedFile(clip, fps, loop=True), threading.Event()
    captured = 0

    def capture() -> None:
        nonlocal captured
        while not stop.is_set() and (shot := source.read()) is not None:
            captured = shot.index + 1
            waiting.put(shot)

    thread = threading.Thread(target=capture, name="naive camera")
    delays_ms: list[float] = []
    times, masked, first_s, now_s = StageTimes(), 0, 0.0, 0.0
    with _cpu() as cpu:
        thread.start()
        try:
            while not first_s or now_s - first_s < seconds:
                shot = waiting.get(5.0)
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
    latency_ms = {f"p{p}": float(np.percentile(delays_ms, p)) for p in (50, 95, 99)}
    shown = len(delays_ms)
    return Outcome(
        shown,
        now_s - first_s,
        captured - shown,
        latency_ms,
        cpu.share,
        masked,
        _medians(times.summary()),
    )


def _medians(stages: dict[str, dict[str, float]]) -> dict[str, float]:
    return {name: values["p50_ms"] for name, values in stages.items()}


@dataclass
class _Cpu:
    share: float = 0.0


@contextmanager
def _cpu():
    """Measure this process's share of all cores while the context is entered."""
    measured, began_s, before_s = _Cpu(), time.perf_counter(), _cpu_s()
    yield measured
    available_s = (time.perf_counter() - began_s) * (cpu_count() or 1)
    measured.share = (_cpu_s() - before_s) / available_s


def _cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime

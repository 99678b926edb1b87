"""Soak test of live preview: neither its memory nor its delay may grow over minutes."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Annotated

import numpy as np
import psutil
import typer

from benchmarks.live.camera_clip import looped_frames, write_mjpg
from benchmarks.live.filled_faces import COLUMN, without_speed
from benchmarks.live.loops import run_unmask_live
from benchmarks.options import Clip, Engine, Model, Out
from benchmarks.tables import Row, publish
from realtime import Unmasker
from realtime.live.session import LiveOptions
from realtime.live.statistics import LiveStatistics

_SIZE, _FPS = (640, 480), 30
_SPEEDS = ("frames/s", "dropped", "delay ms, first half", "delay ms, second half")
_SAMPLE_EVERY_S, _SETTLE_S = 5.0, 60.0  # of long runs; short ones sample and settle in proportion


class Samples:
    """Samples the process's memory and the recent delay a few times a minute.

    Args:
        interval_s: between samples.
        settle_s: samples before this time are left out: the process still warms up.
    """

    def __init__(self, interval_s: float, settle_s: float) -> None:
        self._interval_s, self._settle_s = interval_s, settle_s
        self._began_s = time.monotonic()
        self._next_s = self._began_s
        self._process = psutil.Process()
        self.minutes: list[float] = []
        self.memory_mb: list[float] = []
        self.delay_ms: list[float] = []

    def __call__(self, figures: LiveStatistics) -> None:
        """Take a sample where one is due; called after each frame."""
        now_s = time.monotonic()
        if now_s < self._next_s:
            return
        self._next_s = now_s + self._interval_s
        if now_s - self._began_s >= self._settle_s:
            self.minutes.append((now_s - self._began_s) / 60)
            self.memory_mb.append(self._process.memory_info().rss / 2**20)
            self.delay_ms.append(figures.latency_ms)

    def slope(self, values: list[float]) -> float:
        """The growth of values a minute, by least squares."""
        if len(values) < 2:
            return float("nan")
        return float(np.polyfit(self.minutes, values, 1)[0])


def run(
    minutes: Annotated[float, typer.Option(min=0.05, help="Length of the run.")] = 10.0,
    clip: Clip = None,
    out: Out = None,
    model: Model = "fast",
    engine: Engine = "auto",
) -> list[Row]:
    """Measure the growth of memory and delay of live preview on a camera of 640x480 at 30 frames/s."""
    seconds = minutes * 60
    samples = Samples(min(_SAMPLE_EVERY_S, seconds / 40), min(_SETTLE_S, seconds / 4))
    with tempfile.TemporaryDirectory() as scratch:
        camera = Path(scratch) / "camera.mkv"
        write_mjpg(camera, looped_frames(clip), 1, _SIZE, _FPS)
        with Unmasker(model, engine, 1, mode="live") as unmasker:
            done = run_unmask_live(camera, _FPS, unmasker, LiveOptions(seconds=seconds), samples)
    half = max(len(samples.delay_ms) // 2, 1)
    row: Row = {
        "minutes": done.seconds / 60,
        "frames": done.frames,
        "frames/s": done.fps,
        "dropped": done.dropped_frames,
        "memory MB, first": samples.memory_mb[0],
        "memory MB, last": samples.memory_mb[-1],
        "memory slope, MB/min": samples.slope(samples.memory_mb),
        "delay ms, first half": float(np.median(samples.delay_ms[:half])),
        "delay ms, second half": float(np.median(samples.delay_ms[half:])),
        "delay slope, ms/min": samples.slope(samples.delay_ms),
        COLUMN: done.masked_faces / max(done.frames, 1),
    }
    return publish("soak", [row], out, printed=[without_speed(row, _SPEEDS)])

"""Memory and delay of live preview over minutes: neither may grow."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.live.camera_clip import masked_frames, write_mjpg
from benchmarks.tables import Row, publish
from inpaint_model.errors import UserError
from realtime import Unmasker
from realtime.capture.paced_file import PacedFile
from realtime.capture.reconnecting import Reconnecting
from realtime.live.session import LiveOptions, run_live
from realtime.live.sinks import NullSink
from realtime.live.statistics import LiveStatistics

_SIZE, _FPS = (640, 480), 30
_STATUS = Path("/proc/self/status")


class Samples:
    """Takes the process's memory and the delay of late, a few times a minute.

    Args:
        interval_s: between samples.
        settle_s: what comes before counts as warming up.
    """

    def __init__(self, interval_s: float, settle_s: float) -> None:
        self._interval_s, self._settle_s = interval_s, settle_s
        self._began_s = time.monotonic()
        self._next_s = self._began_s
        self.minutes: list[float] = []
        self.memory_mb: list[float] = []
        self.delay_ms: list[float] = []

    def __call__(self, figures: LiveStatistics) -> None:
        """Be told after each frame."""
        now_s = time.monotonic()
        if now_s < self._next_s:
            return
        self._next_s = now_s + self._interval_s
        if now_s - self._began_s >= self._settle_s:
            self.minutes.append((now_s - self._began_s) / 60)
            self.memory_mb.append(resident_mb())
            self.delay_ms.append(figures.delay_ms)

    def slope(self, values: list[float]) -> float:
        """How much values grow a minute, by least squares."""
        if len(values) < 2:
            return float("nan")
        return float(np.polyfit(self.minutes, values, 1)[0])


def resident_mb() -> float:
    """This process's resident memory, MB.

    Raises:
        UserError: the system does not tell (it is not Linux).
    """
    if not _STATUS.is_file():
        raise UserError("the soak reads memory from /proc, which this system has not")
    line = next(row for row in _STATUS.read_text().splitlines() if row.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def run(
    minutes: float,
    clip: Path | None,
    out: Path | None,
    model: str,
    engine: str,
    most_frames: int = 150,
) -> list[Row]:
    """Run live preview on a paced camera of 640x480 at 30 frames a second, one masked face."""
    seconds = minutes * 60
    samples = Samples(min(5.0, seconds / 40), min(60.0, seconds / 4))
    with tempfile.TemporaryDirectory() as scratch:
        camera = Path(scratch) / "camera.mkv"
        write_mjpg(camera, masked_frames(clip, most_frames), 1, _SIZE, _FPS)
        source = Reconnecting(lambda: PacedFile(camera, _FPS, loop=True), lambda _line: None)
        try:
            with Unmasker(model, engine, 1, thrifty=True, live=True) as unmasker:
                options = LiveOptions(seconds=seconds)
                done = run_live(source, NullSink(), unmasker, options, progress=samples)
        finally:
            source.close()
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
    }
    publish("soak", [row], out)
    return [row]

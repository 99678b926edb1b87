"""What a live run did: rates, delay from capture to display, and every frame that was left out."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from realtime.capture.frame import RateMeter
from realtime.live.pipeline import LivePipeline, Processed
from realtime.runtime.report import Counts, Report
from realtime.runtime.stage_times import StageTimes
from realtime.stages import FrameUnmasker

_REMEMBERED = 36_000  # ten minutes at 60 frames a second: a run may last for days
_SHOWN_DELAYS = 60


@dataclass(frozen=True)
class LiveReport(Report):
    """A finished live run; `fps` is the rate at which frames were shown.

    Attributes:
        source, sink: what was read, and where it was shown.
        camera_fps: the rate at which the source really gave frames at the end.
        seconds: from the first frame shown to the last.
        latency_ms: from capture to display: p50, p95 and p99 of the last ten minutes.
        dropped: where frames were left out: by the source itself, before the unmasker, before display.
        losses: how often the source was lost and came back.
    """

    source: str
    sink: str
    camera_fps: float
    seconds: float
    latency_ms: dict[str, float]
    dropped: dict[str, int]
    losses: int

    def lines(self) -> list[str]:
        """The run for a reader."""
        lines = [f"note: {warning}" for warning in self.warnings]
        rates = f"{self.fps:.1f} frames/s shown, {self.camera_fps:.1f} captured"
        lines.append(f"{self.source}: {self.frames} frames in {self.seconds:.1f} s, {rates}")
        if self.latency_ms:
            delays = ", ".join(f"{name} {value:.0f} ms" for name, value in self.latency_ms.items())
            lines.append(f"from capture to display: {delays}")
        left_out = ", ".join(f"{count} {where}" for where, count in self.dropped.items() if count)
        lines.append(f"left out: {left_out or 'nothing'}")
        lines.append(f"{self.faces} faces found, {self.masked_faces} unmasked")
        return lines


class LiveStatistics:
    """Collects while frames are shown.

    Attributes:
        counts: running totals.
    """

    def __init__(self) -> None:
        self.counts, self._times = Counts(), StageTimes(_REMEMBERED)
        self._delays_ms: deque[float] = deque(maxlen=_REMEMBERED)
        self._shown = RateMeter()
        self._first_s = self._last_s = 0.0

    def add(self, processed: Processed, show_ms: float, now_s: float) -> None:
        """Take a frame that was shown, which took `show_ms`, and is visible since `now_s`."""
        self.counts.add(processed.result)
        self._times.add({**processed.result.latency_ms, "show": show_ms})
        self._delays_ms.append((now_s - processed.shot.captured_s) * 1e3)
        self._shown.tick(now_s)
        self._first_s, self._last_s = self._first_s or now_s, now_s

    @property
    def fps(self) -> float:
        """Frames a second shown, of late."""
        return self._shown.fps

    @property
    def delay_ms(self) -> float:
        """The median delay from capture to display, of late."""
        recent = [
            self._delays_ms[-n] for n in range(1, min(len(self._delays_ms), _SHOWN_DELAYS) + 1)
        ]
        return float(np.median(recent)) if recent else 0.0

    @property
    def seconds(self) -> float:
        """From the first frame shown to the last."""
        return self._last_s - self._first_s

    def percentiles_ms(self) -> dict[str, float]:
        """The delays' p50, p95 and p99."""
        if not self._delays_ms:
            return {}
        values = np.percentile(np.array(self._delays_ms), (50, 95, 99))
        return {f"p{p}": round(float(v), 2) for p, v in zip((50, 95, 99), values, strict=True)}

    def report(
        self,
        pipeline: LivePipeline,
        unmasker: FrameUnmasker,
        source: str,
        sink: str,
        camera_fps: float,
        losses: int,
        warnings: list[str],
    ) -> LiveReport:
        """Sum up."""
        base = Report.of(
            self.counts, self._times, self.seconds, unmasker, warnings, pipeline.dropped
        )
        intervals = max(self.counts.frames - 1, 0)
        facts = {**vars(base), "fps": round(intervals / max(self.seconds, 1e-9), 2)}
        return LiveReport(
            **facts,
            source=source,
            sink=sink,
            camera_fps=round(camera_fps, 2),
            seconds=round(self.seconds, 2),
            latency_ms=self.percentiles_ms(),
            dropped={
                "by the source": pipeline.skipped,
                "before the unmasker": pipeline.not_looked_at,
                "before display": pipeline.not_shown,
            },
            losses=losses,
        )

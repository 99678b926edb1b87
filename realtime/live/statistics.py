"""Statistics of a live run: frame rates, latency from capture to display, and dropped frames."""

from __future__ import annotations

import itertools
from collections import deque
from dataclasses import dataclass

import numpy as np

from realtime.capture.frame import RateMeter
from realtime.live.pipeline import LivePipeline, ProcessedFrame
from realtime.runtime.face_records import RecordCall, face_records
from realtime.runtime.report import Counts, Report
from realtime.runtime.stage_times import StageTimes
from realtime.stages import FrameUnmasker

_MAX_FRAMES = (
    36_000  # kept for the percentiles: ten minutes at 60 frames/s; a run may last for days
)
_RECENT_FRAMES = 60  # of the latency that the window shows


@dataclass(frozen=True)
class LiveReport(Report):
    """A finished live run; `fps` is the rate at which frames were shown.

    Attributes:
        source, sink: names of what was read, and of where it was shown.
        camera_fps: the measured rate of the source at the end.
        seconds: from the first frame shown to the last.
        latency_ms: from capture to display: p50, p95 and p99 of the last ten minutes.
        dropped: frames not shown, by where they were dropped: by the source itself, before the unmasker,
            before display.
        losses: how often the source was lost and came back.
        recording_error: why a recording that was asked for is not whole; or "".
    """

    source: str
    sink: str
    camera_fps: float
    seconds: float
    latency_ms: dict[str, float]
    dropped: dict[str, int]
    losses: int
    recording_error: str

    def lines(self) -> list[str]:
        """Return the report as lines of text."""
        lines = [f"note: {warning}" for warning in self.warnings]
        rates = f"{self.fps:.1f} frames/s shown, {self.camera_fps:.1f} captured"
        lines.append(f"{self.source}: {self.frames} frames in {self.seconds:.1f} s, {rates}")
        if self.latency_ms:
            latencies = ", ".join(f"{name} {ms:.0f} ms" for name, ms in self.latency_ms.items())
            lines.append(f"from capture to display: {latencies}")
        dropped = ", ".join(f"{count} {where}" for where, count in self.dropped.items() if count)
        lines.append(f"frames dropped: {dropped or 'none'}")
        lines.append(f"{self.faces} faces found, {self.masked_faces} unmasked")
        return lines


class LiveStatistics:
    """Collects the statistics while frames are shown.

    Args:
        on_record: called with the record of each face in each frame; its time counts from the first one.

    Attributes:
        counts: running totals.
    """

    def __init__(self, on_record: RecordCall | None = None) -> None:
        self._on_record = on_record
        self._first_captured_s: float | None = None
        self.counts, self._times = Counts(), StageTimes(_MAX_FRAMES)
        self._latencies_ms: deque[float] = deque(maxlen=_MAX_FRAMES)
        self._shown = RateMeter()
        self._first_s = self._last_s = 0.0

    def add(self, processed: ProcessedFrame, show_ms: float, now_s: float) -> None:
        """Add a shown frame.

        Args:
            processed: the frame.
            show_ms: how long showing it took.
            now_s: `time.perf_counter()` when it was visible.
        """
        self.counts.add(processed.result)
        self._times.add({**processed.result.latency_ms, "show": show_ms})
        self._latencies_ms.append((now_s - processed.captured.captured_s) * 1e3)
        self._shown.tick(now_s)
        self._first_s, self._last_s = self._first_s or now_s, now_s
        if self._on_record is not None:
            self._record(processed)

    def _record(self, processed: ProcessedFrame) -> None:
        captured_s = processed.captured.captured_s
        if self._first_captured_s is None:
            self._first_captured_s = captured_s
        assert self._on_record is not None
        for record in face_records(
            processed.result, processed.captured.index, captured_s - self._first_captured_s
        ):
            self._on_record(record)

    @property
    def fps(self) -> float:
        """The rate at which recent frames were shown, frames/s."""
        return self._shown.fps

    @property
    def latency_ms(self) -> float:
        """The median latency of recent frames from capture to display; 0 before the first."""
        recent = list(itertools.islice(reversed(self._latencies_ms), _RECENT_FRAMES))
        return float(np.median(recent)) if recent else 0.0

    @property
    def seconds(self) -> float:
        """The time from the first frame shown to the last."""
        return self._last_s - self._first_s

    def percentiles_ms(self) -> dict[str, float]:
        """The latencies' p50, p95 and p99; empty before the first frame."""
        if not self._latencies_ms:
            return {}
        values = np.percentile(np.array(self._latencies_ms), (50, 95, 99))
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
        recording_error: str,
    ) -> LiveReport:
        """Return the report of the run.

        Args:
            pipeline: that ran; it counted the dropped frames.
            unmasker: that ran.
            source, sink: their names.
            camera_fps: the measured rate of the source.
            losses: how often the source was lost and came back.
            warnings: notes for the user, one line each.
            recording_error: as in `LiveReport`.
        """
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
                "by the source": pipeline.skipped_by_source,
                "before the unmasker": pipeline.dropped_before_detection,
                "before display": pipeline.dropped_before_display,
            },
            losses=losses,
            recording_error=recording_error,
        )

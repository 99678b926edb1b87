"""A live run from the first frame to the report: shows finished frames and obeys keys."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from inpaint_model.errors import UserError
from realtime.live.choices import Key
from realtime.live.pipeline import LivePipeline, LiveSource, ProcessedFrame
from realtime.live.recording import Recorder, save_picture
from realtime.live.sinks import Sink
from realtime.live.statistics import LiveReport, LiveStatistics
from realtime.live.toasts import Toasts
from realtime.live.view import Preview, Status, View
from realtime.runtime.face_records import RecordCall
from realtime.runtime.links import Ended
from realtime.runtime.threads import opencv_in_one_thread
from realtime.stages import FrameUnmasker

_POLL_INTERVAL_S = 0.02  # keys are polled at least this often
_REDRAW_INTERVAL_S = (
    0.1  # of a window for which there is no new frame: messages end, its size changes
)
_FIGURES_INTERVAL_S = 0.5  # the status bar's figures change this often, so that they can be read
_DEFAULT_FPS = 30.0  # of a recording whose source has no known rate yet
Progress = Callable[[LiveStatistics], None]
"""Called after each frame that is shown."""


@dataclass(frozen=True)
class LiveOptions:
    """The options of a live run.

    Attributes:
        seconds: stop this long after the first frame shown; None: never.
        out: folder for pictures and recordings.
        record: record from the first frame on.
        view: what is shown at first.
        next_camera: called for the key of the next camera; None: there is no other.
        on_record: called with the record of each face in each frame that is shown.
    """

    seconds: float | None = None
    out: Path = field(default_factory=Path)
    record: bool = False
    view: View = field(default_factory=View)
    next_camera: Callable[[], None] | None = None
    on_record: RecordCall | None = None


def run_live(
    source: LiveSource,
    sink: Sink,
    unmasker: FrameUnmasker,
    options: LiveOptions | None = None,
    toasts: Toasts | None = None,
    progress: Progress = lambda _statistics: None,
) -> LiveReport:
    """Show a source unmasked until it ends, the user quits, or the time is up.

    Ctrl-C quits as well. In every case, also on an error, the threads are joined and the recording is
    finished. Source, sink and unmasker stay open for the caller to close.

    Args:
        source: read in a thread of its own.
        sink: used in the caller's thread, which must be the one that opened it.
        unmasker: used from two threads, two stages each.
        options: of the run.
        toasts: takes the lines for the user.
        progress: called after each frame that is shown.

    Raises:
        UserError: the source does not come back.
        Exception: what a stage raised.
    """
    options, toasts = options or LiveOptions(), toasts or Toasts()
    return _Session(source, sink, unmasker, options, toasts, progress).run()


class _Session:
    """The state of a live run."""

    def __init__(
        self,
        source: LiveSource,
        sink: Sink,
        unmasker: FrameUnmasker,
        options: LiveOptions,
        toasts: Toasts,
        progress: Progress,
    ) -> None:
        self._progress = progress
        self._source, self._sink, self._options, self._toasts = source, sink, options, toasts
        self._unmasker = unmasker
        self._view = options.view
        self._statistics = LiveStatistics(options.on_record)
        self._recorder: Recorder | None = None
        self._recording_began_s = 0.0
        self._recording_error = ""
        self._last: ProcessedFrame | None = None
        self._drawn_s = 0.0
        self._figures: tuple[str, ...] = ()
        self._figures_s = 0.0
        self._warnings: list[str] = list(source.warnings)

    def run(self) -> LiveReport:
        pipeline = LivePipeline(self._source, self._unmasker)
        try:
            with opencv_in_one_thread(), pipeline:
                try:
                    self._show_all(pipeline)
                except KeyboardInterrupt:
                    self._toasts("stopped")
        finally:
            self._stop_recording()
        return self._statistics.report(
            pipeline,
            self._unmasker,
            self._source.name,
            self._sink.name,
            self._source.fps,
            self._source.losses,
            self._warnings,
            self._recording_error if self._options.record else "",
        )

    def _show_all(self, pipeline: LivePipeline) -> None:
        while True:
            try:
                processed = pipeline.next(_POLL_INTERVAL_S)
            except Ended:
                return
            if processed is not None:
                self._show(processed, pipeline)
            elif self._last is not None and self._needs_redraw():
                self._draw(self._last, pipeline)
            key = self._sink.poll()
            if key is Key.QUIT or self._time_is_up():
                return
            if key is not None:
                self._handle_key(key)
                if self._last is not None:
                    self._draw(self._last, pipeline)

    def _needs_redraw(self) -> bool:
        return self._sink.interactive and time.perf_counter() - self._drawn_s > _REDRAW_INTERVAL_S

    def _time_is_up(self) -> bool:
        limit = self._options.seconds
        return limit is not None and self._statistics.seconds >= limit

    def _show(self, processed: ProcessedFrame, pipeline: LivePipeline) -> None:
        began_s = time.perf_counter()
        if self._last is None and self._options.record:
            self._start_recording()
        preview = self._draw(processed, pipeline)
        self._statistics.add(processed, (self._drawn_s - began_s) * 1e3, self._drawn_s)
        self._last = processed
        if self._recorder is not None:
            self._record(preview)
        self._progress(self._statistics)

    def _draw(self, processed: ProcessedFrame, pipeline: LivePipeline) -> Preview:
        status = self._status(pipeline) if self._sink.interactive else Status()
        preview = Preview(processed, self._view, status)
        self._sink.show(preview)
        self._drawn_s = time.perf_counter()
        return preview

    def _status(self, pipeline: LivePipeline) -> Status:
        now_s = time.perf_counter()
        if now_s - self._figures_s > _FIGURES_INTERVAL_S:
            self._figures, self._figures_s = self._new_figures(pipeline), now_s
        recording = ""
        if self._recorder is not None:
            minutes, seconds = divmod(int(now_s - self._recording_began_s), 60)
            recording = f"REC {minutes}:{seconds:02}"
        lost, messages = self._source.lost, self._toasts.current()
        if lost:
            others = (line for line in messages if not line.startswith(lost))
            messages = (*others, f"{lost}; waiting for it to come back")
        return Status(self._figures, recording, messages)

    def _new_figures(self, pipeline: LivePipeline) -> tuple[str, ...]:
        network = self._unmasker.inpainter
        return (
            f"{self._statistics.fps:.0f} of {self._source.fps:.0f} fps",
            f"{self._statistics.latency_ms:.0f} ms",
            f"{pipeline.dropped} dropped",
            f"{network.model} · {network.engine}",
        )

    def _handle_key(self, key: Key) -> None:
        self._view, told = self._view.after(key)
        if told:
            self._toasts.answer(told)
        if key is Key.NEXT_CAMERA and self._options.next_camera is None:
            self._toasts.answer("there is no other camera")
        elif key is Key.NEXT_CAMERA and self._options.next_camera is not None:
            self._toasts.answer("changing the camera …")
            self._options.next_camera()
        elif self._last is None:
            return
        elif key is Key.SNAPSHOT:
            self._save(self._last)
        elif key is Key.RECORD and self._recorder is not None:
            self._stop_recording()
        elif key is Key.RECORD:
            self._start_recording()

    def _save(self, processed: ProcessedFrame) -> None:
        try:
            preview = Preview(processed, self._view)
            path = save_picture(
                self._options.out, preview.as_shown(), synthetic=preview.is_synthetic
            )
            self._toasts(f"picture saved: {path}")
        except UserError as error:
            self._warn(str(error))

    def _start_recording(self) -> None:
        fps = self._source.nominal_fps or self._source.fps or _DEFAULT_FPS
        try:
            self._recorder = Recorder(self._options.out, fps)
        except UserError as error:
            return self._recording_failed(error)
        self._recording_began_s = time.perf_counter()

    def _record(self, preview: Preview) -> None:
        """Record the plain picture, in a new file where its size differs."""
        if self._recorder is not None and not self._recorder.takes(preview.picture_bgr):
            self._stop_recording()
            self._start_recording()
        if self._recorder is None:
            return
        try:
            captured_s = preview.processed.captured.captured_s
            self._recorder.put(preview.picture_bgr, captured_s, synthetic=preview.is_synthetic)
        except (UserError, OSError) as error:
            self._recording_failed(error)
            self._stop_recording()

    def _stop_recording(self) -> None:
        recorder, self._recorder = self._recorder, None
        if recorder is None:
            return
        try:
            recorder.close()
        except (UserError, OSError) as error:
            return self._recording_failed(error)
        dropped = f", {recorder.dropped} frames dropped" if recorder.dropped else ""
        self._toasts(f"recording saved: {recorder.target}{dropped}")

    def _recording_failed(self, error: Exception) -> None:
        self._recording_error = str(error)
        self._warn(str(error))

    def _warn(self, line: str) -> None:
        if line in self._warnings:
            return self._toasts.answer(line)
        self._warnings.append(line)
        self._toasts(f"note: {line}")

"""A live run from the first frame to the report: shows finished frames and obeys keys."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from inpaint_model.errors import UserError
from realtime.capture.reconnecting import Reconnecting
from realtime.live.choices import KEY_HELP, Key
from realtime.live.pipeline import LivePipeline, ProcessedFrame
from realtime.live.recording import Recorder, save_picture, timestamped_path
from realtime.live.sinks import Sink
from realtime.live.statistics import LiveReport, LiveStatistics
from realtime.live.view import View, compose, with_text
from realtime.runtime.face_records import RecordCall
from realtime.runtime.pipeline import Ended
from realtime.runtime.threads import opencv_in_one_thread
from realtime.stages import FrameUnmasker

_POLL_INTERVAL_S = 0.02  # keys are polled at least this often
_DEFAULT_FPS = 30.0  # of a recording whose source has no known rate yet
Notify = Callable[[str], None]
"""Called with one line for the user."""
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
        on_record: called with the record of each face in each frame that is shown.
    """

    seconds: float | None = None
    out: Path = field(default_factory=Path)
    record: bool = False
    view: View = field(default_factory=View)
    on_record: RecordCall | None = None


def run_live(
    source: Reconnecting,
    sink: Sink,
    unmasker: FrameUnmasker,
    options: LiveOptions | None = None,
    notify: Notify = lambda _line: None,
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
        notify: called with one line for the user.
        progress: called after each frame that is shown.

    Raises:
        UserError: the source does not come back, or something cannot be written.
        Exception: what a stage raised.
    """
    return _Session(source, sink, unmasker, options or LiveOptions(), notify, progress).run()


class _Session:
    """The state of a live run."""

    def __init__(
        self,
        source: Reconnecting,
        sink: Sink,
        unmasker: FrameUnmasker,
        options: LiveOptions,
        notify: Notify,
        progress: Progress,
    ) -> None:
        self._progress = progress
        self._source, self._sink, self._options, self._notify = source, sink, options, notify
        self._unmasker = unmasker
        self._view = View(**vars(options.view))
        self._statistics = LiveStatistics(options.on_record)
        self._recorder: Recorder | None = None
        self._recording_error: Exception | None = None
        self._last: ProcessedFrame | None = None
        self._warnings: list[str] = list(source.warnings)
        self._lost_shown = ""

    def run(self) -> LiveReport:
        pipeline = LivePipeline(self._source, self._unmasker)
        try:
            with opencv_in_one_thread(), pipeline:
                try:
                    self._show_all(pipeline)
                except KeyboardInterrupt:
                    self._notify("stopped")
        finally:
            self._stop_recording()
        if self._options.record and self._recording_error is not None:
            raise self._recording_error
        return self._statistics.report(
            pipeline,
            self._unmasker,
            self._source.name,
            self._sink.name,
            self._source.fps,
            self._source.losses,
            self._warnings,
        )

    def _show_all(self, pipeline: LivePipeline) -> None:
        while True:
            try:
                processed = pipeline.next(_POLL_INTERVAL_S)
            except Ended:
                return
            if processed is not None:
                self._show(processed, pipeline)
            elif self._last is not None and self._source.lost != self._lost_shown:
                self._draw(self._last, pipeline)
            key = self._sink.poll()
            if key is Key.QUIT or self._time_is_up():
                return
            if key is not None:
                self._handle_key(key, pipeline)

    def _time_is_up(self) -> bool:
        limit = self._options.seconds
        return limit is not None and self._statistics.seconds >= limit

    def _show(self, processed: ProcessedFrame, pipeline: LivePipeline) -> None:
        began_s = time.perf_counter()
        if self._last is None and self._options.record:
            self._start_recording()
        self._draw(processed, pipeline)
        shown_s = time.perf_counter()
        self._statistics.add(processed, (shown_s - began_s) * 1e3, shown_s)
        self._last = processed
        if self._recorder is not None:
            self._record(processed)
        self._progress(self._statistics)

    def _draw(self, processed: ProcessedFrame, pipeline: LivePipeline) -> None:
        image_bgr = compose(processed, self._view)
        self._lost_shown = self._source.lost
        if self._sink.has_text and (self._view.text or self._lost_shown):
            image_bgr = with_text(image_bgr, self._overlay_lines(pipeline))
        self._sink.show(image_bgr)

    def _overlay_lines(self, pipeline: LivePipeline) -> list[str]:
        if self._lost_shown:
            return [self._lost_shown, "waiting for it to come back; q quits"]
        network = self._unmasker.inpainter
        rates = f"{self._statistics.fps:.0f} fps of {self._source.fps:.0f}"
        status = f"{rates}  {self._statistics.latency_ms:.0f} ms  {pipeline.dropped} dropped"
        status += f"  {network.model} {network.engine}"
        if not self._view.unmasked:
            status += "  UNMASKING IS OFF"
        if self._recorder is not None:
            status += "  REC"
        return [status, KEY_HELP]

    def _handle_key(self, key: Key, pipeline: LivePipeline) -> None:
        if key is Key.TOGGLE:
            self._view.unmasked = not self._view.unmasked
        elif key is Key.SIDE_BY_SIDE:
            self._view.side_by_side = not self._view.side_by_side
        elif key is Key.BOXES:
            self._view.boxes = not self._view.boxes
        elif key is Key.TEXT:
            self._view.text = not self._view.text
        elif self._last is None:
            return
        elif key is Key.SNAPSHOT:
            self._save(self._last)
        elif key is Key.RECORD and self._recorder is not None:
            self._stop_recording()
        elif key is Key.RECORD:
            self._start_recording()
        if self._last is not None:
            self._draw(self._last, pipeline)

    def _save(self, processed: ProcessedFrame) -> None:
        try:
            path = save_picture(self._options.out, compose(processed, self._view))
            self._notify(f"picture: {path}")
        except UserError as error:
            self._warn(str(error))

    def _start_recording(self) -> None:
        fps = self._source.nominal_fps or self._source.fps or _DEFAULT_FPS
        self._recorder = Recorder(timestamped_path(self._options.out, ".mp4"), fps)

    def _record(self, processed: ProcessedFrame) -> None:
        """Record the frame as it is shown, but without boxes, text and the other side."""
        assert self._recorder is not None
        shown = processed.result.frame if self._view.unmasked else processed.captured.image_bgr
        try:
            self._recorder.put(shown, processed.captured.captured_s)
        except (UserError, OSError) as error:
            self._recording_error = error
            self._warn(f"{error}; the recording ends here")
            self._stop_recording()

    def _stop_recording(self) -> None:
        recorder, self._recorder = self._recorder, None
        if recorder is None:
            return
        try:
            recorder.close()
        except (UserError, OSError) as error:
            self._recording_error = error
            return self._warn(str(error))
        dropped = f", {recorder.dropped} frames dropped" if recorder.dropped else ""
        self._notify(f"recording: {recorder.target}{dropped}")

    def _warn(self, line: str) -> None:
        if line not in self._warnings:
            self._warnings.append(line)
            self._notify(f"note: {line}")

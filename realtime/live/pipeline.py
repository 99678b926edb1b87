"""Runs the stages on a camera's frames: the newest frame wins, and dropped frames are counted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol, Self

from realtime.capture.frame import CapturedFrame
from realtime.frames import InpaintedFrame, SegmentedFrame, TrackedFrame, UnmaskResult
from realtime.runtime.links import LatestWins
from realtime.runtime.pipeline import Pipeline, each, join_by_thread
from realtime.settings import THREADS
from realtime.stages import FrameUnmasker


class LiveSource(Protocol):
    """A live source that is opened again when it is lost, such as `Reconnecting`."""

    @property
    def name(self) -> str:
        """As shown to the user."""
        ...

    @property
    def nominal_fps(self) -> float:
        """The frame rate that it announces; 0: unknown."""
        ...

    @property
    def fps(self) -> float:
        """The measured rate of recent frames."""
        ...

    @property
    def warnings(self) -> list[str]:
        """Notes for the user, one line each."""
        ...

    @property
    def lost(self) -> str:
        """Why it is lost now; empty while frames arrive."""
        ...

    @property
    def losses(self) -> int:
        """How often it was lost."""
        ...

    def read(self) -> CapturedFrame | None:
        """Wait for the next frame; None at the end or soon after `stop`."""
        ...

    def stop(self) -> None:
        """Make `read` return soon; may be called from any thread."""
        ...


@dataclass(frozen=True, eq=False)
class ProcessedFrame:
    """A frame that is ready to be shown.

    Attributes:
        captured: the frame as the source gave it.
        result: the unmasked frame.
    """

    captured: CapturedFrame
    result: UnmaskResult


class _CapturedFrames:
    """Iterates over the frames of a source, and counts those that the source itself skipped."""

    def __init__(self, source: LiveSource) -> None:
        self._source = source
        self.skipped = 0

    def __iter__(self) -> Iterator[CapturedFrame]:
        next_index = 0
        while (captured := self._source.read()) is not None:
            self.skipped += captured.index - next_index
            next_index = captured.index + 1
            yield captured


class LivePipeline:
    """Runs the stages while its context is entered; the caller takes finished frames with `next`.

    Capture has a thread, the stages have those of `realtime.settings.THREADS.live`, and the caller shows
    the frames in its own.

    Args:
        source: read in a thread of its own; not closed.
        unmasker: each of its stages is called from one thread; not closed.
    """

    def __init__(self, source: LiveSource, unmasker: FrameUnmasker) -> None:
        self._unmasker, self._captured = unmasker, _CapturedFrames(source)
        steps = {
            "detect_and_track": each(self._detect_and_track),
            "segment": each(self._segment),
            "inpaint": each(self._inpaint),
            "composite": each(self._composite),
        }
        stages = join_by_thread(steps, THREADS.live)
        self._pipeline = Pipeline(self._captured, stages, LatestWins(), source.stop)

    def _detect_and_track(self, captured: CapturedFrame) -> tuple[CapturedFrame, TrackedFrame]:
        tracked = self._unmasker.detect_and_track(captured.image_bgr, captured.captured_s)
        return captured, tracked

    def _segment(
        self, item: tuple[CapturedFrame, TrackedFrame]
    ) -> tuple[CapturedFrame, SegmentedFrame]:
        captured, tracked = item
        return captured, self._unmasker.segment(tracked)

    def _inpaint(
        self, item: tuple[CapturedFrame, SegmentedFrame]
    ) -> tuple[CapturedFrame, InpaintedFrame]:
        captured, segmented = item
        return captured, self._unmasker.inpaint(segmented)

    def _composite(self, item: tuple[CapturedFrame, InpaintedFrame]) -> ProcessedFrame:
        captured, inpainted = item
        return ProcessedFrame(captured, self._unmasker.composite(inpainted))

    @property
    def skipped_by_source(self) -> int:
        """Frames that the source itself skipped."""
        return self._captured.skipped

    @property
    def dropped_before_detection(self) -> int:
        """Captured frames that were replaced by newer ones before faces were detected in them."""
        return self._pipeline.dropped_after(0)

    @property
    def dropped_before_display(self) -> int:
        """Finished frames that were replaced by newer ones before they were shown."""
        return self._pipeline.dropped_after(len(THREADS.live))

    @property
    def dropped(self) -> int:
        """All frames that are not shown: skipped by the source or replaced by newer ones."""
        return self.skipped_by_source + self.dropped_before_detection + self.dropped_before_display

    def next(self, timeout_s: float) -> ProcessedFrame | None:
        """Wait for the newest finished frame; None if none came in time.

        Raises:
            Ended: the source has ended and every frame was taken.
            BaseException: what the source or a stage raised.
        """
        return self._pipeline.take(timeout_s)

    def __iter__(self) -> Iterator[ProcessedFrame]:
        return iter(self._pipeline)

    def __enter__(self) -> Self:
        self._pipeline.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._pipeline.__exit__()

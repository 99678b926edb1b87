"""The way of a camera's frames: the newest frame wins, and what is left out is counted."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol, Self

from realtime.capture.frame import CapturedFrame
from realtime.frames import SegmentedFrame, UnmaskResult
from realtime.runtime.pipeline import LatestWins, Pipeline
from realtime.stages import FrameUnmasker


class LiveSource(Protocol):
    """What the pipeline needs of a capture: `Reconnecting`, or a test's own."""

    def read(self) -> CapturedFrame | None:
        """Wait for the next picture; None at the end or soon after `stop`."""
        ...

    def stop(self) -> None:
        """Make `read` return soon; from any thread."""
        ...


@dataclass(frozen=True, eq=False)
class Processed:
    """A frame that is ready to be shown.

    Attributes:
        shot: as it was captured.
        result: unmasked.
    """

    shot: CapturedFrame
    result: UnmaskResult

    def age_ms(self) -> float:
        """How long ago it was captured."""
        return (time.perf_counter() - self.shot.captured_s) * 1e3


class _CapturedFrames:
    """The frames of a source as a stream; counts those that the source itself left out."""

    def __init__(self, source: LiveSource) -> None:
        self._source = source
        self.skipped = 0

    def __iter__(self) -> Iterator[CapturedFrame]:
        following = 0
        while (shot := self._source.read()) is not None:
            self.skipped += shot.index - following
            following = shot.index + 1
            yield shot


class LivePipeline:
    """Runs the stages while the context is entered; the caller, who shows, takes frames with `next`.

    Three threads: capture; detection, tracking and segmentation; inpainting and compositing. More threads
    are no faster on two cores, and a frame waits more often (`python -m benchmarks live`).

    Args:
        source: read in a thread of its own; not closed.
        unmasker: used from two threads, two steps each; not closed.
    """

    def __init__(self, source: LiveSource, unmasker: FrameUnmasker) -> None:
        self._unmasker, self._captured = unmasker, _CapturedFrames(source)
        stages = [self._find_masks, self._fill_masks]
        self._pipeline = Pipeline(self._captured, stages, LatestWins(), source.stop)

    def _find_masks(
        self, shots: Iterator[CapturedFrame]
    ) -> Iterator[tuple[CapturedFrame, SegmentedFrame]]:
        for shot in shots:
            tracked = self._unmasker.detect_and_track(shot.image_bgr, shot.captured_s)
            yield shot, self._unmasker.segment(tracked)

    def _fill_masks(
        self, items: Iterator[tuple[CapturedFrame, SegmentedFrame]]
    ) -> Iterator[Processed]:
        for shot, segmented in items:
            yield Processed(shot, self._unmasker.composite(self._unmasker.inpaint(segmented)))

    @property
    def skipped(self) -> int:
        """Captured frames left out by the source."""
        return self._captured.skipped

    @property
    def not_looked_at(self) -> int:
        """Frames replaced by newer ones before faces were detected in them."""
        return self._pipeline.dropped_after(0)

    @property
    def not_shown(self) -> int:
        """Finished frames replaced by newer ones before they were shown."""
        return self._pipeline.dropped_after(2)

    @property
    def dropped(self) -> int:
        """All frames that were captured, or should have been, and are not shown."""
        return self.skipped + self.not_looked_at + self.not_shown

    def next(self, timeout_s: float) -> Processed | None:
        """Wait for the newest finished frame; None where none came in time.

        Raises:
            Ended: the source has ended and every frame was taken.
            BaseException: what a stage raised.
        """
        return self._pipeline.take(timeout_s)

    def __enter__(self) -> Self:
        self._pipeline.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._pipeline.__exit__()

"""The stages of a recording: the four steps, smoothed with frames from both sides."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from realtime.frames import InpaintedFrame, SegmentedFrame, TrackedFrame, UnmaskResult
from realtime.runtime.pipeline import Stage, each, join_by_thread
from realtime.settings import THREADS
from realtime.stages import FrameUnmasker
from realtime.video.mask_gap_closing import close_mask_gaps
from realtime.video.track_smoothing import smooth_tracks


class TimedImage(Protocol):
    """A decoded frame of any source.

    Attributes:
        image_bgr: uint8 [H, W, 3], BGR, upright.
        time_s: when it is shown, seconds.
    """

    @property
    def image_bgr(self) -> NDArray[np.uint8]: ...  # noqa: D102
    @property
    def time_s(self) -> float: ...  # noqa: D102


F = TypeVar("F", bound=TimedImage)


def look_ahead_stages(unmasker: FrameUnmasker) -> list[Stage]:
    """Return the stages that take decoded frames in order and give each with its `UnmaskResult`.

    The threads are those of `realtime.settings.THREADS.video`.
    """

    def detect_and_track(frame: F) -> tuple[F, TrackedFrame]:
        return frame, unmasker.detect_and_track(frame.image_bgr, frame.time_s, smooth=False)

    def segment(items: Iterator[tuple[F, TrackedFrame]]) -> Iterator[tuple[F, SegmentedFrame]]:
        """Segment smoothed tracks; frames on both sides decide whether a mask is worn."""
        segmented = ((frame, unmasker.segment(tracked)) for frame, tracked in smooth_tracks(items))
        return close_mask_gaps(segmented)

    def inpaint(item: tuple[F, SegmentedFrame]) -> tuple[F, InpaintedFrame]:
        frame, segmented = item
        return frame, unmasker.inpaint(segmented)

    def composite(item: tuple[F, InpaintedFrame]) -> tuple[F, UnmaskResult]:
        frame, inpainted = item
        return frame, unmasker.composite(inpainted)

    steps: dict[str, Stage] = {
        "detect_and_track": each(detect_and_track),
        "segment": segment,
        "inpaint": each(inpaint),
        "composite": each(composite),
    }
    return join_by_thread(steps, THREADS.video)

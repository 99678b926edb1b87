"""The stages of a recording: the four steps, smoothed with frames from both sides."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from realtime.frames import InpaintedFrame, SegmentedFrame, TrackedFrame, UnmaskResult
from realtime.runtime.links import Ordered
from realtime.runtime.pipeline import Stage, each, join_by_thread
from realtime.settings import THREADS
from realtime.stages import FrameUnmasker
from realtime.video import mask_gap_closing, track_smoothing
from realtime.video.mask_gap_closing import close_mask_gaps
from realtime.video.track_smoothing import smooth_tracks

_HELD_BYTES = 400_000_000  # of all frames that are held
_AT_WORK = 5  # frames in threads and in queues of one frame each
_FEWEST_WAITING = 5  # frames; with fewer all runs in turn
_WINDOWS = track_smoothing.WINDOW + mask_gap_closing.WINDOW


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


@dataclass(frozen=True)
class HeldFrames:
    """How many frames of a recording are held at once.

    Attributes:
        policy: of the queues between the threads; None: all runs in one thread.
        track_window, mask_window: frames that are looked at on each side, by tracks and by masks.
    """

    policy: Ordered | None = Ordered(depth=2)  # noqa: RUF009 (frozen)
    track_window: int = track_smoothing.WINDOW
    mask_window: int = mask_gap_closing.WINDOW

    @classmethod
    def of_size(cls, frame_bytes: int) -> Self:
        """Return how many frames are held, so that large ones take bounded memory.

        Args:
            frame_bytes: of one frame as it is held: its own planes and the BGR image.
        """
        waiting = _HELD_BYTES // frame_bytes - _AT_WORK
        if waiting >= _WINDOWS:
            return cls()
        if waiting < _FEWEST_WAITING:
            window = 1 if waiting > 0 else 0
            return cls(None, window, window)
        track_window = waiting * track_smoothing.WINDOW // _WINDOWS
        return cls(Ordered(depth=1), track_window, waiting - track_window)


def look_ahead_stages(unmasker: FrameUnmasker, held: HeldFrames | None = None) -> list[Stage]:
    """Return the stages that take decoded frames in order and give each with its `UnmaskResult`.

    The threads are those of `realtime.settings.THREADS.video`.

    Args:
        unmasker: its four steps are called.
        held: how far they look ahead; by default as far as with frames of usual size.
    """
    held = held or HeldFrames()

    def detect_and_track(frame: F) -> tuple[F, TrackedFrame]:
        return frame, unmasker.detect_and_track(frame.image_bgr, frame.time_s, smooth=False)

    def segment(items: Iterator[tuple[F, TrackedFrame]]) -> Iterator[tuple[F, SegmentedFrame]]:
        """Segment smoothed tracks; frames on both sides decide whether a mask is worn."""
        segmented = (
            (frame, unmasker.segment(tracked))
            for frame, tracked in smooth_tracks(items, held.track_window)
        )
        return close_mask_gaps(segmented, held.mask_window)

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

"""What became of a face of known place: found, filled, and drawn where it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.finding.crops import CropRecorder
from benchmarks.finding.matching import Eyes, eye_offset, faces_of, nearest
from benchmarks.finding.placing import Frame, still
from realtime import UnmaskResult

STREAM_FRAMES = 15  # half a second at 30 frames/s


@dataclass(frozen=True)
class Outcome:
    """What became of a face.

    Attributes:
        found: a face is reported whose eyes are near the true ones.
        filled: its mask was filled.
        right: its eyes are level, in place and of the right size.
        touched: any pixel of the frame was changed.
    """

    found: bool
    filled: bool
    right: bool
    touched: bool


def outcome(result: UnmaskResult, eyes: Eyes, width_px: float) -> Outcome:
    """Look for a face of known eyes and width in a result."""
    face = nearest(faces_of(result), eyes, width_px)
    right = face is not None and eye_offset(face.eyes, eyes, width_px).is_right
    filled = face is not None and face.filled
    return Outcome(face is not None, filled, right, bool(result.replaced.any()))


def last_of_stream(
    unmasker: CropRecorder, frame: Frame, count: int = STREAM_FRAMES
) -> UnmaskResult:
    """Show a frame as a stream of equal frames, 30 a second; return the last result."""
    unmasker.reset()
    *_, last = (unmasker(same, time_s) for same, time_s in still(frame, count))
    return last


def share(outcomes: Sequence[Outcome], name: str) -> float:
    """The share of outcomes that have a flag; NaN where there is none."""
    if not outcomes:
        return float("nan")
    return sum(getattr(one, name) for one in outcomes) / len(outcomes)

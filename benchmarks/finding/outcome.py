"""What becomes of a face of known place, masked and bare: found, filled, and drawn where it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.finding.crops import CropRecorder
from benchmarks.finding.faces import TestFace
from benchmarks.finding.matching import Eyes, eye_offset, faces_of, nearest
from benchmarks.finding.options import FindOptions
from benchmarks.finding.placing import Frame, paste, still
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


@dataclass(frozen=True)
class FaceOutcomes:
    """What became of a face at one place: as a picture, and after half a second of equal frames."""

    masked_picture: Outcome
    masked_stream: Outcome
    bare_picture: Outcome
    bare_stream: Outcome


class Look:
    """Shows faces to an unmasker for pictures and to one for streams.

    Args:
        pictures: in mode "image".
        stream: in mode "video".
    """

    def __init__(self, pictures: CropRecorder, stream: CropRecorder) -> None:
        self._pictures, self._stream = pictures, stream

    def __call__(
        self,
        scene: Frame,
        face: TestFace,
        matrix: NDArray[np.float64],
        change: Callable[[Frame], Frame] | None = None,
    ) -> FaceOutcomes:
        """Look for a face in a scene, masked and then bare.

        Args:
            scene: uint8 [H, W, 3], BGR, without people; not changed.
            face: the face.
            matrix: from its photograph to the scene, as `placement` gives it.
            change: made to the frame with the face in it, such as other light.
        """
        width_px = face.width * float(np.hypot(matrix[0, 0], matrix[1, 0]))
        outcomes = []
        for masked in (True, False):
            frame = scene.copy()
            eyes = paste(frame, face, matrix, masked=masked)
            frame = frame if change is None else change(frame)
            for result in (self._pictures(frame), last_of_stream(self._stream, frame)):
                outcomes.append(outcome(result, eyes, width_px))
        return FaceOutcomes(*outcomes)


@contextmanager
def open_look(options: FindOptions) -> Iterator[Look]:
    """Open both unmaskers."""
    with options.unmasker("image") as pictures, options.unmasker("video") as stream:
        yield Look(pictures, stream)


def outcome(result: UnmaskResult, eyes: Eyes, width_px: float) -> Outcome:
    """Look for a face of known eyes and width in a result."""
    face = nearest(faces_of(result), eyes, width_px)
    right = face is not None and eye_offset(face.eyes, eyes, width_px).is_right
    filled = face is not None and face.filled
    return Outcome(face is not None, filled, right, result.any_replaced)


def last_of_stream(unmasker: CropRecorder, frame: Frame) -> UnmaskResult:
    """Show a frame as a stream of `STREAM_FRAMES` equal frames, 30 a second; return the last result."""
    unmasker.reset()
    *_, last = (unmasker(same, time_s) for same, time_s in still(frame, STREAM_FRAMES))
    return last


def columns(every: Sequence[FaceOutcomes]) -> dict[str, str | float | int]:
    """The columns of a row: shares found, filled and right, and how many bare faces were touched."""
    row: dict[str, str | float | int] = {"faces": len(every)}
    for way in ("picture", "stream"):
        masked: list[Outcome] = [getattr(one, f"masked_{way}") for one in every]
        bare: list[Outcome] = [getattr(one, f"bare_{way}") for one in every]
        row |= {
            f"{way}: found": _share([one.found for one in masked]),
            f"{way}: filled": _share([one.filled for one in masked]),
            f"{way}: right": _share([one.right for one in masked]),
            f"{way}: bare found": _share([one.found for one in bare]),
            f"{way}: bare touched": sum(one.touched for one in bare),
        }
    return row


def _share(flags: list[bool]) -> float:
    return sum(flags) / len(flags) if flags else float("nan")

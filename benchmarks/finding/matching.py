"""Compares the eyes of a reported face with where they are: roll, shift and size."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from realtime.frames import UnmaskResult

# A transform is right within these: roll in degrees, shift as a share of the face's width, size ratio.
MOST_ROLL_DEG, MOST_SHIFT, SIZES = 8.0, 0.1, (0.8, 1.25)
SAME_SHIFT = 0.6  # two faces whose eyes lie nearer, as a share of the width, are compared
FOUND_SHIFT = 0.3  # a face counts as found where its eyes lie nearer to the true ones
Eyes = NDArray[np.float64]
"""The person's right and left eye, float64 [2, 2], pixels."""


@dataclass(frozen=True, eq=False)
class Seen:
    """A reported face without its crops.

    Attributes:
        track_id: its number.
        box: x0, y0, x1, y1, pixels.
        eyes: the person's right and left eye, float64 [2, 2], pixels.
        filled: whether its mask was filled.
    """

    track_id: int
    box: tuple[float, float, float, float]
    eyes: Eyes
    filled: bool

    @property
    def middle(self) -> NDArray[np.float64]:
        """The middle between the eyes, float64 [2]."""
        return self.eyes.mean(0)

    @property
    def width(self) -> float:
        """The width of the box, pixels."""
        return self.box[2] - self.box[0]


def faces_of(result: UnmaskResult) -> list[Seen]:
    """The faces that a result reports."""
    return [
        Seen(face.track_id, face.box, np.array(face.keypoints[:2], np.float64), face.inpainted)
        for face in result.faces
    ]


@dataclass(frozen=True)
class EyeOffset:
    """How far one pair of eyes is off another.

    Attributes:
        roll_deg: difference in roll, -180..180.
        shift: distance of the middles between the eyes, as a share of the face's width.
        size: ratio of the distances between the eyes.
    """

    roll_deg: float
    shift: float
    size: float

    @property
    def is_right(self) -> bool:
        """Whether a crop with these eyes shows the face level, in place and of the right size."""
        level = abs(self.roll_deg) <= MOST_ROLL_DEG
        return level and self.shift <= MOST_SHIFT and SIZES[0] <= self.size <= SIZES[1]


def eye_offset(eyes: Eyes, true: Eyes, width_px: float) -> EyeOffset:
    """Compare eyes with the true ones of a face that is `width_px` wide."""
    line, true_line = (pair[1] - pair[0] for pair in (eyes, true))
    turn = np.arctan2(line[1], line[0]) - np.arctan2(true_line[1], true_line[0])
    shift_px = float(np.hypot(*(eyes.mean(0) - true.mean(0))))
    return EyeOffset(
        float((np.rad2deg(turn) + 180) % 360 - 180),
        shift_px / max(width_px, 1.0),
        float(np.hypot(*line) / max(np.hypot(*true_line), 1e-6)),
    )


def nearest(
    faces: Iterable[Seen], true: Eyes, width_px: float, most_shift: float = FOUND_SHIFT
) -> Seen | None:
    """The reported face whose eyes lie nearest to the true ones; None where none is near.

    Args:
        faces: the reported faces.
        true: the true eyes.
        width_px: of the true face.
        most_shift: as a share of the width. The width of the box may differ by a factor of two.
    """
    near = []
    for face in faces:
        shift = eye_offset(face.eyes, true, width_px).shift
        if shift <= most_shift and of_one_size(face.width, width_px):
            near.append((shift, face))
    return min(near, key=lambda pair: pair[0])[1] if near else None


def of_one_size(width: float, other: float) -> bool:
    """Whether two widths differ by at most a factor of two."""
    return width <= 2 * other and other <= 2 * width


def inside(point: NDArray[np.float64], box: tuple[float, float, float, float]) -> bool:
    """Whether a point, float64 [2], lies in a box of x0, y0, x1, y1."""
    return bool(box[0] <= point[0] <= box[2] and box[1] <= point[1] <= box[3])

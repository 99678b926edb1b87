"""The orientation in which a stored image is displayed: mirrored or not, in quarter turns."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
from av.sidedata.sidedata import SideData
from numpy.typing import NDArray

if TYPE_CHECKING:
    import av


@dataclass(frozen=True)
class Orientation:
    """How a player turns a stored image for display.

    Attributes:
        quarter_turns: counter-clockwise, 0..3.
        mirrored: before it is turned, left and right are swapped.
    """

    quarter_turns: int = 0
    mirrored: bool = False

    @classmethod
    def of_frame(cls, frame: av.VideoFrame) -> Self:
        """Return the orientation by a frame's display matrix; other angles are rounded."""
        matrix = display_matrix(frame)
        if matrix is None:
            return cls()
        # A stored pixel at x, y (y goes down) is displayed at a x + c y, b x + d y.
        a, b, _, c, d = matrix[:5]
        mirrored = a * d < b * c
        angle = math.atan2(b, -a) if mirrored else math.atan2(-b, a)
        return cls(round(angle / (math.pi / 2)) % 4, mirrored)

    @property
    def swaps_sides(self) -> bool:
        """Whether the stored width is displayed as height."""
        return self.quarter_turns % 2 == 1

    def displayed(self, stored: NDArray) -> NDArray:
        """Return a view of an image, [H, W, ...], as it is displayed."""
        return np.rot90(stored[:, ::-1] if self.mirrored else stored, self.quarter_turns)

    def stored(self, displayed: NDArray) -> NDArray:
        """Return a view of an image that is displayed like this, [H, W, ...], as it is stored."""
        turned = np.rot90(displayed, -self.quarter_turns)
        return turned[:, ::-1] if self.mirrored else turned


def display_matrix(frame: av.VideoFrame) -> tuple[int, ...] | None:
    """Return the nine numbers that rotate or mirror the video for display, if it has any.

    They are in the order of FFmpeg's `libavutil/display.h`: a, b, u, c, d, v, x, y, w.
    """
    data = side_data(frame, "DISPLAYMATRIX")
    if data is None:
        return None
    return tuple(int(n) for n in np.frombuffer(memoryview(data), "<i4"))


def side_data(frame: av.VideoFrame, name: str) -> SideData | None:
    """Return a frame's side data of a kind, by FFmpeg's name; None if it has none.

    PyAV can read none of a frame that also has a kind that it does not know, such as the EXIF tags of
    Motion JPEG.
    """
    try:
        return frame.side_data.get(name)
    except ValueError:
        return None

"""What is read from a video file: frames with their times, and which of them are wanted."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import av
import numpy as np
from numpy.typing import NDArray

from realtime.media.colour import to_bgr
from realtime.media.gop_copy import SourcePacket


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture of a stream.

    Attributes:
        native: as decoded.
        pts: presentation time in units of `time_base`, strictly rising.
        time_base: seconds a unit.
        index: counts from 0.
        duration: in units of `time_base`; 0 where the file does not say.
        packet: the frame as it is coded in the source, where `VideoReader` keeps it.
    """

    native: av.VideoFrame
    pts: int
    time_base: Fraction
    index: int
    duration: int = 0
    packet: SourcePacket | None = None

    @cached_property
    def image_bgr(self) -> NDArray[np.uint8]:
        """The picture upright, uint8 [H, W, 3], BGR."""
        return to_bgr(self.native)

    @property
    def time_s(self) -> float:
        """When it is shown, seconds."""
        return float(self.pts * self.time_base)


@dataclass(frozen=True)
class Span:
    """A part of a video, seconds from its beginning.

    Attributes:
        start_s: the first frame shown at this time or later is the first.
        end_s: no frame shown at this time or later; None takes all.
    """

    start_s: float = 0.0
    end_s: float | None = None

    @property
    def is_whole(self) -> bool:
        """Whether nothing is cut off."""
        return self.start_s <= 0 and self.end_s is None


@dataclass(frozen=True)
class Progress:
    """How far an earlier run came.

    Attributes:
        frames: so many are done.
        last_pts: the last one's timestamp.
    """

    frames: int = 0
    last_pts: int = 0

"""Decoded frames with their timestamps, and the part of a video that is wanted."""

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
    """One decoded frame of a video stream.

    Attributes:
        native: the frame in its own pixel format.
        pts: presentation timestamp in units of `time_base`, strictly increasing.
        time_base: seconds a unit.
        index: counts from 0.
        duration: in units of `time_base`; 0: unknown.
        packet: the frame's encoded packet, if `VideoReader` keeps packets.
    """

    native: av.VideoFrame
    pts: int
    time_base: Fraction
    index: int
    duration: int = 0
    packet: SourcePacket | None = None

    @cached_property
    def image_bgr(self) -> NDArray[np.uint8]:
        """The upright image, uint8 [H, W, 3], BGR."""
        return to_bgr(self.native)

    @property
    def time_s(self) -> float:
        """The presentation time, seconds."""
        return float(self.pts * self.time_base)


@dataclass(frozen=True)
class Span:
    """A part of a video, seconds from its beginning.

    Attributes:
        start_s: frames before this time are left out.
        end_s: frames at this time and later are left out; None: none.
    """

    start_s: float = 0.0
    end_s: float | None = None

    @property
    def is_whole(self) -> bool:
        """Whether it is the whole video."""
        return self.start_s <= 0 and self.end_s is None


@dataclass(frozen=True)
class Progress:
    """The frames that an earlier run has finished.

    Attributes:
        frames: their number.
        last_pts: the timestamp of the last one.
    """

    frames: int = 0
    last_pts: int = 0

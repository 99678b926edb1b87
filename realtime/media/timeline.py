"""Puts the parts of a joined or restarted transport stream on one clock."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import av
from av.container import InputContainer
from av.format import Flags

from realtime.media.container import frame_rate_of

_MAX_JUMP_S = 10  # forward; more is a part with a clock of its own
_MAX_BACK_S = Fraction(1, 10)  # within a stream; more is a part with a clock of its own
_MAX_OVERLAP_S = 1  # of a stream's beginning in a part with its end in the part before


@dataclass
class _StreamClock:
    """Where a stream is.

    Attributes:
        part: the number of its current part.
        next_s: when its next packet is expected, on the common clock.
    """

    part: int
    next_s: Fraction


class Timeline:
    """Shifts the timestamps of packets, in the order of the file, so that each part follows the last.

    Every reader of one file that passes all packets through a timeline gets the same shifts.

    Attributes:
        breaks: how often the clock jumped.
    """

    def __init__(self) -> None:
        self._offsets_s = [Fraction(0)]  # of each part
        self._clocks: dict[int, _StreamClock] = {}
        self._end_s: Fraction | None = None

    @classmethod
    def of(cls, container: InputContainer) -> Timeline | None:
        """Return a timeline for a format whose clock may jump; None for any other."""
        return cls() if container.format.flags & Flags.ts_discont.value else None

    @property
    def breaks(self) -> int:
        """How often the clock jumped."""
        return len(self._offsets_s) - 1

    def place(self, packet: av.Packet) -> None:
        """Shift a packet's timestamps onto the common clock."""
        time = packet.dts if packet.dts is not None else packet.pts
        if time is None:
            return
        unit = packet.time_base
        part = self._part_of(packet, time * unit)
        shift = round(self._offsets_s[part] / unit)
        packet.pts = None if packet.pts is None else packet.pts + shift
        packet.dts = None if packet.dts is None else packet.dts + shift
        duration = packet.duration or _frame_duration(packet)
        next_s = (time + shift + duration) * unit
        self._clocks[packet.stream.index] = _StreamClock(part, next_s)
        shown_s = next_s if packet.pts is None else (packet.pts + duration) * unit
        self._end_s = shown_s if self._end_s is None else max(self._end_s, shown_s)

    def _part_of(self, packet: av.Packet, time_s: Fraction) -> int:
        """Return the number of the part that a packet belongs to; a new one if its clock jumped."""
        clock, last = self._clocks.get(packet.stream.index), len(self._offsets_s) - 1
        if clock is None or self._end_s is None:
            return last
        placed_s = time_s + self._offsets_s[clock.part]
        back_s, forward_s = clock.next_s - placed_s, placed_s - max(self._end_s, clock.next_s)
        if back_s < _MAX_BACK_S and forward_s < _MAX_JUMP_S:
            return clock.part
        for part in range(clock.part + 1, last + 1):
            ahead_s = time_s + self._offsets_s[part] - clock.next_s
            if -_MAX_OVERLAP_S < ahead_s < _MAX_JUMP_S:
                return part
        if packet.stream.type not in ("video", "audio"):
            return last
        begin_s = time_s
        if packet.is_keyframe and packet.pts is not None:
            begin_s = packet.pts * packet.time_base
        self._offsets_s.append(self._end_s - begin_s)
        return last + 1


def _frame_duration(packet: av.Packet) -> int:
    """Return how long a video packet is shown by the average frame rate; 0 for other packets."""
    if not isinstance(packet.stream, av.VideoStream):
        return 0
    return round(1 / (frame_rate_of(packet.stream) * packet.time_base))

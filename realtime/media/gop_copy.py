"""Passes groups of frames on as they were coded, where nothing in them was replaced.

Only H.264 whose groups can be decoded alone: parameter sets then travel with each group, so that
groups of two encoders follow one another in one stream.
"""

from __future__ import annotations

from dataclasses import dataclass

import av
from av.bitstream import BitStreamFilterContext

from inpaint_model.errors import UserError
from realtime.media.segment_store import CodedFrame

_IDR = 5


@dataclass(frozen=True)
class SourcePacket:
    """A frame as it is coded in the source.

    Attributes:
        order: place in the order of coding.
        is_key: it begins a group.
        data: as it lies in the file.
    """

    order: int
    is_key: bool
    data: bytes


class GopCopier:
    """Turns the packets of whole groups into packets of the result.

    Args:
        stream: the source's video.

    Raises:
        UserError: such video cannot be passed on.
    """

    def __init__(self, stream: av.VideoStream) -> None:
        kind = stream.codec_context.codec.canonical_name
        if kind != "h264":
            raise UserError(f"--copy-untouched: works with H.264, and the video is {kind}")
        self._stream = stream

    def copy(
        self, packets: list[SourcePacket | None], times: list[tuple[int, int]]
    ) -> list[CodedFrame] | None:
        """Return a group in order of coding; None where it is no whole closed group.

        Args:
            packets: of the group's frames, in order of display.
            times: their timestamps and durations.
        """
        whole = [(packet, *time) for packet, time in zip(packets, times, strict=True) if packet]
        if len(whole) != len(packets) or not whole:
            return None
        whole.sort(key=lambda entry: entry[0].order)
        first = whole[0][0]
        orders = [entry[0].order for entry in whole]
        contiguous = orders == list(range(first.order, first.order + len(orders)))
        if not (contiguous and first.is_key and whole[0][1] == times[0][0]):
            return None
        if sum(entry[0].is_key for entry in whole) != 1:
            return None
        coded = []
        convert = BitStreamFilterContext("h264_mp4toannexb", self._stream)
        for source, pts, duration in whole:
            packet = av.Packet(source.data)
            packet.pts = packet.dts = pts
            packet.is_keyframe = source.is_key
            for converted in convert.filter(packet):
                coded.append(CodedFrame(pts, duration, source.is_key, bytes(converted)))
        if len(coded) != len(whole) or _IDR not in _unit_kinds(coded[0].data):
            return None
        return coded


def _unit_kinds(data: bytes) -> set[int]:
    """Return the kinds of the units in an Annex B packet."""
    kinds, at = set[int](), data.find(b"\x00\x00\x01")
    while 0 <= at < len(data) - 3:
        kinds.add(data[at + 3] & 0x1F)
        at = data.find(b"\x00\x00\x01", at + 3)
    return kinds

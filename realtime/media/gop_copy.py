"""Copies groups of pictures (GOPs) without encoding, if nothing in them was replaced.

This works only for H.264 with closed GOPs. Each GOP then carries its own parameter sets, so that GOPs
of two encoders can follow one another in one stream.
"""

from __future__ import annotations

from dataclasses import dataclass

import av
from av.bitstream import BitStreamFilterContext

from inpaint_model.errors import UserError
from realtime.media.segment_store import EncodedFrame

_IDR = 5  # NAL unit type of a keyframe at which decoding can start


@dataclass(frozen=True)
class SourcePacket:
    """The encoded packet of a frame in the source.

    Attributes:
        order: its position in decoding order.
        is_key: it begins a GOP.
        data: its bytes in the file.
    """

    order: int
    is_key: bool
    data: bytes


class GopCopier:
    """Converts the packets of complete GOPs into packets of the output.

    Args:
        stream: the source's video stream.

    Raises:
        UserError: the codec is not H.264.
    """

    def __init__(self, stream: av.VideoStream) -> None:
        codec = stream.codec_context.codec.canonical_name
        if codec != "h264":
            raise UserError(f"--copy-untouched: works with H.264, and the video is {codec}")
        self._stream = stream

    def copy(
        self, packets: list[SourcePacket | None], times: list[tuple[int, int]]
    ) -> list[EncodedFrame] | None:
        """Return a GOP in decoding order; None if it is not complete and closed.

        Args:
            packets: the packets of the GOP's frames, in display order.
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
        encoded = []
        convert = BitStreamFilterContext("h264_mp4toannexb", self._stream)
        for source, pts, duration in whole:
            packet = av.Packet(source.data)
            packet.pts = packet.dts = pts
            packet.is_keyframe = source.is_key
            for converted in convert.filter(packet):
                encoded.append(EncodedFrame(pts, duration, source.is_key, bytes(converted)))
        if len(encoded) != len(whole) or _IDR not in _nal_unit_types(encoded[0].data):
            return None
        return encoded


def _nal_unit_types(data: bytes) -> set[int]:
    """Return the NAL unit types in an Annex B packet."""
    return {unit[0] & 0x1F for unit in data.split(b"\x00\x00\x01")[1:] if unit}

"""Encodes frames segment by segment into a store; every segment can be decoded alone."""

from __future__ import annotations

from collections.abc import Sequence

import av
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType

from realtime.media.colour import EXACT
from realtime.media.encoder_choice import EncoderChoice
from realtime.media.gop_copy import GopCopier, SourcePacket
from realtime.media.segment_store import EncodedFrame, Segment, SegmentStore
from realtime.media.stream_properties import StreamProperties, open_encoder


class SegmentEncoder:
    """Encodes frames with their timestamps.

    Args:
        store: where encoded frames are kept.
        choice: encoder and pixel formats.
        properties: what the video stream states.
        copier: copies GOPs in which nothing was replaced; None: all frames are encoded.

    Raises:
        UserError: the encoder refuses such a video; raised by the first `write`.
    """

    def __init__(
        self,
        store: SegmentStore,
        choice: EncoderChoice,
        properties: StreamProperties,
        copier: GopCopier | None = None,
    ) -> None:
        self._store, self._choice, self._properties = store, choice, properties
        self._copier = copier
        self._context: VideoCodecContext | None = None
        self._times: list[tuple[int, int]] = []
        self._packets: list[SourcePacket | None] = []
        self._encoded = 0

    @property
    def follows_groups(self) -> bool:
        """Whether segments must be the source's GOPs."""
        return self._copier is not None

    def write(
        self, frame: av.VideoFrame, pts: int, duration: int, packet: SourcePacket | None = None
    ) -> None:
        """Encode a frame.

        Args:
            frame: in `choice.pixel_format`; its timestamp and picture type are set here.
            pts, duration: in units of the properties' time base.
            packet: the frame's packet in the source.
        """
        choice, properties = self._choice, self._properties
        if self._context is None:
            self._context = open_encoder(choice, properties, in_band_headers=self.follows_groups)
        if frame.format.name != choice.encoder_format:
            frame = frame.reformat(format=choice.encoder_format, interpolation=EXACT, threads=1)
        frame.pts, frame.time_base, frame.duration = pts, properties.time_base, duration
        frame.pict_type = PictureType.NONE
        self._times.append((pts, duration))
        if self.follows_groups:
            self._packets.append(packet)
        self._add(self._context.encode(frame))

    def _add(self, packets: list[av.Packet]) -> None:
        encoded = []
        for packet in packets:
            if packet.pts is None:
                raise RuntimeError(f"{self._choice.encoder} returns frames without timestamps")
            encoded.append(
                EncodedFrame(packet.pts, packet.duration or 0, packet.is_keyframe, bytes(packet))
            )
        self._encoded += len(encoded)
        self._store.add(encoded)

    def close_segment(
        self, counts: dict[str, object], records: Sequence[str] = (), *, untouched: bool = False
    ) -> None:
        """Finish the segment and commit it to the store.

        Args:
            counts, records: stored with it.
            untouched: nothing was replaced in its frames.
        """
        if self._context is None:
            return
        self._add(self._context.encode(None))
        if self._encoded != len(self._times):
            raise RuntimeError(
                f"{self._choice.encoder} made {self._encoded} of {len(self._times)} frames"
            )
        if untouched and self._copier is not None:
            group = self._copier.copy(self._packets, self._times)
            if group is not None:
                self._store.drop()
                self._store.add(group)
        self._store.close_segment(Segment(len(self._times), self._times[-1][0], counts), records)
        self._context, self._times, self._packets, self._encoded = None, [], [], 0

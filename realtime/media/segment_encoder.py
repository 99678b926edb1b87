"""Codes frames segment by segment into a spool; every segment can be decoded alone."""

from __future__ import annotations

import av
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType

from realtime.media.colour import EXACT
from realtime.media.encoder_choice import EncoderChoice
from realtime.media.gop_copy import GopCopier, SourcePacket
from realtime.media.segment_store import CodedFrame, Segment, SegmentStore
from realtime.media.stream_properties import StreamProperties, open_encoder


class SegmentEncoder:
    """Codes frames with their timestamps.

    Args:
        spool: where coded frames go.
        coding: how they are coded.
        look: what the video says of itself.
        copier: passes groups on that need no coding; None codes all.

    Raises:
        UserError: the encoder refuses such a video.
    """

    def __init__(
        self,
        spool: SegmentStore,
        coding: EncoderChoice,
        look: StreamProperties,
        copier: GopCopier | None = None,
    ) -> None:
        self._spool, self._coding, self._look, self._copier = spool, coding, look, copier
        self._context: VideoCodecContext | None = None
        self._times: list[tuple[int, int]] = []
        self._packets: list[SourcePacket | None] = []
        self._coded = 0

    @property
    def follows_groups(self) -> bool:
        """Whether segments must be the source's groups of frames."""
        return self._copier is not None

    def write(
        self, frame: av.VideoFrame, pts: int, duration: int, packet: SourcePacket | None = None
    ) -> None:
        """Code a frame in `coding.pixel_format`.

        Args:
            frame: its time and kind are set here.
            pts, duration: in units of the look's time base.
            packet: the same frame as it is coded in the source.
        """
        if self._context is None:
            self._context = open_encoder(
                self._coding, self._look, headers_inside=self.follows_groups
            )
        if frame.format.name != self._coding.encoder_format:
            frame = frame.reformat(
                format=self._coding.encoder_format, interpolation=EXACT, threads=1
            )
        frame.pts, frame.time_base, frame.duration = pts, self._look.time_base, duration
        frame.pict_type = PictureType.NONE
        self._times.append((pts, duration))
        if self.follows_groups:
            self._packets.append(packet)
        self._keep(self._context.encode(frame))

    def _keep(self, packets: list[av.Packet]) -> None:
        coded = []
        for packet in packets:
            if packet.pts is None:
                raise RuntimeError(f"{self._coding.encoder} gives frames without a time")
            coded.append(
                CodedFrame(packet.pts, packet.duration or 0, packet.is_keyframe, bytes(packet))
            )
        self._coded += len(coded)
        self._spool.add(coded)

    def close_segment(self, notes: dict[str, object], *, untouched: bool = False) -> None:
        """Finish the segment: after this it stays, whatever happens.

        Args:
            notes: kept with it.
            untouched: nothing was replaced in its frames.
        """
        if self._context is None:
            return
        self._keep(self._context.encode(None))
        if self._coded != len(self._times):
            raise RuntimeError(
                f"{self._coding.encoder} made {self._coded} of {len(self._times)} frames"
            )
        if untouched and self._copier is not None:
            group = self._copier.copy(self._packets, self._times)
            if group is not None:
                self._spool.drop()
                self._spool.add(group)
        self._spool.close_segment(Segment(len(self._times), self._times[-1][0], notes))
        self._context, self._times, self._packets, self._coded = None, [], [], 0

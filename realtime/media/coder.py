"""Codes frames segment by segment into a spool; every segment can be decoded alone."""

from __future__ import annotations

import av
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType

from realtime.media.coding import Coding
from realtime.media.colour import EXACT
from realtime.media.look import VideoLook, open_encoder
from realtime.media.spool import CodedFrame, Segment, Spool


class SegmentCoder:
    """Codes frames with their timestamps.

    Args:
        spool: where coded frames go.
        coding: how they are coded.
        look: what the video says of itself.

    Raises:
        UserError: the encoder refuses such a video.
    """

    def __init__(self, spool: Spool, coding: Coding, look: VideoLook) -> None:
        self._spool, self._coding, self._look = spool, coding, look
        self._context: VideoCodecContext | None = None
        self._times: list[int] = []
        self._coded = 0

    def write(self, frame: av.VideoFrame, pts: int, duration: int) -> None:
        """Code a frame in `coding.pixel_format`.

        Args:
            frame: its time and kind are set here.
            pts, duration: in units of the look's time base.
        """
        if self._context is None:
            self._context = open_encoder(self._coding, self._look)
        if frame.format.name != self._coding.encoder_format:
            frame = frame.reformat(
                format=self._coding.encoder_format, interpolation=EXACT, threads=1
            )
        frame.pts, frame.time_base, frame.duration = pts, self._look.time_base, duration
        frame.pict_type = PictureType.NONE
        self._times.append(pts)
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

    def close_segment(self, notes: dict[str, object]) -> None:
        """Finish the segment: after this it stays, whatever happens."""
        if self._context is None:
            return
        self._keep(self._context.encode(None))
        if self._coded != len(self._times):
            raise RuntimeError(
                f"{self._coding.encoder} made {self._coded} of {len(self._times)} frames"
            )
        self._spool.close_segment(Segment(len(self._times), self._times[-1], notes))
        self._context, self._times, self._coded = None, [], 0

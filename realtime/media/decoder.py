"""Decodes a video stream to frames with increasing timestamps; damaged frames are skipped and counted."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from pathlib import Path

import av
import av.error
from av.container import InputContainer
from av.video.codeccontext import VideoCodecContext

from inpaint_model.errors import UserError
from inpaint_model.limits import Limits
from realtime.media.container import (
    check_frame_size,
    decoder_options,
    demux,
    frame_rate_of,
    time_base_of,
)
from realtime.media.damage import Damage
from realtime.media.frames import Frame
from realtime.media.gop_copy import SourcePacket
from realtime.media.timeline import Timeline

_MAX_READ_ERRORS = 100  # then the rest of the file is given up
_MAX_OVERHEAD_BYTES = (
    512  # between two packets of a Matroska file; more is a part that was not read
)
_MIN_END_S = 0.2  # between the last packet and the stated end; less is rounding
_NEAR_HOLE_S = 1  # coded frames are in another order than they are shown
_MAX_GAP_FRAMES = 100_000  # counted as lost in one such part
_ALPHA_DECODERS = {"vp8": "libvpx", "vp9": "libvpx-vp9"}  # FFmpeg's own decoders ignore alpha


class Decoder:
    """Decodes a stream from the file's current position.

    Args:
        path: the file, for error messages.
        container: the opened file.
        video: the stream to decode.
        warnings: warnings are appended, one line each.
        damage: damaged frames are counted here.
        keep_packets: frames carry their encoded packets.
    """

    def __init__(
        self,
        path: Path,
        container: InputContainer,
        video: av.VideoStream,
        warnings: list[str],
        damage: Damage,
        *,
        keep_packets: bool = False,
    ) -> None:
        self._path, self._container, self._video = path, container, video
        self._warnings, self._damage, self._keep_packets = warnings, damage, keep_packets
        self._limits = Limits.of_environment()
        self._context = _decoding_context(video, self._limits)
        names = container.format.name.split(",")
        self._is_avi, self._is_matroska = "avi" in names, "matroska" in names
        self._end_is_missing = False  # the file is shorter than its header says
        self._hole = False  # bytes before the next video packet could not be read
        self._holes: list[int] = []  # times of the video packets after such bytes

    def frames(self) -> Iterator[Frame]:
        """Yield the frames from the file's current position, numbered from 0."""
        index, last_pts, size = 0, None, None
        waiting: list[int] = []
        kept: dict[int, SourcePacket] = {}
        for order, packet in enumerate(self._packets()):
            if packet.pts is not None and packet.size and not packet.is_discard:
                heapq.heappush(waiting, packet.pts)
                if self._keep_packets and not self._is_avi:
                    kept[packet.pts] = SourcePacket(order, packet.is_keyframe, bytes(packet))
            try:
                decoded_frames = self._context.decode(packet if packet.size else None)
            except av.error.FFmpegError:
                self._damage.errors += 1
                continue
            for decoded in decoded_frames:
                if self._is_avi:
                    decoded.pts = self._avi_pts(decoded, waiting)
                if self._is_repeated(decoded, last_pts):
                    continue
                pts = self._increasing_pts(decoded, last_pts)
                lost = []
                while waiting and waiting[0] <= pts:
                    lost.append(heapq.heappop(waiting))
                for time in self._missing(last_pts, pts) or lost:
                    if time < pts:
                        kept.pop(time, None)
                        self._damage.add_lost(time)
                if decoded.is_corrupt:
                    self._damage.add_corrupt(pts)
                size = self._check_size(decoded, size, index)
                time_base = decoded.time_base or time_base_of(self._video)
                encoded = kept.pop(pts, None)
                yield Frame(decoded, pts, time_base, index, decoded.duration or 0, encoded)
                index, last_pts = index + 1, pts
        if self._damage.errors and index:
            for lost in waiting:
                self._damage.add_lost(lost)
        elif last_pts is not None and self._end_is_missing:
            for lost in self._between(last_pts, self._stated_end_pts()):
                self._damage.add_lost(lost)

    def _avi_pts(self, decoded: av.VideoFrame, waiting: list[int]) -> int | None:
        """Return the time of a frame in an AVI file, which states decoding times alone.

        The frames are shown at the times of the packets, in order. A keyframe is shown after all packets
        before its own: those that are still waiting there are lost.
        """
        while decoded.key_frame and waiting and decoded.pts and waiting[0] < decoded.pts:
            self._damage.add_lost(heapq.heappop(waiting))
        return waiting[0] if waiting else decoded.pts

    def _is_repeated(self, decoded: av.VideoFrame, last_pts: int | None) -> bool:
        """Say whether a decoder that met damage returns the same timestamp a second time."""
        if decoded.pts is None or last_pts is None or decoded.pts > last_pts:
            return False
        if not (self._damage.errors or decoded.is_corrupt):
            return False
        self._damage.add_corrupt(decoded.pts)
        return True

    def _packets(self) -> Iterator[av.Packet]:
        """Demux; positions that cannot be read are skipped, up to `_MAX_READ_ERRORS` of them."""
        timeline = Timeline.of(self._container)
        needs_all = timeline is not None or self._is_matroska
        end, end_s = None, 0.0
        for _ in range(_MAX_READ_ERRORS + 1):
            try:
                for packet in demux(self._container, *([] if needs_all else [self._video])):
                    if timeline is not None:
                        timeline.place(packet)
                    if packet.size:
                        end = self._note_hole(packet, end)
                        time = (packet.pts or 0) + (packet.duration or 0)
                        end_s = max(end_s, float(time * packet.time_base))
                    if packet.stream.index != self._video.index:
                        continue
                    if self._is_avi:
                        packet.pts = packet.dts
                    yield packet
                break
            except av.error.FFmpegError:
                self._damage.errors += 1
        if self._is_matroska and self._container.duration:
            missing_s = self._container.duration / 1_000_000 - end_s
            unread_bytes = self._container.size - (end or 0)
            self._end_is_missing = missing_s > _MIN_END_S and unread_bytes > _MAX_OVERHEAD_BYTES
        if timeline is not None and timeline.breaks:
            times = "once" if timeline.breaks == 1 else f"{timeline.breaks} times"
            self._warnings.append(f"the file's clock jumps {times}: each part follows the last")

    def _note_hole(self, packet: av.Packet, end: int | None) -> int | None:
        """Note bytes that the demuxer passed over or marked; return where the packet's bytes end."""
        passed_over = end is not None and (packet.pos or 0) - end > _MAX_OVERHEAD_BYTES
        self._hole = self._hole or passed_over or packet.is_corrupt
        if self._hole and packet.pts is not None and packet.stream.index == self._video.index:
            self._holes.append(packet.pts)
            self._hole = False
        return packet.pos + packet.size if self._is_matroska and packet.pos else None

    def _missing(self, last_pts: int | None, pts: int) -> list[int]:
        """Return the times of the frames missing between two, if bytes near them could not be read."""
        near = round(_NEAR_HOLE_S / time_base_of(self._video))
        self._holes = [hole for hole in self._holes if last_pts is None or last_pts < hole + near]
        if last_pts is None or not any(hole <= pts for hole in self._holes):
            return []
        return self._between(last_pts, pts)

    def _between(self, first: int, last: int) -> list[int]:
        """Return the times at which frames are due between two times, at the average frame rate."""
        step = 1 / (time_base_of(self._video) * frame_rate_of(self._video))
        count = min(round((last - first) / step) - 1, _MAX_GAP_FRAMES)
        return [round(first + number * step) for number in range(1, count + 1)]

    def _stated_end_pts(self) -> int:
        """Return the end of the file by its header."""
        return round((self._container.duration or 0) / (1_000_000 * time_base_of(self._video)))

    def _check_size(
        self, decoded: av.VideoFrame, expected: tuple[int, int] | None, index: int
    ) -> tuple[int, int]:
        """Return the frame's width and height; refuse a size that changes."""
        size = decoded.width, decoded.height
        if expected is None:
            check_frame_size(self._path, decoded, self._limits)
        elif size != expected:
            raise UserError(f"{self._path}: the frame size changes at frame {index}")
        return size

    def _increasing_pts(self, decoded: av.VideoFrame, last_pts: int | None) -> int:
        """Return the frame's timestamp; a missing or decreasing one, which is invalid, is replaced."""
        pts = decoded.pts if decoded.pts is not None else decoded.dts
        if pts is not None and (last_pts is None or pts > last_pts):
            return pts
        warning = "timestamps that were missing or out of order have been replaced"
        if warning not in self._warnings:
            self._warnings.append(warning)
        if last_pts is None:
            return 0
        units_a_second = 1 / time_base_of(self._video)
        step = decoded.duration or round(units_a_second / frame_rate_of(self._video))
        return last_pts + (max(step, 1) if pts is None else 1)


def _decoding_context(video: av.VideoStream, limits: Limits) -> VideoCodecContext:
    """Return the stream's decoder; for VP8 and VP9 with transparency one that decodes it."""
    own = video.codec_context
    tags = {name.lower(): value for name, value in video.metadata.items()}
    name = _ALPHA_DECODERS.get(own.codec.canonical_name)
    if name is None or tags.get("alpha_mode") != "1":
        return own
    context = av.CodecContext.create(name, "r")
    assert isinstance(context, VideoCodecContext)
    context.extradata, context.options = own.extradata, decoder_options(limits)
    return context

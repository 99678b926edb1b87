"""Decodes a video stream to frames with increasing timestamps; damaged frames are skipped and counted."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from pathlib import Path

import av
import av.error
from av.container import InputContainer

from inpaint_model.errors import UserError
from realtime.media.container import check_size, frame_rate_of, time_base_of
from realtime.media.damage import Damage
from realtime.media.frames import Frame
from realtime.media.gop_copy import SourcePacket

_MAX_READ_ERRORS = 100  # then the rest of the file is given up


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

    def frames(self) -> Iterator[Frame]:
        """Yield the frames from the file's current position, numbered from 0."""
        index, last_pts, size = 0, None, None
        waiting: list[int] = []
        kept: dict[int, SourcePacket] = {}
        for order, packet in enumerate(self._packets()):
            if packet.pts is not None and packet.size and not packet.is_discard:
                heapq.heappush(waiting, packet.pts)
                if self._keep_packets:
                    kept[packet.pts] = SourcePacket(order, packet.is_keyframe, bytes(packet))
            try:
                decoded_frames = packet.decode()
            except av.error.FFmpegError:
                self._damage.errors += 1
                continue
            for decoded in decoded_frames:
                if not isinstance(decoded, av.VideoFrame) or self._is_repeated(decoded, last_pts):
                    continue
                pts = self._increasing_pts(decoded, last_pts)
                while waiting and waiting[0] <= pts:
                    lost = heapq.heappop(waiting)
                    if lost < pts:
                        kept.pop(lost, None)
                        self._damage.add_lost(lost)
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
        for _ in range(_MAX_READ_ERRORS + 1):
            try:
                yield from self._container.demux(self._video)
                return
            except av.error.FFmpegError:
                self._damage.errors += 1

    def _check_size(
        self, decoded: av.VideoFrame, expected: tuple[int, int] | None, index: int
    ) -> tuple[int, int]:
        """Return the frame's width and height; refuse a size that changes."""
        size = decoded.width, decoded.height
        if expected is None:
            check_size(self._path, *size)
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

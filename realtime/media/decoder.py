"""Decodes a video stream to frames whose timestamps rise; what is damaged is passed over and noted."""

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

_MOST_FAULTS = 100


class Decoder:
    """Decodes a stream from where its file stands.

    Args:
        path: the file, to name it in errors.
        container: the file, open.
        video: its stream.
        warnings: one line each is added.
        damage: what cannot be decoded is added.
        keep_packets: frames come with their packets.
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
        """Yield the frames from where the file stands, numbered from 0."""
        index, last_pts, kind = 0, None, None
        waiting: list[int] = []
        kept: dict[int, SourcePacket] = {}
        for order, packet in enumerate(self._packets()):
            if packet.pts is not None and packet.size and not packet.is_discard:
                heapq.heappush(waiting, packet.pts)
                if self._keep_packets:
                    kept[packet.pts] = SourcePacket(order, packet.is_keyframe, bytes(packet))
            try:
                pictures = packet.decode()
            except av.error.FFmpegError:
                self._damage.errors += 1
                continue
            for decoded in pictures:
                if not isinstance(decoded, av.VideoFrame):
                    continue
                if self._is_leftover(decoded, last_pts):
                    continue
                pts = self._rising(decoded, last_pts)
                while waiting and waiting[0] <= pts:
                    lost = heapq.heappop(waiting)
                    if lost < pts:
                        kept.pop(lost, None)
                        self._damage.lose(lost)
                if decoded.is_corrupt:
                    self._damage.patch(pts)
                kind = self._same_kind(decoded, kind, index)
                time_base = decoded.time_base or time_base_of(self._video)
                coded = kept.pop(pts, None)
                yield Frame(decoded, pts, time_base, index, decoded.duration or 0, coded)
                index, last_pts = index + 1, pts
        if self._damage.errors and index:
            for lost in waiting:
                self._damage.lose(lost)

    def _is_leftover(self, decoded: av.VideoFrame, last_pts: int | None) -> bool:
        """A decoder that stumbles over damage may show a moment twice: the second time is dropped."""
        if decoded.pts is None or last_pts is None or decoded.pts > last_pts:
            return False
        if not (self._damage.errors or decoded.is_corrupt):
            return False
        self._damage.patch(decoded.pts)
        return True

    def _packets(self) -> Iterator[av.Packet]:
        """Demux; a place that cannot be read is left behind, up to a point."""
        faults = 0
        while True:
            try:
                yield from self._container.demux(self._video)
                return
            except av.error.FFmpegError:
                self._damage.errors += 1
                faults += 1
                if faults > _MOST_FAULTS:
                    return

    def _same_kind(
        self, decoded: av.VideoFrame, kind: tuple[int, int] | None, index: int
    ) -> tuple[int, int]:
        size = decoded.width, decoded.height
        if kind is None:
            check_size(self._path, *size)
        elif size != kind:
            raise UserError(f"{self._path}: the picture changes its size at frame {index}")
        return size

    def _rising(self, decoded: av.VideoFrame, last_pts: int | None) -> int:
        """Timestamps as they are; missing or falling ones, which no file may hold, are mended."""
        pts = decoded.pts if decoded.pts is not None else decoded.dts
        if pts is not None and (last_pts is None or pts > last_pts):
            return pts
        warning = "timestamps that were missing or out of order have been mended"
        if warning not in self._warnings:
            self._warnings.append(warning)
        if last_pts is None:
            return 0
        units_a_second = 1 / time_base_of(self._video)
        step = decoded.duration or round(units_a_second / frame_rate_of(self._video))
        return last_pts + (max(step, 1) if pts is None else 1)

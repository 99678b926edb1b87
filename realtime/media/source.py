"""Reads a video file: upright BGR frames with their timestamps, and every other packet untouched."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Self

import av
import av.error
import numpy as np
from av.stream import Disposition
from numpy.typing import NDArray

from inpaint_model.errors import UserError
from realtime.media.colour import to_bgr
from realtime.media.truncation import is_cut_short

_MOST_PENDING = 256
_NOT_VIDEO = {"tty", "image2", "lavfi", "concat", "ffmetadata"}


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture of a stream.

    Attributes:
        image_bgr: uint8 [H, W, 3], BGR, upright.
        pts: presentation time in units of `time_base`, strictly rising.
        time_base: seconds a unit.
        index: counts from 0.
        duration: in units of `time_base`; 0 where the file does not say.
    """

    image_bgr: NDArray[np.uint8]
    pts: int
    time_base: Fraction
    index: int
    duration: int = 0

    @property
    def time_s(self) -> float:
        """When it is shown, seconds."""
        return float(self.pts * self.time_base)


@dataclass(frozen=True, eq=False)
class Piece:
    """A frame (none at the end) and the packets that came before it in the file."""

    frame: Frame | None
    packets: list[av.Packet] = field(default_factory=list)


class VideoFile:
    """A video file open for reading. Iterate once over its pieces, in the order of the file.

    Args:
        path: the file.

    Attributes:
        video: the stream that is decoded.
        others: the streams whose packets are passed on as they are.
        warnings: one line each; may grow while reading.

    Raises:
        UserError: there is no video in it, or it is damaged; raised while reading as well.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        if path.stat().st_size == 0:
            raise UserError(f"{path}: is empty")
        try:
            self.container = av.open(str(path), options={"protocol_whitelist": "file"})
        except av.error.FFmpegError as error:
            if isinstance(error, PermissionError):
                raise UserError(f"{path}: cannot be read (permission denied)") from None
            raise UserError(f"{path}: is not a video that can be read, or is cut short") from None
        self.warnings: list[str] = []
        try:
            self.video = self._choose_stream()
        except BaseException:
            self.container.close()
            raise
        self.video.thread_type = "AUTO"
        self.others = [
            stream
            for stream in self.container.streams
            if stream.type in ("audio", "subtitle") and stream.codec_context is not None
        ]
        left = [s for s in self.container.streams if s not in (self.video, *self.others)]
        if left:
            self.warnings.append(f"{len(left)} further video or data streams are left out")

    def _choose_stream(self) -> av.VideoStream:
        """The first real video stream; a picture or text that FFmpeg would play is none."""
        names = set(self.container.format.name.split(","))
        if any(name.endswith("_pipe") for name in names) or names & {"image2"}:
            raise UserError(f"{self.path}: is a picture, not a video; use `unmask image`")
        videos = [
            stream
            for stream in self.container.streams.video
            if not stream.disposition & Disposition.attached_pic
        ]
        if not videos or names & _NOT_VIDEO:
            raise UserError(f"{self.path}: has no video in it")
        if is_cut_short(self.path):
            raise UserError(f"{self.path}: is cut short; copy it again or repair it first")
        return videos[0]

    @property
    def frame_rate(self) -> Fraction:
        """Average frames a second; 25 where the file does not say."""
        return self.video.average_rate or self.video.guessed_rate or Fraction(25)

    @property
    def expected_frames(self) -> int:
        """About how many frames there are; 0 where the file does not say."""
        if self.video.frames:
            return self.video.frames
        seconds = (self.container.duration or 0) / 1_000_000
        return round(seconds * float(self.frame_rate))

    def __iter__(self) -> Iterator[Piece]:
        index, last_pts, shape = 0, None, None
        pending: list[av.Packet] = []
        for packet in self.container.demux(self.video, *self.others):
            if packet.stream is not self.video:
                if packet.size:
                    pending.append(packet)
                if len(pending) >= _MOST_PENDING:
                    yield Piece(None, pending)
                    pending = []
                continue
            for decoded in self._decode(packet, index):
                pts = self._rising(decoded, last_pts)
                image_bgr = to_bgr(decoded)
                if image_bgr.shape != (shape or image_bgr.shape):
                    raise UserError(f"{self.path}: the picture changes its size at frame {index}")
                time_base = decoded.time_base or self.video.time_base or Fraction(1, 90_000)
                frame = Frame(image_bgr, pts, time_base, index, decoded.duration or 0)
                yield Piece(frame, pending)
                index, last_pts, shape, pending = index + 1, pts, image_bgr.shape, []
        if index == 0:
            raise UserError(f"{self.path}: no frame of it can be decoded")
        yield Piece(None, pending)

    def _decode(self, packet: av.Packet, index: int) -> list[av.VideoFrame]:
        try:
            return [f for f in packet.decode() if isinstance(f, av.VideoFrame)]
        except av.error.FFmpegError:
            if index == 0:  # a recording that begins between two key frames
                return []
            raise UserError(f"{self.path}: is damaged after frame {index}") from None

    def _rising(self, decoded: av.VideoFrame, last_pts: int | None) -> int:
        """Timestamps as they are; missing or falling ones, which no file may hold, are mended."""
        pts = decoded.pts if decoded.pts is not None else decoded.dts
        if pts is not None and (last_pts is None or pts > last_pts):
            return pts
        warning = "timestamps that were missing or out of order have been mended"
        if warning not in self.warnings:
            self.warnings.append(warning)
        if last_pts is None:
            return 0
        time_base = self.video.time_base or Fraction(1, 90_000)
        step = decoded.duration or round(1 / (self.frame_rate * time_base))
        return last_pts + (max(step, 1) if pts is None else 1)

    def close(self) -> None:
        """Close the file."""
        self.container.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

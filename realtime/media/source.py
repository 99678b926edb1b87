"""Reads a video file: decoded frames with their timestamps, what is damaged passed over and noted."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Self

import av
import av.error
from av.container import InputContainer
from av.stream import Disposition, Stream

from inpaint_model.errors import UserError
from realtime.media.damage import Damage
from realtime.media.frames import Frame, Progress, Span
from realtime.media.truncation import is_cut_short
from realtime.media.untouched import SourcePacket

_NOT_VIDEO = {"tty", "image2", "lavfi", "concat", "ffmetadata"}
_SEEKS_EXACTLY = {"mov", "matroska"}
_MOST_FAULTS = 100
MOST_PIXELS = 8192 * 4608
_MOST_STREAMS = 200


class VideoFile:
    """A video file open for reading. Iterate once over its frames.

    Args:
        path: the file.
        keep_packets: frames come with their packets.

    Attributes:
        video: the stream that is decoded.
        warnings: one line each; complete after reading.

    Raises:
        UserError: there is no video in it, or it is cut short; raised while reading as well.
    """

    def __init__(self, path: Path, *, keep_packets: bool = False) -> None:
        self.path, self._keep_packets = path, keep_packets
        if path.stat().st_size == 0:
            raise UserError(f"{path}: is empty")
        self.container = open_container(path)
        self.warnings: list[str] = []
        self.damage = Damage()
        try:
            self.video = self._choose_stream()
        except BaseException:
            self.container.close()
            raise
        self.video.thread_type = "AUTO"

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
        if len(self.container.streams) > _MOST_STREAMS:
            raise UserError(f"{self.path}: has more than {_MOST_STREAMS} streams")
        video = videos[0]
        if video.codec_context is None:
            raise UserError(f"{self.path}: is coded in a way that cannot be read here")
        self._check_size(video.codec_context.width, video.codec_context.height)
        return video

    def _check_size(self, width: int, height: int) -> None:
        if width * height > MOST_PIXELS:
            most = f"{MOST_PIXELS / 1e6:.0f} megapixels"
            raise UserError(f"{self.path}: {width}x{height} is more than {most} a frame")

    @property
    def others(self) -> list[Stream]:
        """The streams that are not decoded."""
        return [stream for stream in self.container.streams if stream is not self.video]

    @property
    def time_base(self) -> Fraction:
        """Seconds a unit of the frames' timestamps."""
        return self.video.time_base or Fraction(1, 90_000)

    @property
    def origin_s(self) -> Fraction:
        """When the file's first stream begins, seconds; players show this as 0:00."""
        return Fraction(self.container.start_time or 0, 1_000_000)

    @property
    def frame_rate(self) -> Fraction:
        """Average frames a second; 25 where the file does not say."""
        return self.video.average_rate or self.video.guessed_rate or Fraction(25)

    def expected_frames(self, span: Span | None = None) -> int:
        """About how many frames there are; 0 where the file does not say."""
        seconds = (self.container.duration or 0) / 1_000_000
        if span is None or span.is_whole:
            return self.video.frames or round(seconds * float(self.frame_rate))
        end_s = seconds if span.end_s is None else min(span.end_s, seconds or span.end_s)
        return max(round((end_s - span.start_s) * float(self.frame_rate)), 0)

    def __iter__(self) -> Iterator[Frame]:
        return self.frames()

    def frames(self, span: Span | None = None, done: Progress | None = None) -> Iterator[Frame]:
        """Yield the frames of a part of the file, without those that are done."""
        span, done = span or Span(), done or Progress()
        index, frames = self._start(span, done)
        for frame in self._with_true_durations(frames):
            time_s = frame.pts * self.time_base - self.origin_s
            if span.start_s > 0 and time_s < span.start_s:
                continue
            if span.end_s is not None and time_s >= span.end_s:
                break
            if index >= done.frames:
                yield replace(frame, index=index)
            index += 1
        if index == 0:
            where = "" if span.is_whole else " between --start and --end"
            raise UserError(f"{self.path}: no frame of it{where} can be decoded")
        if self.damage:
            self.warnings.append(self.damage.summary(self.time_base, self.origin_s))

    def _start(self, span: Span, done: Progress) -> tuple[int, Iterator[Frame]]:
        """Return the number of the first frame and the frames; seek where that is exact."""
        frames = None
        if _SEEKS_EXACTLY.intersection(self.container.format.name.split(",")):
            if done.frames:
                frames = self._seek(done.last_pts)
            elif span.start_s > 0:
                wanted = int((Fraction(span.start_s) + self.origin_s) / self.time_base)
                frames = self._seek(wanted, exactly=False)
        if frames is not None:
            return done.frames, frames
        return 0, self._decoded()

    def _with_true_durations(self, frames: Iterator[Frame]) -> Iterator[Frame]:
        """In MP4 and MOV a frame lasts until the next; what its packet says is the order of coding."""
        stream = self.video
        if "mov" not in self.container.format.name or not stream.duration:
            yield from frames
            return
        end = (stream.start_time or 0) + stream.duration
        before = None
        for frame in frames:
            if before is not None:
                yield replace(before, duration=frame.pts - before.pts)
            before = frame
        if before is not None:
            yield replace(before, duration=end - before.pts) if end > before.pts else before

    def _seek(self, pts: int, *, exactly: bool = True) -> Iterator[Frame] | None:
        """Return the frames after (or from) a timestamp; None where seeking does not find it."""
        try:
            self.container.seek(pts, stream=self.video)
        except av.error.FFmpegError:
            self._reopen()
            return None
        frames = self._decoded()
        for number, frame in enumerate(frames):
            if exactly and frame.pts == pts:
                return frames
            if not exactly and frame.pts >= pts:
                if number or frame.pts == pts:
                    return _chained(frame, frames)
                break
            if frame.pts > pts:
                break
        self._reopen()
        return None

    def _reopen(self) -> None:
        index = self.video.index
        self.container.close()
        self.container = open_container(self.path)
        video = self.container.streams[index]
        assert isinstance(video, av.VideoStream)
        self.video = video
        self.video.thread_type = "AUTO"
        self.damage = Damage()

    def _decoded(self) -> Iterator[Frame]:
        """Decode from where the file stands."""
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
                self.damage.errors += 1
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
                        self.damage.lose(lost)
                if decoded.is_corrupt:
                    self.damage.patch(pts)
                kind = self._same_kind(decoded, kind, index)
                time_base = decoded.time_base or self.time_base
                coded = kept.pop(pts, None)
                yield Frame(decoded, pts, time_base, index, decoded.duration or 0, coded)
                index, last_pts = index + 1, pts
        if self.damage.errors and index:
            for lost in waiting:
                self.damage.lose(lost)

    def _is_leftover(self, decoded: av.VideoFrame, last_pts: int | None) -> bool:
        """A decoder that stumbles over damage may show a moment twice: the second time is dropped."""
        if decoded.pts is None or last_pts is None or decoded.pts > last_pts:
            return False
        if not (self.damage.errors or decoded.is_corrupt):
            return False
        self.damage.patch(decoded.pts)
        return True

    def _packets(self) -> Iterator[av.Packet]:
        """Demux; a place that cannot be read is left behind, up to a point."""
        faults = 0
        while True:
            try:
                yield from self.container.demux(self.video)
                return
            except av.error.FFmpegError:
                self.damage.errors += 1
                faults += 1
                if faults > _MOST_FAULTS:
                    return

    def _same_kind(
        self, decoded: av.VideoFrame, kind: tuple[int, int] | None, index: int
    ) -> tuple[int, int]:
        size = decoded.width, decoded.height
        if kind is None:
            self._check_size(*size)
        elif size != kind:
            raise UserError(f"{self.path}: the picture changes its size at frame {index}")
        return size

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
        step = decoded.duration or round(1 / (self.frame_rate * self.time_base))
        return last_pts + (max(step, 1) if pts is None else 1)

    def close(self) -> None:
        """Close the file."""
        self.container.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_container(path: Path) -> InputContainer:
    """Open a file for reading, and nothing but files.

    Raises:
        UserError: it cannot be read.
    """
    try:
        return av.open(
            str(path),
            options={"protocol_whitelist": "file"},
            metadata_errors="surrogateescape",
        )
    except av.error.FFmpegError as error:
        if isinstance(error, PermissionError):
            raise UserError(f"{path}: cannot be read (permission denied)") from None
        raise UserError(f"{path}: is not a video that can be read, or is cut short") from None


def _chained(first: Frame, rest: Iterator[Frame]) -> Iterator[Frame]:
    yield first
    yield from rest

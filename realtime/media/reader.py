"""Reads a video file, or a part of it, as frames with timestamps."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Self

import av
import av.error

from inpaint_model.errors import UserError
from realtime.media.container import choose_stream, frame_rate_of, open_container, time_base_of
from realtime.media.damage import Damage
from realtime.media.decoder import Decoder
from realtime.media.frames import Frame, Progress, Span
from realtime.media.large_frames import decoding_threads

_EXACT_SEEK = {"mov", "matroska"}  # FFmpeg's demuxers that find a frame by its timestamp


class VideoReader:
    """A video file that is open for reading. Its frames can be iterated once.

    Args:
        path: the file.
        keep_packets: frames carry their encoded packets.

    Attributes:
        video: the stream that is decoded.
        warnings: one line each; complete after reading.

    Raises:
        UserError: it holds no video, or it is cut short; iterating raises this as well.
    """

    def __init__(self, path: Path, *, keep_packets: bool = False) -> None:
        self.path, self._keep_packets = path, keep_packets
        if path.stat().st_size == 0:
            raise UserError(f"{path}: is empty")
        self.container = open_container(path)
        self.warnings: list[str] = []
        self.damage = Damage()
        self._decoding: Iterator[Frame] | None = None
        self._first: Frame | None = None
        try:
            self.video = choose_stream(path, self.container)
        except BaseException:
            self.container.close()
            raise
        self.video.thread_type = decoding_threads(self.video.width * self.video.height)

    @property
    def time_base(self) -> Fraction:
        """Seconds a unit of the frames' timestamps."""
        return time_base_of(self.video)

    @property
    def origin_s(self) -> Fraction:
        """The start of the file's first stream, seconds; players show it as 0:00."""
        return Fraction(self.container.start_time or 0, 1_000_000)

    @property
    def frame_rate(self) -> Fraction:
        """Average frames a second; 25 if the file does not say."""
        return frame_rate_of(self.video)

    @property
    def seeks_exactly(self) -> bool:
        """Whether a part of the file is found without decoding all that comes before it."""
        return not _EXACT_SEEK.isdisjoint(self.container.format.name.split(","))

    def expected_frames(self, span: Span | None = None) -> int:
        """Estimate the number of frames; 0: unknown."""
        seconds = (self.container.duration or 0) / 1_000_000
        if self.video.duration is not None:  # sound may last longer
            end_pts = (self.video.start_time or 0) + self.video.duration
            seconds = float(end_pts * self.time_base - self.origin_s)
        if span is None or span.is_whole:
            return self.video.frames or round(seconds * float(self.frame_rate))
        end_s = seconds if span.end_s is None else min(span.end_s, seconds or span.end_s)
        return max(round((end_s - span.start_s) * float(self.frame_rate)), 0)

    def first_frame(self) -> Frame:
        """Return the first frame of the file; `frames` yields it without decoding it again.

        Raises:
            UserError: no frame can be decoded.
        """
        if self._first is None:
            self._decoding = self._decode()
            self._first = next(self._decoding, None)
            if self._first is None:
                raise UserError(f"{self.path}: no frame of it can be decoded")
        return self._first

    def __iter__(self) -> Iterator[Frame]:
        return self.frames()

    def frames(self, span: Span | None = None, done: Progress | None = None) -> Iterator[Frame]:
        """Go to a part of the file and return an iterator of its frames, except those that are done."""
        span, done = span or Span(), done or Progress()
        index, frames = self._start(span, done)
        return self._part(frames, index, span, done)

    def _part(
        self, frames: Iterator[Frame], index: int, span: Span, done: Progress
    ) -> Iterator[Frame]:
        for frame in self._with_display_durations(frames):
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
        """Return the first frame's index and the frames; seek if that is exact."""
        frames = None
        if self.seeks_exactly:
            if done.frames:
                frames = self._seek(done.last_pts)
            elif span.start_s > 0:
                start_pts = int((Fraction(span.start_s) + self.origin_s) / self.time_base)
                frames = self._seek(start_pts, inclusive=True)
        if frames is not None:
            return done.frames, frames
        first, self._first = self._first, None
        if first is None or self._decoding is None:
            return 0, self._decode()
        once = iter([first])  # unlike a list, it lets the frame go
        return 0, itertools.chain(once, self._decoding)

    def _with_display_durations(self, frames: Iterator[Frame]) -> Iterator[Frame]:
        """Correct the durations in MP4 and MOV: a frame lasts until the next one in display order.

        The packets' durations there follow the decoding order.
        """
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

    def _seek(self, pts: int, *, inclusive: bool = False) -> Iterator[Frame] | None:
        """Return the frames after a timestamp, or from it; None if seeking does not find it."""
        self._forget_decoded()
        try:
            self.container.seek(pts, stream=self.video)
        except av.error.FFmpegError:
            self._reopen()
            return None
        frames = self._decode()
        for number, frame in enumerate(frames):
            if not inclusive and frame.pts == pts:
                return frames
            if inclusive and frame.pts >= pts:
                if number or frame.pts == pts:
                    return itertools.chain([frame], frames)
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
        self.video.thread_type = decoding_threads(self.video.width * self.video.height)
        self._forget_decoded()

    def _forget_decoded(self) -> None:
        """Forget the first frame, and the damage and warnings from decoding it."""
        self._decoding = self._first = None
        self.damage = Damage()
        self.warnings.clear()

    def _decode(self) -> Iterator[Frame]:
        """Decode from the file's current position."""
        return Decoder(
            self.path,
            self.container,
            self.video,
            self.warnings,
            self.damage,
            keep_packets=self._keep_packets,
        ).frames()

    def close(self) -> None:
        """Close the file."""
        self.container.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

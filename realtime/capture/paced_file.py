"""Plays a video file in real time, as if it were a camera."""

from __future__ import annotations

import time
from pathlib import Path

import av
import av.error

from inpaint_model.errors import UserError
from realtime.capture.frame import CapturedFrame
from realtime.media.colour import FAST, ToBgr
from realtime.media.container import demux
from realtime.media.reader import VideoReader

_MAX_SKIPPED = 30  # consecutive late frames; then the clock restarts, so that some frame is shown


class PacedFile:
    """A video file that behaves like a camera: frames are due at their timestamps.

    Args:
        path: the file.
        fps: play at this rate instead of the file's own.
        loop: start again at the end.

    Raises:
        UserError: it is not a readable video; `read` raises this as well.
    """

    def __init__(self, path: Path, fps: float | None = None, *, loop: bool = False) -> None:
        self.name, self.warnings = str(path), list[str]()
        self._path, self._fps, self._loop = path, fps, loop
        self._index, self._offset_s, self._last_s = 0, 0.0, 0.0
        self._began_s: float | None = None
        self._to_bgr = ToBgr(
            FAST
        )  # one for all turns of a loop: each keeps its first frame a while
        self._open()
        self.nominal_fps = fps or float(self._file.frame_rate)

    def _open(self) -> None:
        self._file = VideoReader(self._path)
        video = self._file.video
        video.thread_type, video.codec_context.thread_count = "SLICE", 1
        packets = demux(self._file.container, video)
        self._frames = (frame for packet in packets for frame in packet.decode())

    def read(self) -> CapturedFrame | None:
        """Wait until the next frame is due; a frame that is late by more than a frame is skipped."""
        skipped = 0
        frame_s = 1 / max(self.nominal_fps, 1.0)
        while (frame := self._next()) is not None:
            index, self._index = self._index, self._index + 1
            time_s = self._time_s(frame, index)
            now_s = time.perf_counter()
            if self._began_s is None:
                self._began_s = now_s - time_s
            due_s = self._began_s + time_s
            if now_s - due_s > frame_s:
                skipped += 1
                if skipped <= _MAX_SKIPPED:
                    continue
                self._began_s, due_s = now_s - time_s, now_s
            image_bgr = self._to_bgr(frame)
            time.sleep(max(due_s - time.perf_counter(), 0.0))
            return CapturedFrame(image_bgr, index, due_s)
        return None

    def _time_s(self, frame: av.VideoFrame, index: int) -> float:
        if self._fps or frame.time is None:
            return index / (self._fps or max(self.nominal_fps, 1.0))
        self._last_s = self._offset_s + frame.time
        return self._last_s

    def _next(self) -> av.VideoFrame | None:
        try:
            frame = next(self._frames, None)
            if frame is None and self._loop and self._index:
                self._offset_s = self._last_s + 1 / max(self.nominal_fps, 1.0)
                self.close()
                self._open()
                frame = next(self._frames, None)
        except av.error.FFmpegError:
            raise UserError(f"{self.name}: is damaged after frame {self._index}") from None
        return frame

    def close(self) -> None:
        """Close the file."""
        self._file.close()

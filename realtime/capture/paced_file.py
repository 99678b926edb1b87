"""Plays video files at their own pace, as if they were cameras."""

from __future__ import annotations

import time
from pathlib import Path

import av
import av.container
import av.error

from inpaint_model.errors import UserError
from realtime.capture.frame import CapturedFrame
from realtime.capture.upright import _to_bgr
from realtime.media.reader import VideoReader

_MOST_SKIPPED = 30


class PacedFile:
    """A video file that behaves like a camera: frames come at their times, or not at all.

    Args:
        path: the file.
        fps: play at this rate instead of the file's own.
        loop: begin again at the end.

    Raises:
        UserError: it is no video that can be read; raised by `read` as well.
    """

    def __init__(self, path: Path, fps: float | None = None, *, loop: bool = False) -> None:
        self.name, self.notes = str(path), []
        self._path, self._fps, self._loop = path, fps, loop
        with VideoReader(path) as file:  # it knows what to refuse
            self.nominal_fps = fps or float(file.frame_rate)
        self._index, self._offset_s, self._last_s = 0, 0.0, 0.0
        self._began_s: float | None = None
        self._container = self._open()
        self._frames = self._container.decode(video=0)

    def _open(self) -> av.container.InputContainer:
        container = av.open(str(self._path), options={"protocol_whitelist": "file"})
        container.streams.video[0].thread_type = "SLICE"
        container.streams.video[0].codec_context.thread_count = 1
        return container

    def read(self) -> CapturedFrame | None:
        """Wait until the next frame is due. Late by more than a frame it is skipped, not delayed."""
        skipped = 0
        while True:
            frame = self._next()
            if frame is None:
                return None
            index, self._index = self._index, self._index + 1
            time_s = self._time_s(frame, index)
            now_s = time.perf_counter()
            if self._began_s is None:
                self._began_s = now_s - time_s
            due_s = self._began_s + time_s
            if now_s - due_s > 1 / max(self.nominal_fps, 1.0):
                skipped += 1
                if skipped <= _MOST_SKIPPED:
                    continue
                self._began_s, due_s = (
                    now_s - time_s,
                    now_s,
                )  # reading is slower than the file plays
            image_bgr = _to_bgr(frame)
            time.sleep(max(due_s - time.perf_counter(), 0.0))
            return CapturedFrame(image_bgr, index, due_s)

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
                self._container.close()
                self._container = self._open()
                self._frames = self._container.decode(video=0)
                frame = next(self._frames, None)
        except av.error.FFmpegError:
            raise UserError(f"{self.name}: is damaged after frame {self._index}") from None
        return frame

    def close(self) -> None:
        """Close the file."""
        self._container.close()

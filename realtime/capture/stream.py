"""Reads network streams as they come, and plays files at their own pace."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import av
import av.container
import av.error
import numpy as np
from numpy.typing import NDArray

from inpaint_model.errors import UserError
from realtime.capture.shot import CaptureLost, Shot
from realtime.media.source import VideoFile

# What a stream may lead to: never to files of this machine.
_PROTOCOLS = "rtsp,rtsps,rtp,rtmp,rtmps,tcp,udp,tls,http,https,httpproxy,srt,crypto"
SCHEMES = ("rtsp", "rtsps", "rtmp", "rtmps", "http", "https", "udp", "tcp", "srt")
_OPEN_S, _READ_S = 8.0, 4.0
_MOST_SKIPPED = 30


class NetworkStream:
    """A camera in the network, or any stream FFmpeg reads, with as little delay as it allows.

    Args:
        url: RTSP, HTTP (MJPEG, MPEG-TS, HLS), RTMP, SRT, UDP.

    Raises:
        CaptureLost: nobody answers.
        UserError: what answers is no video.
    """

    def __init__(self, url: str) -> None:
        self.name = without_password(url)
        self.notes: list[str] = []
        options = {
            "protocol_whitelist": _PROTOCOLS,
            "rtsp_transport": "tcp",
            "fflags": "nobuffer",
            "flags": "low_delay",
        }
        try:
            self._container = av.open(url, options=options, timeout=(_OPEN_S, _READ_S))
        except av.error.InvalidDataError:
            raise UserError(f"{self.name}: is no video stream") from None
        except av.error.HTTPClientError as error:
            raise UserError(f"{self.name}: {error.strerror}") from None
        except (av.error.FFmpegError, OSError) as error:
            raise CaptureLost(f"cannot be opened ({error.strerror or error})") from None
        if not self._container.streams.video:
            self._container.close()
            raise UserError(f"{self.name}: has no video in it")
        self._video = self._container.streams.video[0]
        self._video.thread_type, self._video.codec_context.thread_count = "SLICE", 1
        self.nominal_fps = float(self._video.average_rate or 0)
        self._frames = self._decoded()
        self._index = 0

    def _decoded(self) -> Iterator[av.VideoFrame]:
        """Decode; frames damaged on the way are left out."""
        for packet in self._container.demux(self._video):
            try:
                yield from (f for f in packet.decode() if isinstance(f, av.VideoFrame))
            except av.error.InvalidDataError:
                continue

    def read(self) -> Shot | None:
        """Wait for the next frame; None where a recording ends."""
        try:
            frame = next(self._frames, None)
        except (av.error.FFmpegError, OSError) as error:
            raise CaptureLost(f"gives no frames ({error.strerror or error})") from None
        if frame is None:
            if self._container.duration:  # a recording, played to its end
                return None
            raise CaptureLost("has ended")
        captured_s = time.perf_counter()
        shot = Shot(_to_bgr(frame), self._index, captured_s)
        self._index += 1
        return shot

    def close(self) -> None:
        """Hang up."""
        self._container.close()


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
        with VideoFile(path) as file:  # it knows what to refuse
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

    def read(self) -> Shot | None:
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
            return Shot(image_bgr, index, due_s)

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


def _to_bgr(frame: av.VideoFrame) -> NDArray[np.uint8]:
    """Convert to uint8 [H, W, 3] BGR, upright: FFmpeg's quick way, a quarter of the exact one's time."""
    image = frame.to_ndarray(format="bgr24", threads=1)
    quarter_turns = round(frame.rotation / 90) % 4
    if quarter_turns:
        image = np.rot90(image, quarter_turns)
    return np.ascontiguousarray(image, dtype=np.uint8)


def without_password(url: str) -> str:
    """Return the address as it may be shown."""
    parts = urlsplit(url)
    if parts.password is None and parts.username is None:
        return url
    return parts._replace(netloc="***@" + parts.netloc.rpartition("@")[2]).geturl()

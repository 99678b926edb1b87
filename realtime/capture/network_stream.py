"""Reads network streams with low delay."""

from __future__ import annotations

import time
from collections.abc import Iterator

import av
import av.error
from av.container import InputContainer

from inpaint_model.errors import UserError
from realtime.capture.frame import CapturedFrame, CaptureLost
from realtime.media.colour import FAST, to_bgr
from realtime.runtime.shown_text import hide_secrets

# The protocols that a stream may redirect to; files of this machine are not among them.
_PROTOCOLS = "rtsp,rtsps,rtp,rtmp,rtmps,tcp,udp,tls,http,https,httpproxy,srt,crypto"
SCHEMES = ("rtsp", "rtsps", "rtmp", "rtmps", "http", "https", "udp", "tcp", "srt")
_OPEN_TIMEOUT_S, _READ_TIMEOUT_S = 8.0, 4.0
_LOW_DELAY = {"fflags": "nobuffer", "flags": "low_delay"}
_MAX_OFF_S = 2.0  # a recording's frame is earlier or later than due by more: its clock starts again


class NetworkStream:
    """A network camera, or any other stream that FFmpeg reads.

    Args:
        url: RTSP, HTTP (MJPEG, MPEG-TS, HLS), RTMP, SRT, UDP.

    Raises:
        CaptureLost: the address does not answer.
        UserError: the answer is not a video stream.
    """

    def __init__(self, url: str) -> None:
        self.name = hide_secrets(url)
        self.warnings: list[str] = []
        self._container = self._open(url, _LOW_DELAY)
        # A live stream states neither a duration nor a size.
        self._is_recording = bool(self._container.duration) or self._container.size > 0
        if self._is_recording:  # without a buffer the frames by which it was recognised are gone
            self._container.close()
            self._container = self._open(url, {})
        if not self._container.streams.video:
            self._container.close()
            raise UserError(f"{self.name}: has no video in it")
        self._video = self._container.streams.video[0]
        self._video.thread_type, self._video.codec_context.thread_count = "SLICE", 1
        self.nominal_fps = float(self._video.average_rate or 0)
        self._frames = self._decode()
        self._index = 0
        self._began_s: float | None = None  # when a recording's time 0 was due

    def _open(self, url: str, options: dict[str, str]) -> InputContainer:
        options = {"protocol_whitelist": _PROTOCOLS, "rtsp_transport": "tcp", **options}
        try:
            return av.open(url, options=options, timeout=(_OPEN_TIMEOUT_S, _READ_TIMEOUT_S))
        except av.error.InvalidDataError:
            raise UserError(f"{self.name}: is not a video stream") from None
        except av.error.HTTPClientError as error:
            raise UserError(f"{self.name}: {error.strerror}") from None
        except (av.error.FFmpegError, OSError) as error:
            raise CaptureLost(f"cannot be opened ({error.strerror or error})") from None

    def _decode(self) -> Iterator[av.VideoFrame]:
        """Decode; damaged frames are skipped."""
        for packet in self._container.demux(self._video):
            try:
                yield from (f for f in packet.decode() if isinstance(f, av.VideoFrame))
            except av.error.InvalidDataError:
                continue

    def read(self) -> CapturedFrame | None:
        """Wait for the next frame; None at the end of a recording, which is paced by its timestamps."""
        try:
            frame = next(self._frames, None)
        except (av.error.FFmpegError, OSError) as error:
            raise CaptureLost(f"gives no frames ({error.strerror or error})") from None
        if frame is None:
            if self._is_recording:
                return None
            raise CaptureLost("has ended")
        if self._is_recording and frame.time is not None:
            self._wait_until_due(frame.time)
        captured_s = time.perf_counter()
        self._index += 1
        return CapturedFrame(to_bgr(frame, FAST), self._index - 1, captured_s)

    def _wait_until_due(self, time_s: float) -> None:
        now_s = time.perf_counter()
        if self._began_s is None or abs(self._began_s + time_s - now_s) > _MAX_OFF_S:
            self._began_s = now_s - time_s
        time.sleep(max(self._began_s + time_s - now_s, 0.0))

    def close(self) -> None:
        """Close the connection."""
        self._container.close()

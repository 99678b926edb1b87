"""Reads network streams with low delay."""

from __future__ import annotations

import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import av
import av.container
import av.error

from inpaint_model.errors import UserError
from realtime.capture.frame import CapturedFrame, CaptureLost
from realtime.media.colour import FAST, to_bgr

# The protocols that a stream may redirect to; files of this machine are not among them.
_PROTOCOLS = "rtsp,rtsps,rtp,rtmp,rtmps,tcp,udp,tls,http,https,httpproxy,srt,crypto"
SCHEMES = ("rtsp", "rtsps", "rtmp", "rtmps", "http", "https", "udp", "tcp", "srt")
_OPEN_TIMEOUT_S, _READ_TIMEOUT_S = 8.0, 4.0


class NetworkStream:
    """A network camera, or any other stream that FFmpeg reads.

    Args:
        url: RTSP, HTTP (MJPEG, MPEG-TS, HLS), RTMP, SRT, UDP.

    Raises:
        CaptureLost: the address does not answer.
        UserError: the answer is not a video stream.
    """

    def __init__(self, url: str) -> None:
        self.name = without_password(url)
        self.warnings: list[str] = []
        options = {
            "protocol_whitelist": _PROTOCOLS,
            "rtsp_transport": "tcp",
            "fflags": "nobuffer",
            "flags": "low_delay",
        }
        try:
            self._container = av.open(
                url, options=options, timeout=(_OPEN_TIMEOUT_S, _READ_TIMEOUT_S)
            )
        except av.error.InvalidDataError:
            raise UserError(f"{self.name}: is not a video stream") from None
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
        self._frames = self._decode()
        self._index = 0

    def _decode(self) -> Iterator[av.VideoFrame]:
        """Decode; damaged frames are skipped."""
        for packet in self._container.demux(self._video):
            try:
                yield from (f for f in packet.decode() if isinstance(f, av.VideoFrame))
            except av.error.InvalidDataError:
                continue

    def read(self) -> CapturedFrame | None:
        """Wait for the next frame; None at the end of a recording."""
        try:
            frame = next(self._frames, None)
        except (av.error.FFmpegError, OSError) as error:
            raise CaptureLost(f"gives no frames ({error.strerror or error})") from None
        if frame is None:
            if self._container.duration:  # a recording, not a live stream
                return None
            raise CaptureLost("has ended")
        captured_s = time.perf_counter()
        self._index += 1
        return CapturedFrame(to_bgr(frame, FAST), self._index - 1, captured_s)

    def close(self) -> None:
        """Close the connection."""
        self._container.close()


def without_password(url: str) -> str:
    """Return the address without user name and password, for messages."""
    parts = urlsplit(url)
    if parts.password is None and parts.username is None:
        return url
    return parts._replace(netloc="***@" + parts.netloc.rpartition("@")[2]).geturl()

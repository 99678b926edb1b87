"""Reads network streams with low delay."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import NoReturn

import av
import av.error
from av.container import InputContainer

from inpaint_model.errors import UserError
from inpaint_model.limits import Limits
from realtime.capture.frame import CapturedFrame, CaptureLost
from realtime.media.colour import FAST, ToBgr
from realtime.media.container import check_frame_size, decoder_options, demux, input_options
from realtime.runtime.shown_text import hide_secrets

# The protocols that a stream may redirect to; files of this machine are not among them.
_PROTOCOLS = "rtsp,rtsps,rtp,rtmp,rtmps,tcp,udp,tls,http,https,httpproxy,srt,crypto"
SCHEMES = ("rtsp", "rtsps", "rtmp", "rtmps", "http", "https", "udp", "tcp", "srt")
# FFmpeg's names of the formats that only a stream has, and of sound and texts beside it.
_STREAM_FORMATS = (
    *("hls", "mpjpeg", "rtsp", "rtp", "rtp_mpegts", "sdp", "live_flv"),
    *("aac", "mp3", "ac3", "eac3", "webvtt"),
)
_LOW_DELAY = {"fflags": "nobuffer", "flags": "low_delay"}
_MAX_OFF_S = 2.0  # a recording's frame is earlier or later than due by more: its clock starts again


class NetworkStream:
    """A network camera, or any other stream that FFmpeg reads.

    Args:
        url: RTSP, HTTP (MJPEG, MPEG-TS, HLS), RTMP, SRT, UDP.
        limits: how slow it may be, and how large its frames; by default those of `Limits.of_environment`.

    Raises:
        CaptureLost: the address does not answer.
        UserError: the answer is not a video stream.
    """

    def __init__(self, url: str, limits: Limits | None = None) -> None:
        self.name = hide_secrets(url)
        self._limits = limits or Limits.of_environment()
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
        context = self._video.codec_context
        try:
            if context is None:
                raise UserError(f"{self.name}: uses a codec that cannot be decoded here")
            check_frame_size(self.name, context, self._limits)
        except UserError:
            self._container.close()
            raise
        self._video.thread_type, context.thread_count = "SLICE", 1
        context.options = decoder_options(self._limits)
        self.nominal_fps = float(self._video.average_rate or 0)
        self._frames, self._to_bgr = self._decode(), ToBgr(FAST)
        self._index = 0
        self._began_s: float | None = None  # when a recording's time 0 was due

    def _open(self, url: str, options: dict[str, str]) -> InputContainer:
        limits = self._limits
        options = {
            **input_options(limits, _STREAM_FORMATS, _PROTOCOLS),
            "max_redirects": str(limits.redirects),
            "rtsp_transport": "tcp",
            **options,
        }
        began_s = time.perf_counter()
        try:
            return av.open(url, options=options, timeout=(limits.open_s, limits.silent_s))
        except (av.error.FFmpegError, ValueError, OSError) as error:
            if time.perf_counter() - began_s >= limits.open_s:
                raise CaptureLost(f"does not answer within {limits.open_s} s") from None
            self._refuse(error)

    def _refuse(self, error: Exception) -> NoReturn:
        """Say why an address cannot be opened."""
        if isinstance(error, av.error.InvalidDataError):
            raise UserError(f"{self.name}: is not a video stream") from None
        if isinstance(error, av.error.HTTPClientError):
            raise UserError(f"{self.name}: {error.strerror}") from None
        if isinstance(error, ValueError):
            raise UserError(f"{self.name}: is not an address of a stream") from None
        raise CaptureLost(
            f"cannot be opened ({getattr(error, 'strerror', None) or error})"
        ) from None

    def _decode(self) -> Iterator[av.VideoFrame]:
        """Decode; damaged frames are skipped.

        Raises:
            CaptureLost: packets come, and none of them can be decoded.
        """
        since_s = time.perf_counter()
        for packet in demux(self._container, self._video):
            try:
                for frame in packet.decode():
                    yield frame
                    since_s = time.perf_counter()
            except av.error.InvalidDataError:
                pass
            if time.perf_counter() - since_s > self._limits.open_s:
                raise CaptureLost(f"gives nothing that can be decoded for {self._limits.open_s} s")

    def read(self) -> CapturedFrame | None:
        """Wait for the next frame; None at the end of a recording, which is paced by its timestamps."""
        try:
            frame = next(self._frames, None)
        except av.error.ExitError:
            raise CaptureLost(f"gives no frames for {self._limits.silent_s} s") from None
        except (av.error.FFmpegError, OSError) as error:
            raise CaptureLost(f"gives no frames ({error.strerror or error})") from None
        if frame is not None:
            check_frame_size(self.name, frame, self._limits)
        else:
            if self._is_recording:
                return None
            raise CaptureLost("has ended")
        if self._is_recording and frame.time is not None:
            self._wait_until_due(frame.time)
        captured_s = time.perf_counter()
        self._index += 1
        return CapturedFrame(self._to_bgr(frame), self._index - 1, captured_s)

    def _wait_until_due(self, time_s: float) -> None:
        now_s = time.perf_counter()
        if self._began_s is None or abs(self._began_s + time_s - now_s) > _MAX_OFF_S:
            self._began_s = now_s - time_s
        time.sleep(max(self._began_s + time_s - now_s, 0.0))

    def close(self) -> None:
        """Close the connection."""
        self._container.close()

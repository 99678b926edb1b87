"""Opens a video file and selects the stream to decode; refuses other files with a clear error."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import av.error
from av.container import InputContainer
from av.stream import Disposition

from inpaint_model.errors import UserError
from realtime.media.truncation import is_cut_short

_NOT_VIDEO = {"tty", "image2", "lavfi", "concat", "ffmetadata"}  # FFmpeg plays these as video
_MAX_PIXELS = 8192 * 4608  # of a frame
_MAX_STREAMS = 200
_MAX_RATE = 1000  # frames a second; some demuxers give the ticks of their clock


def open_container(path: Path) -> InputContainer:
    """Open a local file for reading; other protocols are refused, also inside the file.

    Raises:
        UserError: it cannot be read.
    """
    try:
        return av.open(
            str(path.absolute()),  # FFmpeg takes "a:b.mp4" for an address of the protocol "a"
            options={"protocol_whitelist": "file"},
            metadata_errors="surrogateescape",
        )
    except av.error.FFmpegError as error:
        if isinstance(error, PermissionError):
            raise UserError(f"{path}: cannot be read (permission denied)") from None
        raise UserError(f"{path}: is not a video that can be read, or is cut short") from None


def choose_stream(path: Path, container: InputContainer) -> av.VideoStream:
    """Return the first video stream that is not a cover picture.

    Raises:
        UserError: there is no such stream, it cannot be decoded, or the file is cut short.
    """
    names = set(container.format.name.split(","))
    if any(name.endswith("_pipe") for name in names) or names & {"image2"}:
        raise UserError(f"{path}: is a picture, not a video; use `unmask image`")
    videos = [
        stream
        for stream in container.streams.video
        if not stream.disposition & Disposition.attached_pic
    ]
    if not videos or names & _NOT_VIDEO:
        raise UserError(f"{path}: has no video in it")
    if is_cut_short(path):
        raise UserError(f"{path}: is cut short; copy it again or repair it first")
    if len(container.streams) > _MAX_STREAMS:
        raise UserError(f"{path}: has more than {_MAX_STREAMS} streams")
    video = videos[0]
    if video.codec_context is None:
        raise UserError(f"{path}: uses a codec that cannot be decoded here")
    check_size(path, video.codec_context.width, video.codec_context.height)
    return video


def is_video(path: Path) -> bool:
    """Say whether a file is a whole video, and no picture."""
    try:
        with open_container(path) as container:
            choose_stream(path, container)
    except UserError:
        return False
    return True


def check_size(path: Path, width: int, height: int) -> None:
    """Refuse a frame that is too large to decode; width and height in pixels.

    Raises:
        UserError: it has more than `_MAX_PIXELS`.
    """
    if width * height > _MAX_PIXELS:
        limit = f"{_MAX_PIXELS / 1e6:.0f} megapixels"
        raise UserError(f"{path}: {width}x{height} is more than {limit} a frame")


def time_base_of(video: av.VideoStream) -> Fraction:
    """Return the seconds a unit of the stream's timestamps."""
    return video.time_base or Fraction(1, 90_000)


def frame_rate_of(video: av.VideoStream) -> Fraction:
    """Return the average frames a second; 25 if the file does not say, or says what cannot be."""
    rates = (video.average_rate, video.guessed_rate, Fraction(25))
    return next(rate for rate in rates if rate and rate <= _MAX_RATE)

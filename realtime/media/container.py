"""Opens a video file and selects the stream to decode; refuses other files with a clear error."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import av
import av.error
from av.container import InputContainer
from av.stream import Disposition, Stream
from av.video.codeccontext import VideoCodecContext

from inpaint_model.errors import UserError
from inpaint_model.limits import VARIABLE, Limits
from realtime.media.kinds import is_still
from realtime.media.truncation import is_cut_short

# FFmpeg's names of the formats that are read. It knows others, such as playlists, that name further files.
_FORMATS = (
    *("mov", "matroska", "webm", "avi", "mpegts", "mpeg", "mpegvideo", "asf", "flv", "ogg", "dv"),
    *("mxf", "yuv4mpegpipe", "mjpeg", "nut", "gif", "m4v", "h264", "hevc", "ivf", "obu"),
)
_MAX_STREAMS = 200
_FEWEST_BITS = 12  # of a pixel, as far as the limit counts: 4:2:0 with 8 bits
_MAX_RATE = 1000  # frames a second; some demuxers give the ticks of their clock


def open_container(path: Path) -> InputContainer:
    """Open a local file for reading; other protocols are refused, also inside the file.

    Raises:
        UserError: it cannot be read, or not in time.
    """
    limits = Limits.of_environment()
    try:
        return av.open(
            str(path.absolute()),  # FFmpeg takes "a:b.mp4" for an address of the protocol "a"
            options=input_options(limits, (), "file"),
            metadata_errors="surrogateescape",
            timeout=limits.open_s,
        )
    except av.error.ExitError:
        raise UserError(
            f"{path}: takes more than {limits.open_s} s to open ({VARIABLE}=open_s=... allows it)"
        ) from None
    except (av.error.FFmpegError, ValueError) as error:
        if isinstance(error, PermissionError):
            raise UserError(f"{path}: cannot be read (permission denied)") from None
        if is_still(path):
            raise UserError(f"{path}: is a picture, not a video; use `unmask image`") from None
        raise UserError(f"{path}: is not a video that can be read, or is cut short") from None


def input_options(limits: Limits, more_formats: Iterable[str], protocols: str) -> dict[str, str]:
    """Return FFmpeg's options by which it opens only what is meant.

    Args:
        limits: how large frames may be.
        more_formats: FFmpeg's names of formats that are read besides those of files.
        protocols: FFmpeg's names of the protocols that the input, and all that it names, may use.
    """
    return {
        "protocol_whitelist": protocols,
        "format_whitelist": ",".join((*_FORMATS, *more_formats)),
        "max_streams": str(_MAX_STREAMS),
        **decoder_options(limits),
    }


def decoder_options(limits: Limits) -> dict[str, str]:
    """Return FFmpeg's options by which a decoder refuses frames that are too large."""
    return {"max_pixels": str(limits.frame_mb * 8_000_000 // _FEWEST_BITS)}


def choose_stream(path: Path, container: InputContainer) -> av.VideoStream:
    """Return the first video stream that is not a cover picture.

    Raises:
        UserError: there is no such stream, it cannot be decoded, or the file is cut short.
    """
    videos = [
        stream
        for stream in container.streams.video
        if not stream.disposition & Disposition.attached_pic
    ]
    if not videos:
        raise UserError(f"{path}: has no video in it")
    if is_cut_short(path):
        raise UserError(f"{path}: is cut short; copy it again or repair it first")
    video = videos[0]
    if video.codec_context is None:
        raise UserError(f"{path}: uses a codec that cannot be decoded here")
    limits = Limits.of_environment()
    check_frame_size(path, video.codec_context, limits)
    video.codec_context.options = decoder_options(limits)
    return video


def is_video(path: Path) -> bool:
    """Say whether a file is a whole video, and no picture."""
    try:
        with open_container(path) as container:
            choose_stream(path, container)
    except UserError:
        return False
    return True


def demux(container: InputContainer, *streams: Stream) -> Iterator[av.Packet]:
    """Yield the packets of streams, or of all where none is named, from the file's position on.

    A transport stream may begin further streams anywhere. PyAV leaves their packets out, but at the end,
    after the last packet of those that it knows, it may raise IndexError for them.
    """
    with suppress(IndexError):
        yield from container.demux(*streams)


def check_frame_size(
    name: object, frames: VideoCodecContext | av.VideoFrame, limits: Limits
) -> None:
    """Refuse frames that are too large to decode.

    Args:
        name: of the file or stream, for the message.
        frames: a frame, or what decodes them.
        limits: what is allowed.

    Raises:
        UserError: they are over the limit, or a frame has no pixels.
    """
    if isinstance(frames, av.VideoFrame) and not frames.width * frames.height:
        raise UserError(f"{name}: a frame of it has no pixels")
    bits = frames.format.padded_bits_per_pixel if frames.format else 0
    limits.check_frame(name, frames.width, frames.height, max(bits, _FEWEST_BITS))


def time_base_of(video: av.VideoStream) -> Fraction:
    """Return the seconds a unit of the stream's timestamps."""
    return video.time_base or Fraction(1, 90_000)


def frame_rate_of(video: av.VideoStream) -> Fraction:
    """Return the average frames a second; 25 if the file does not say, or says what cannot be."""
    rates = (video.average_rate, video.guessed_rate, Fraction(25))
    return next(rate for rate in rates if rate and rate <= _MAX_RATE)

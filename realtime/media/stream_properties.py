"""What a coded video says of itself, like its source, and encoders set up to say it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from fractions import Fraction

import av
import av.error
from av.codec.context import Flags
from av.video.codeccontext import VideoCodecContext

from inpaint_model.errors import UserError
from realtime.media.encoder_choice import EncoderChoice
from realtime.media.native_planes import display_matrix
from realtime.runtime.threads import half_the_cores

_FIELDS = {2: "tff", 5: "tff", 3: "bff", 4: "bff"}
"""By FFmpeg's AVFieldOrder: the field that is shown first."""


@dataclass(frozen=True)
class StreamProperties:
    """What the coded video says of itself.

    Attributes:
        width, height: pixels as stored.
        time_base: seconds a unit of time.
        frame_rate: average frames a second.
        aspect: a stored pixel's width over its height; 0 where the source does not say.
        color_range, colorspace, color_primaries, color_trc: FFmpeg's numbers.
        field_order: FFmpeg's number.
        display_matrix: nine numbers that turn it for display, or None.
    """

    width: int
    height: int
    time_base: Fraction
    frame_rate: Fraction
    aspect: Fraction
    color_range: int
    colorspace: int
    color_primaries: int
    color_trc: int
    field_order: int = 0
    display_matrix: tuple[int, ...] | None = None


def stream_properties(
    frame: av.VideoFrame, stream: av.VideoStream, frame_rate: Fraction, *, beside: int = 1
) -> StreamProperties:
    """Describe a coded video that looks like its source.

    Args:
        frame: one of the source's.
        stream: the source.
        frame_rate: average frames a second.
        beside: so many pictures side by side in display.
    """
    across = 1 if round(frame.rotation / 90) % 2 else beside
    is_rgb = frame.format.is_rgb or frame.format.has_palette
    full = frame.format.name.startswith("yuvj")
    return StreamProperties(
        width=frame.width * across,
        height=frame.height * (beside // across),
        time_base=stream.time_base or Fraction(1, 90_000),
        frame_rate=frame_rate,
        aspect=Fraction(stream.sample_aspect_ratio or 0),
        color_range=1 if is_rgb else 2 if full else frame.color_range,
        colorspace=1 if is_rgb else frame.colorspace,
        color_primaries=frame.color_primaries,
        color_trc=frame.color_trc,
        field_order=stream.codec_context.field_order,
        display_matrix=display_matrix(frame),
    )


def configure(context: VideoCodecContext, coding: EncoderChoice, like: StreamProperties) -> None:
    """Set an encoder up; the same settings give the same header every time."""
    context.width, context.height = like.width, like.height
    context.pix_fmt, context.time_base = coding.encoder_format, like.time_base
    context.framerate = like.frame_rate
    context.flags |= Flags.frame_duration | Flags.global_header
    context.thread_type = "AUTO"
    if coding.encoder == "libx264":
        context.thread_type, context.thread_count = "FRAME", 1 + half_the_cores()
    context.options, context.field_order = dict(coding.options), like.field_order
    context.color_range, context.colorspace = like.color_range, like.colorspace
    context.color_primaries, context.color_trc = like.color_primaries, like.color_trc
    if like.aspect:
        context.sample_aspect_ratio = like.aspect
    if coding.interlaced:
        context.flags |= Flags.interlaced_dct | Flags.interlaced_me
        if coding.encoder == "libx264":
            context.options["x264-params"] = f"{_FIELDS.get(like.field_order, 'tff')}=1"


def open_encoder(
    coding: EncoderChoice, look: StreamProperties, *, headers_inside: bool = False
) -> VideoCodecContext:
    """Open an encoder of its own; its headers may travel with every group of frames.

    Raises:
        UserError: it refuses such a video.
    """
    context = av.CodecContext.create(coding.encoder, "w")
    assert isinstance(context, VideoCodecContext)
    configure(context, coding, look)
    if headers_inside:
        context.flags &= ~Flags.global_header
    try:
        context.open()
    except av.error.FFmpegError as error:
        what = f"{look.width}x{look.height} {coding.encoder_format}"
        raise UserError(f"{coding.encoder} cannot code {what} ({error.strerror})") from None
    return context


def header_digest(coding: EncoderChoice, look: StreamProperties) -> str:
    """Return what tells coders apart whose segments must not be joined."""
    header = open_encoder(coding, look).extradata or b""
    return hashlib.sha256(header).hexdigest()

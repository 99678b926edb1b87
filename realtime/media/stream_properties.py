"""The properties of a video stream that its encoder and container state, taken from the source."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import av
import av.error
from av.codec.context import Flags
from av.video.codeccontext import VideoCodecContext

from inpaint_model.errors import UserError
from realtime.media.encoder_choice import EncoderChoice
from realtime.media.hdr_metadata import HdrMetadata
from realtime.media.large_frames import parameters_for_few_frames, set_x264_threads
from realtime.media.orientation import Orientation, display_matrix

_FIELDS = {2: "tff", 5: "tff", 3: "bff", 4: "bff"}
"""x264's name of the field that is shown first, by FFmpeg's AVFieldOrder number."""


@dataclass(frozen=True)
class StreamProperties:
    """The properties that an encoded video states.

    Attributes:
        width, height: size of the stored frame, pixels.
        time_base: seconds a unit of the timestamps.
        frame_rate: average frames a second.
        aspect: sample aspect ratio, width over height; 0: unknown.
        color_range, colorspace, color_primaries, color_trc: FFmpeg's numbers.
        field_order: FFmpeg's number.
        display_matrix: the nine numbers that rotate or mirror it for display, or None.
        hdr: HDR10 metadata, or None.
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
    hdr: HdrMetadata | None = None


def stream_properties(
    frame: av.VideoFrame, stream: av.VideoStream, frame_rate: Fraction, *, side_by_side: bool
) -> StreamProperties:
    """Return the properties of an output that is displayed like its source.

    Args:
        frame: a frame of the source.
        stream: the source's video stream.
        frame_rate: average frames a second.
        side_by_side: two images are displayed side by side.
    """
    images = 2 if side_by_side else 1
    across = 1 if Orientation.of_frame(frame).swaps_sides else images
    is_rgb = frame.format.is_rgb or frame.format.has_palette
    full = frame.format.name.startswith("yuvj")
    return StreamProperties(
        width=frame.width * across,
        height=frame.height * (images // across),
        time_base=stream.time_base or Fraction(1, 90_000),
        frame_rate=frame_rate,
        aspect=Fraction(stream.sample_aspect_ratio or 0),
        color_range=1 if is_rgb else 2 if full else frame.color_range,
        colorspace=1 if is_rgb else frame.colorspace,
        color_primaries=frame.color_primaries,
        color_trc=frame.color_trc,
        field_order=stream.codec_context.field_order,
        display_matrix=display_matrix(frame),
        hdr=HdrMetadata.of_frame(frame),
    )


def configure(
    context: VideoCodecContext, choice: EncoderChoice, properties: StreamProperties
) -> None:
    """Configure an encoder; the same arguments give the same stream header every time."""
    context.width, context.height = properties.width, properties.height
    context.pix_fmt, context.time_base = choice.encoder_format, properties.time_base
    context.framerate = properties.frame_rate
    context.flags |= Flags.frame_duration | Flags.global_header
    context.thread_type = "AUTO"
    if choice.encoder == "libx264":
        set_x264_threads(context, properties.width * properties.height)
    context.options, context.field_order = dict(choice.options), properties.field_order
    context.color_range, context.colorspace = properties.color_range, properties.colorspace
    context.color_primaries, context.color_trc = properties.color_primaries, properties.color_trc
    if properties.aspect:
        context.sample_aspect_ratio = properties.aspect
    if choice.interlaced:
        context.flags |= Flags.interlaced_dct | Flags.interlaced_me
    name = f"{choice.encoder.removeprefix('lib')}-params"  # the encoder's own parameters
    parameters = [context.options.get(name, ""), *_own_parameters(choice, properties)]
    if any(parameters):
        context.options[name] = ":".join(filter(None, parameters))


def _own_parameters(choice: EncoderChoice, properties: StreamProperties) -> Iterator[str]:
    """Yield what x264, x265 and SVT-AV1 are told in words of their own."""
    if choice.interlaced and choice.encoder == "libx264":
        yield f"{_FIELDS.get(properties.field_order, 'tff')}=1"
    yield parameters_for_few_frames(choice.encoder, properties.width * properties.height)
    if properties.hdr is not None:
        yield properties.hdr.parameters(choice.encoder)


def open_encoder(
    choice: EncoderChoice, properties: StreamProperties, *, in_band_headers: bool = False
) -> VideoCodecContext:
    """Open an encoder; with `in_band_headers` every GOP carries the parameter sets.

    Raises:
        UserError: the encoder refuses such a video.
    """
    context = av.CodecContext.create(choice.encoder, "w")
    assert isinstance(context, VideoCodecContext)
    configure(context, choice, properties)
    if in_band_headers:
        context.flags &= ~Flags.global_header
    try:
        context.open()
    except av.error.FFmpegError as error:
        what = f"{properties.width}x{properties.height} {choice.encoder_format}"
        raise UserError(f"{choice.encoder} cannot encode {what} ({error.strerror})") from None
    return context


def header_digest(choice: EncoderChoice, properties: StreamProperties) -> str:
    """Return a hash of the stream header; only segments with the same header may be joined."""
    header = open_encoder(choice, properties).extradata or b""
    return hashlib.sha256(header).hexdigest()

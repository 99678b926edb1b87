"""Plans how a video file is written, before its first frame is unmasked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from inpaint_model.errors import UserError
from realtime.media.codecs import Encoding
from realtime.media.colour import is_opaque
from realtime.media.container import open_container
from realtime.media.encoder_choice import ALPHA_CODECS, choose_encoder, has_alpha
from realtime.media.frames import Span
from realtime.media.gop_copy import GopCopier
from realtime.media.muxing import OutputPlan
from realtime.media.output_check import try_output
from realtime.media.reader import VideoReader
from realtime.media.stream_copy import first_packets, plan_copies
from realtime.media.stream_properties import stream_properties


@dataclass(frozen=True)
class VideoOptions:
    """How a video file is written.

    Attributes:
        side_by_side: source and result are shown side by side.
        badge: a label in the picture says which frames show synthetic faces.
        overwrite: an existing output is replaced.
        resume: continue an interrupted run; if this run is interrupted, keep its finished segments.
        span: the part of the source to unmask.
        encoding: codec and quality.
        drop_alpha: the result has no transparency, whatever the source has.
        copy_untouched: GOPs in which nothing was replaced are copied without encoding.
        segment_frames: frames a segment; a crash loses at most the unfinished segment.
    """

    side_by_side: bool = False
    badge: bool = False
    overwrite: bool = False
    resume: bool = False
    span: Span = Span()  # noqa: RUF009 (frozen)
    encoding: Encoding = Encoding()  # noqa: RUF009 (frozen)
    drop_alpha: bool = False
    copy_untouched: bool = False
    segment_frames: int = 150


def plan_output(file: VideoReader, target: Path, options: VideoOptions) -> OutputPlan:
    """Choose encoder and streams.

    Raises:
        UserError: the target's format or codec cannot hold the video.
    """
    native = file.first_frame().native
    drop_alpha, alpha_warnings = options.drop_alpha, list[str]()
    if has_alpha(native.format) and options.encoding.codec not in ALPHA_CODECS and not drop_alpha:
        with VideoReader(file.path) as other:
            drop_alpha = all(is_opaque(frame.native) for frame in other.frames(options.span))
        alpha_warnings = ["the alpha channel is opaque: left out"] if drop_alpha else []
    try:
        encoder = choose_encoder(native, target, options.encoding, drop_alpha=drop_alpha)
    except UserError as error:
        raise UserError(f"{file.path}: {error}") from None
    encoder.warnings.extend(alpha_warnings)
    if options.copy_untouched:
        GopCopier(file.video)
        if encoder.encoder != "libx264" or options.side_by_side:
            raise UserError("--copy-untouched: the result must be H.264, of the source's size")
    properties = stream_properties(
        native, file.video, file.frame_rate, side_by_side=options.side_by_side
    )
    if properties.hdr is not None and not properties.hdr.is_kept_by(encoder.encoder):
        encoder.warnings.append(f"{encoder.codec} does not keep the HDR10 metadata")
    with open_container(file.path) as source:
        packets = first_packets(source)
        copied_streams, warnings = plan_copies(source, file.video.index, packets, target)
        plan = OutputPlan(encoder, properties, copied_streams, [*encoder.warnings, *warnings])
        try_output(source, packets, target, plan)
    return plan

"""Checks that an output can be written and read: before the first frame, and before it gets its name."""

from __future__ import annotations

import io
from pathlib import Path

import av
import av.error
from av.container import InputContainer
from av.stream import Disposition

from inpaint_model.errors import UserError
from realtime.media.muxing import OutputPlan, add_streams, open_output, output_tags
from realtime.media.stream_copy import copy_of
from realtime.media.stream_properties import open_encoder

_STILL = Disposition.attached_pic


def try_output(
    source_file: InputContainer, packets: dict[int, av.Packet], target: Path, plan: OutputPlan
) -> None:
    """Write one frame and the first packets of the copied streams to memory, and read the frame back.

    Args:
        source_file: the source.
        packets: the first packet of each of its streams.
        target: the output, for the container and for messages.
        plan: how it will be written.

    Raises:
        UserError: such a file cannot be written, or not be read.
    """
    encoder, properties = open_encoder(plan.encoder, plan.properties), plan.properties
    frame = av.VideoFrame(properties.width, properties.height, plan.encoder.encoder_format)
    for plane in frame.planes:
        plane.update(bytes(plane.buffer_size))
    frame.pts, frame.time_base = 0, properties.time_base
    memory = io.BytesIO()
    try:
        output = open_output(memory, target, source_file, properties)
        video, copies = add_streams(output, source_file, plan)
        output.metadata.update(output_tags(source_file, synthetic=True))
        output.start_encoding()
        for packet in [*encoder.encode(frame), *encoder.encode(None)]:
            trial = copy_of(packet, video)
            trial.pts = trial.dts = 0  # x265 gives a random decoding time to a single frame
            output.mux(trial)
        for index, stream in copies.items():
            if index in packets:
                output.mux(copy_of(packets[index], stream))
        output.close()
    except (av.error.FFmpegError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UserError(f"{target}: cannot be written ({reason})") from None
    memory.seek(0)
    check_readable(memory, target)


def check_readable(file: Path | io.BytesIO | str, target: Path) -> None:
    """Open a written file and decode its first and its last frame.

    Raises:
        UserError: it cannot be read.
    """
    if isinstance(file, Path):
        file = str(file.absolute())
    try:
        with av.open(file, "r", metadata_errors="surrogateescape") as container:
            video = next(s for s in container.streams.video if not s.disposition & _STILL)
            first = next(container.decode(video))
            end = (video.start_time or 0) + (video.duration or 0)
            if not video.duration:
                end = round((container.duration or 0) / 1_000_000 / (video.time_base or 1))
            if end > (first.pts or 0):
                container.seek(end, stream=video)
                if not any(True for _ in container.decode(video)):
                    raise StopIteration
    except (av.error.FFmpegError, OSError, StopIteration) as error:
        reason = getattr(error, "strerror", None) or "it holds no frame"
        raise UserError(f"{target}: cannot be read after it is written ({reason})") from None

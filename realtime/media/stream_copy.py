"""Copies the source's other streams packet by packet: sound, subtitles, attachments, data."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import av.error
from av.container import InputContainer, OutputContainer
from av.stream import Disposition, Stream

from inpaint_model.errors import UserError
from realtime.media.codecs import container_format
from realtime.media.frames import Span
from realtime.media.reader import VideoReader

_VOLATILE_TAGS = {"encoder", "duration", "bps", "number_of_frames", "number_of_bytes"}


@dataclass(frozen=True)
class Cut:
    """The part of the source that goes into the output.

    Attributes:
        span: the part.
        shift_s: the timestamp of its first frame, which becomes 0:00; 0 for the whole video.
    """

    span: Span
    shift_s: Fraction = Fraction(0)


def plan_copies(file: VideoReader, target: Path) -> tuple[set[int], list[str]]:
    """Find the streams, other than the video, that the target's container can hold.

    Returns:
        Their indices, and a warning for each stream that is left out.

    Raises:
        UserError: the container cannot hold a sound stream; sound is never left out.
    """
    container = container_format(target)
    fitting, warnings = set[int](), []
    for stream in file.other_streams:
        if _is_made_by_muxer(stream, file.container, container):
            continue
        if _fits(stream, container):
            fitting.add(stream.index)
            continue
        codec = stream.codec_context.codec.canonical_name if stream.codec_context else "unknown"
        if stream.type == "audio":
            fix = "convert it first" if container == "matroska" else "name an .mkv file"
            raise UserError(f"{target}: {codec} sound does not fit into {target.suffix}; {fix}")
        name = {"subtitle": "subtitles", "data": "a data stream", "video": "a second video"}
        what = name.get(stream.type, "an attachment")
        warnings.append(f"{what} ({codec}) do not fit into {target.suffix}: left out")
    return fitting, warnings


def _is_made_by_muxer(stream: Stream, source: InputContainer, container: str) -> bool:
    """Say whether the muxer makes this stream itself, from chapters or the video's time code."""
    if stream.type != "data" or container not in ("mp4", "mov"):
        return False
    chapters = len(source.chapters())
    return "timecode" in stream.metadata or (chapters > 0 and stream.frames == chapters)


def _fits(stream: Stream, container: str) -> bool:
    """Try whether the muxer accepts the stream."""
    if stream.type not in ("audio", "subtitle", "data", "video", "attachment"):
        return False
    try:
        with av.open(
            io.BytesIO(), "w", format=container, metadata_errors="surrogateescape"
        ) as probe:
            add_copy(probe, stream)
            probe.start_encoding()
    except (av.error.FFmpegError, ValueError, KeyError):
        return False
    return True


def add_copy(container: OutputContainer, stream: Stream) -> Stream:
    """Add a stream for this one's packets, with its tags and disposition."""
    copy = container.add_stream_from_template(stream, opaque=True)
    copy.metadata.update(stream_tags(stream))
    copy.disposition = stream.disposition
    return copy


def stream_tags(stream: Stream) -> dict[str, str]:
    """Return the stream's tags that stay true after it is copied or encoded again."""
    return {k: v for k, v in stream.metadata.items() if k.lower() not in _VOLATILE_TAGS}


def other_packets(
    source: InputContainer, copies: dict[int, Stream], cut: Cut
) -> Iterator[tuple[Fraction, av.Packet]]:
    """Yield the other streams' packets and their times, seconds; a cut shifts their timestamps."""
    if not copies:
        return
    start_s = Fraction(source.start_time or 0, 1_000_000)
    time_s = Fraction(0)
    wanted = [source.streams[index] for index in copies]
    with suppress(av.error.FFmpegError):  # at a damaged end: what came before it is kept
        for packet in source.demux(wanted):
            if not packet.size:
                continue
            at = packet.dts if packet.dts is not None else packet.pts
            if at is not None:
                time_s = at * packet.time_base
            if not _is_inside(packet, time_s - start_s, cut.span):
                continue
            if cut.shift_s:
                shift = round(cut.shift_s / packet.time_base)
                packet.pts = None if packet.pts is None else packet.pts - shift
                packet.dts = None if packet.dts is None else packet.dts - shift
            packet.stream = copies[packet.stream.index]
            yield time_s - cut.shift_s, packet


def _is_inside(packet: av.Packet, time_s: Fraction, span: Span) -> bool:
    if span.is_whole or packet.stream.disposition & Disposition.attached_pic:
        return True
    return span.start_s <= time_s and (span.end_s is None or time_s < span.end_s)

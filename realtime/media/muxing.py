"""Muxes the output file: encoded frames from the store, every other stream from the source."""

from __future__ import annotations

import heapq
import io
import itertools
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import av.error
from av.container import InputContainer, OutputContainer
from av.stream import Stream

from inpaint_model.errors import UserError
from realtime.media.atomic_file import SYNTHETIC_NOTE
from realtime.media.codecs import container_format
from realtime.media.container import open_container
from realtime.media.encoder_choice import EncoderChoice
from realtime.media.segment_store import SegmentStore
from realtime.media.stream_copy import Cut, add_copy, other_packets, stream_tags
from realtime.media.stream_properties import StreamProperties, configure

_CONTAINER_TAGS = {"major_brand", "minor_version", "compatible_brands", "encoder"}
_MP4_FAMILY = ("mp4", "mov")
_MP4_TAGS = {  # tags that these containers store without use_metadata_tags
    *("title", "artist", "album_artist", "composer", "album", "date", "comment", "genre"),
    *("copyright", "grouping", "lyrics", "description", "synopsis", "show", "episode_id"),
    *("network", "keywords", "track", "disc", "creation_time", "location", "episode_sort"),
    *("season_number", "media_type", "hd_video", "gapless_playback", "compilation", "rating"),
}


@dataclass(frozen=True)
class OutputPlan:
    """How the output is encoded and muxed; decided before the first frame is unmasked.

    Attributes:
        encoder: encoder and pixel formats of the video stream.
        properties: what the video stream states.
        copied_streams: indices of the source's streams that are copied packet by packet.
        warnings: one line each.
    """

    encoder: EncoderChoice
    properties: StreamProperties
    copied_streams: set[int]
    warnings: list[str]


def mux_output(
    path: Path,
    target: Path,
    store: SegmentStore,
    source: Path,
    plan: OutputPlan,
    cut: Cut,
    *,
    synthetic: bool,
) -> list[str]:
    """Write the output file.

    Args:
        path: the temporary path to write to.
        target: the final path, for the container and for messages.
        store: all encoded frames.
        source: the file whose other streams, tags and chapters are copied.
        plan: encoder, stream properties and copied streams.
        cut: the part of the source.
        synthetic: faces were filled, which the file's tags then say.

    Returns:
        Warnings, one line each.

    Raises:
        UserError: it cannot be written.
    """
    damaged = 0
    with (
        open_container(source) as source_file,
        open_output(path, target, source_file, plan.properties) as output,
    ):
        video, copies = add_streams(output, source_file, plan)
        output.metadata.update(output_tags(source_file, synthetic=synthetic))
        _add_chapters(output, source_file, cut)
        try:
            output.start_encoding()
            video_packets = _video_packets(store, video, plan.properties, cut)
            others = other_packets(source_file, copies, cut)
            for _, packet in heapq.merge(video_packets, others, key=lambda item: item[0]):
                try:
                    output.mux(packet)
                except av.error.InvalidDataError:  # a damaged packet of another stream
                    if packet.stream.index == video.index:
                        raise
                    damaged += 1
            output.close()
        except (av.error.FFmpegError, OSError) as error:
            reason = getattr(error, "strerror", None) or error
            with suppress(av.error.FFmpegError, OSError):
                output.close()
            raise UserError(f"{target}: cannot be written ({reason})") from None
    return [f"{damaged} damaged packets of sound or other streams are left out"] if damaged else []


def open_output(
    file: Path | io.BytesIO,
    target: Path,
    source_file: InputContainer,
    properties: StreamProperties,
) -> OutputContainer:
    """Open an output for writing.

    Args:
        file: its temporary path, or memory.
        target: the final path, for the container and for messages.
        source_file: the source, for its tags.
        properties: of the video stream.

    Raises:
        UserError: it cannot be written.
    """
    options, container = {}, container_format(target)
    in_memory = isinstance(file, io.BytesIO)
    if container in _MP4_FAMILY:
        flags = "" if in_memory else "+faststart"
        if any(k.lower() not in _MP4_TAGS | _CONTAINER_TAGS for k in source_file.metadata):
            flags += "+use_metadata_tags"  # such as a phone's make, model and location
        if flags:
            options["movflags"] = flags
        if properties.time_base.denominator > 1000:  # edit lists as precise as the timestamps
            options["movie_timescale"] = str(properties.time_base.denominator)
    try:
        return av.open(
            file if in_memory else str(file.absolute()),
            "w",
            format=container,
            options=options,
            metadata_errors="surrogateescape",
        )
    except (av.error.FFmpegError, OSError) as error:
        raise UserError(f"{target}: cannot be written ({error.strerror})") from None


def add_streams(
    output: OutputContainer, source_file: InputContainer, plan: OutputPlan
) -> tuple[av.VideoStream, dict[int, Stream]]:
    """Add the source's streams in their order; the first video that is not copied is encoded."""
    video, copies = None, {}
    properties, copied = plan.properties, plan.copied_streams
    unmasked = next(s for s in source_file.streams.video if s.index not in copied)
    for stream in source_file.streams:
        if stream.index in copied:
            copies[stream.index] = add_copy(output, stream)
        elif stream.index == unmasked.index:
            video = output.add_stream(plan.encoder.encoder, rate=properties.frame_rate)
            assert isinstance(video, av.VideoStream)
            configure(video.codec_context, plan.encoder, properties)
            video.time_base = properties.time_base
            if plan.encoder.codec == "hevc" and output.format.name in _MP4_FAMILY:
                video.codec_context.codec_tag = "hvc1"  # Apple's players require this tag
            if properties.display_matrix is not None:
                video.set_display_matrix(properties.display_matrix)
            tags = stream_tags(stream)
            video.metadata.update({k: v for k, v in tags.items() if k.lower() != "alpha_mode"})
            video.disposition = stream.disposition
    assert video is not None
    return video, copies


def output_tags(source_file: InputContainer, *, synthetic: bool) -> dict[str, str]:
    """Return the source's tags, with the note on synthetic faces if faces were filled."""
    tags = {k: v for k, v in source_file.metadata.items() if k.lower() not in _CONTAINER_TAGS}
    key = next((k for k in tags if k.lower() == "comment"), "comment")
    before = tags.get(key, "")
    if synthetic and SYNTHETIC_NOTE not in before:
        tags[key] = "; ".join(filter(None, [SYNTHETIC_NOTE, before]))
    return tags


def _add_chapters(output: OutputContainer, source_file: InputContainer, cut: Cut) -> None:
    chapters = []
    for chapter in source_file.chapters():
        unit = chapter["time_base"] or Fraction(1, 1000)
        start_s, end_s = chapter["start"] * unit, chapter["end"] * unit
        if cut.span.end_s is not None and start_s >= Fraction(cut.span.end_s):
            continue
        if end_s <= cut.shift_s and not cut.span.is_whole:
            continue
        shift = round(cut.shift_s / unit)
        chapter["start"] = max(chapter["start"] - shift, 0)
        chapter["end"] = chapter["end"] - shift
        chapters.append(chapter)
    output.set_chapters(chapters)


def _video_packets(
    store: SegmentStore, stream: av.VideoStream, properties: StreamProperties, cut: Cut
) -> Iterator[tuple[Fraction, av.Packet]]:
    """Yield the encoded frames and their times, seconds; decoding timestamps increase throughout.

    MP4 files state a stream's length in decoding order. The last frame in that order therefore lasts
    until all frames have been shown.
    """
    time_base, depth = properties.time_base, store.reordering()
    times = store.times()
    start = list(itertools.islice(times, depth + 1))
    lead_in = [start[0] - (start[depth] - time) for time in start[:depth]]
    decoding = itertools.chain(lead_in, start, times)
    delay, end, last = start[depth] - start[0], store.end(), store.count() - 1
    shift = round(cut.shift_s / time_base)
    for index, (frame, dts) in enumerate(zip(store.frames(), decoding, strict=False)):
        duration = frame.duration
        if index == last:
            duration = max(duration, min(end - frame.pts, end - delay - dts))
            dts = max(dts, end - delay - duration)
        packet = av.Packet(frame.data)
        packet.time_base, packet.stream = time_base, stream
        packet.pts, packet.dts = frame.pts - shift, dts - shift
        packet.duration, packet.is_keyframe = duration, frame.is_key
        yield dts * time_base - cut.shift_s, packet

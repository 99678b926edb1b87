"""Copies the source's other streams packet by packet: sound, subtitles, attachments, data."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import NoReturn

import av
import av.error
from av.container import InputContainer, OutputContainer
from av.stream import Disposition, Stream

from inpaint_model.errors import UserError
from realtime.media.codecs import container_format
from realtime.media.container import demux
from realtime.media.frames import Span
from realtime.media.timeline import Timeline

_VOLATILE_TAGS = {"encoder", "duration", "bps", "number_of_frames", "number_of_bytes"}
_LAYOUTS = {1: "mono", 2: "stereo", 3: "2.1", 4: "4.0", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1"}
"""FFmpeg's usual layout of so many channels, for sound that does not name one."""
_MIN_STEP_S = Fraction(1, 1000)  # between decoding times; the unit of Matroska's clock
_FOR_SOUND = {"an .mkv": "matroska", "a .mov": "mov"}
"""The containers that hold most kinds of sound."""
_DESCRIPTIONS = {
    "audio": "a sound track ({}) does not fit",
    "subtitle": "subtitles ({}) do not fit",
    "data": "a data stream ({}) does not fit",
    "video": "a second video ({}) does not fit",
}
_MAX_TRIAL_BYTES = 1 << 24  # of the source, read to try which streams fit


@dataclass(frozen=True)
class Cut:
    """The part of the source that goes into the output.

    Attributes:
        span: the part.
        shift_s: the timestamp of its first frame, which becomes 0:00; 0 for the whole video.
    """

    span: Span
    shift_s: Fraction = Fraction(0)


def plan_copies(
    source: InputContainer, video: int, packets: dict[int, av.Packet], target: Path
) -> tuple[set[int], list[str]]:
    """Find the streams, other than the video, that the target's container can hold.

    Each is tried with its first packet. A sound track that no container holds is left out if there is
    another one.

    Args:
        source: the source.
        video: the index of the stream that is not copied.
        packets: the first packet of each stream, from `first_packets`.
        target: the output.

    Returns:
        Their indices, and a warning for each stream that is left out.

    Raises:
        UserError: the container cannot hold a sound stream.
    """
    container = container_format(target)
    others = [
        stream
        for stream in source.streams
        if stream.index != video and not _is_made_by_muxer(stream, source, container)
    ]
    fits = {s.index for s in others if _fits(s, container, packets.get(s.index))}
    has_sound = any(stream.type == "audio" and stream.index in fits for stream in others)
    warnings = []
    for stream in others:
        if stream.index in fits:
            continue
        if stream.type == "audio":
            first = packets.get(stream.index)
            others_fit = [s for s, name in _FOR_SOUND.items() if _fits(stream, name, first)]
            if others_fit or not has_sound:
                _refuse_sound(stream, target, others_fit)
        what = _DESCRIPTIONS.get(stream.type, "an attachment ({}) does not fit")
        warnings.append(f"{what.format(_codec_name(stream))} into {target.suffix}: left out")
    return fits, warnings


def _refuse_sound(stream: Stream, target: Path, suffixes: list[str]) -> NoReturn:
    fix = f"name {' or '.join(suffixes)} file" if suffixes else "convert or remove it first"
    codec = _codec_name(stream)
    raise UserError(f"{target}: {codec} sound does not fit into {target.suffix}; {fix}")


def _codec_name(stream: Stream) -> str:
    return stream.codec_context.codec.canonical_name if stream.codec_context else "unknown"


def first_packets(source: InputContainer) -> dict[int, av.Packet]:
    """Return the first packet of each stream that has one near the beginning of the file."""
    found: dict[int, av.Packet] = {}
    wanted = {stream.index for stream in source.streams}
    read_bytes = 0
    with suppress(av.error.FFmpegError):  # the reader reports damage
        for packet in demux(source):
            read_bytes += packet.size
            if packet.size:
                found.setdefault(packet.stream.index, packet)
            if wanted <= found.keys() or read_bytes > _MAX_TRIAL_BYTES:
                break
    return found


def _is_made_by_muxer(stream: Stream, source: InputContainer, container: str) -> bool:
    """Say whether the muxer makes this stream itself, from chapters or the video's time code."""
    if stream.type != "data" or container not in ("mp4", "mov"):
        return False
    chapters = len(source.chapters())
    return "timecode" in stream.metadata or (chapters > 0 and stream.frames == chapters)


def _fits(stream: Stream, container: str, packet: av.Packet | None) -> bool:
    """Try whether the muxer accepts the stream, a packet of it, and the end of the file."""
    if stream.type not in ("audio", "subtitle", "data", "video", "attachment"):
        return False
    try:
        with av.open(
            io.BytesIO(), "w", format=container, metadata_errors="surrogateescape"
        ) as probe:
            copy = add_copy(probe, stream)
            probe.start_encoding()
            if packet is not None:
                probe.mux(copy_of(packet, copy))
            probe.close()
    except (av.error.FFmpegError, ValueError, KeyError):
        return False
    return True


def copy_of(packet: av.Packet, stream: Stream) -> av.Packet:
    """Return a packet of an output's stream with the data and times of a source's packet."""
    copy = av.Packet(bytes(packet))
    copy.time_base, copy.pts, copy.dts = packet.time_base, packet.pts, packet.dts
    copy.duration, copy.is_keyframe, copy.stream = packet.duration, packet.is_keyframe, stream
    return copy


def add_copy(container: OutputContainer, stream: Stream) -> Stream:
    """Add a stream for this one's packets, with its tags and disposition."""
    copy = container.add_stream_from_template(stream, opaque=True)
    if isinstance(copy, av.AudioStream) and copy.layout.name.endswith(" channels"):
        layout = _LAYOUTS.get(copy.layout.nb_channels)
        if layout is not None:  # MP4 holds no sound without one
            copy.codec_context.layout = layout
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
    timeline = Timeline.of(source)
    wanted = [source.streams[index] for index in copies] if timeline is None else []
    last_dts: dict[int, int] = {}
    with suppress(av.error.FFmpegError):  # at a damaged end: what came before it is kept
        for packet in demux(source, *wanted):
            if timeline is not None:
                timeline.place(packet)
            if not packet.size or packet.stream.index not in copies:
                continue
            _keep_increasing(packet, last_dts)
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


def _keep_increasing(packet: av.Packet, last_dts: dict[int, int]) -> None:
    """Delay a packet whose decoding time is not after the last one's; muxers refuse it otherwise."""
    if packet.dts is None or packet.stream.type not in ("audio", "video"):
        return
    last = last_dts.get(packet.stream.index)
    if last is not None and packet.dts <= last:
        packet.dts = last + math.ceil(_MIN_STEP_S / packet.time_base)
        packet.pts = max(packet.dts, packet.dts if packet.pts is None else packet.pts)
    last_dts[packet.stream.index] = packet.dts


def _is_inside(packet: av.Packet, time_s: Fraction, span: Span) -> bool:
    if span.is_whole or packet.stream.disposition & Disposition.attached_pic:
        return True
    return span.start_s <= time_s and (span.end_s is None or time_s < span.end_s)

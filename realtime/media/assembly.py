"""Puts the finished file together: coded frames from the spool, every other stream from the source."""

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
from av.stream import Disposition, Stream

from inpaint_model.errors import UserError
from realtime.media.codecs import container_format
from realtime.media.coding import Coding
from realtime.media.container import open_container
from realtime.media.frames import Span
from realtime.media.look import VideoLook, configure
from realtime.media.output import SYNTHETIC_NOTE
from realtime.media.source import VideoFile
from realtime.media.spool import Spool

_FILE_TAGS = {"major_brand", "minor_version", "compatible_brands", "encoder"}
_STREAM_TAGS = {"encoder", "duration", "bps", "number_of_frames", "number_of_bytes"}
_MP4_TAGS = {
    *("title", "artist", "album_artist", "composer", "album", "date", "comment", "genre"),
    *("copyright", "grouping", "lyrics", "description", "synopsis", "show", "episode_id"),
    *("network", "keywords", "track", "disc", "creation_time", "location", "episode_sort"),
    *("season_number", "media_type", "hd_video", "gapless_playback", "compilation", "rating"),
}


@dataclass(frozen=True)
class Cut:
    """What of the source goes into the result.

    Attributes:
        span: the part.
        shift_s: its beginning, which becomes 0:00; 0 where the whole is kept.
    """

    span: Span
    shift_s: Fraction = Fraction(0)


def plan_copies(file: VideoFile, target: Path) -> tuple[set[int], list[str]]:
    """Find out which streams beside the video the target can hold.

    Returns:
        Their indices, and one line on each that is left out.

    Raises:
        UserError: sound does not fit; it is never left out.
    """
    container = container_format(target)
    fitting, notes = set[int](), []
    for stream in file.others:
        if _is_made_anew(stream, file.container, container):
            continue
        if _fits(stream, container):
            fitting.add(stream.index)
            continue
        kind = stream.codec_context.codec.canonical_name if stream.codec_context else "unknown kind"
        if stream.type == "audio":
            mend = "re-code it first" if container == "matroska" else "name an .mkv file"
            raise UserError(
                f"{target}: sound of the kind {kind} does not fit into {target.suffix}; {mend}"
            )
        name = {"subtitle": "subtitles", "data": "a data stream", "video": "a second video"}
        what = name.get(stream.type, "an attachment")
        notes.append(f"{what} ({kind}) do not fit into {target.suffix}: left out")
    return fitting, notes


def _is_made_anew(stream: Stream, origin: InputContainer, container: str) -> bool:
    """Whether the muxer makes this stream itself, from chapters or the video's time code."""
    if stream.type != "data" or container not in ("mp4", "mov"):
        return False
    chapters = len(origin.chapters())
    return "timecode" in stream.metadata or (chapters > 0 and stream.frames == chapters)


def _fits(stream: Stream, container: str) -> bool:
    """Try it."""
    if stream.type not in ("audio", "subtitle", "data", "video", "attachment"):
        return False
    try:
        with av.open(
            io.BytesIO(), "w", format=container, metadata_errors="surrogateescape"
        ) as probe:
            _add_copy(probe, stream)
            probe.start_encoding()
    except (av.error.FFmpegError, ValueError, KeyError):
        return False
    return True


def _add_copy(container: OutputContainer, stream: Stream) -> Stream:
    copy = container.add_stream_from_template(stream, opaque=True)
    tags = {k: v for k, v in stream.metadata.items() if k.lower() not in _STREAM_TAGS}
    copy.metadata.update(tags)
    copy.disposition = stream.disposition
    return copy


def assemble(
    path: Path,
    target: Path,
    spool: Spool,
    source: Path,
    coding: Coding,
    look: VideoLook,
    cut: Cut,
    copied: set[int],
    *,
    headers_inside: bool = False,
) -> None:
    """Write the file.

    Args:
        path: where.
        target: the name it will have, for its format and for messages.
        spool: all frames, coded.
        source: where the other streams, tags and chapters come from.
        coding, look: how the frames were coded.
        cut: the part of the source.
        copied: indices of the streams that are passed on packet by packet.
        headers_inside: groups of frames of several encoders bring their own headers.

    Raises:
        UserError: it cannot be written.
    """
    container = container_format(target)
    with open_container(source) as origin, _open(path, container, origin, look) as result:
        video, copies = _add_streams(result, origin, coding, look, copied, headers_inside)
        result.metadata.update(_tags(origin))
        _add_chapters(result, origin, cut)
        try:
            result.start_encoding()
            shown = _video_packets(spool, video, look, cut)
            others = _other_packets(origin, copies, cut)
            for _, packet in heapq.merge(shown, others, key=lambda item: item[0]):
                result.mux(packet)
            result.close()
        except (av.error.FFmpegError, OSError) as error:
            reason = getattr(error, "strerror", None) or error
            with suppress(av.error.FFmpegError, OSError):
                result.close()
            raise UserError(f"{target}: cannot be written ({reason})") from None


def _open(path: Path, container: str, origin: InputContainer, look: VideoLook) -> OutputContainer:
    options = {}
    if container in ("mp4", "mov"):
        flags = "+faststart"
        if any(k.lower() not in _MP4_TAGS | _FILE_TAGS for k in origin.metadata):
            flags += "+use_metadata_tags"  # such as a phone's make, model and place
        options["movflags"] = flags
        if look.time_base.denominator > 1000:  # edit lists as fine as the frames' times
            options["movie_timescale"] = str(look.time_base.denominator)
    try:
        return av.open(
            str(path), "w", format=container, options=options, metadata_errors="surrogateescape"
        )
    except (av.error.FFmpegError, OSError) as error:
        raise UserError(f"{path}: cannot be written ({error.strerror})") from None


def _add_streams(
    result: OutputContainer,
    origin: InputContainer,
    coding: Coding,
    look: VideoLook,
    copied: set[int],
    headers_inside: bool,
) -> tuple[av.VideoStream, dict[int, Stream]]:
    """Add the source's streams in their order; the first video that is not copied is the coded one."""
    video, copies = None, {}
    coded = next(s for s in origin.streams.video if s.index not in copied)
    for stream in origin.streams:
        if stream.index in copied:
            copies[stream.index] = _add_copy(result, stream)
        elif stream is coded:
            video = result.add_stream(coding.encoder, rate=look.frame_rate)
            assert isinstance(video, av.VideoStream)
            configure(video.codec_context, coding, look)
            video.time_base = look.time_base
            if coding.codec == "hevc" and result.format.name in ("mp4", "mov"):
                video.codec_context.codec_tag = "hvc1"  # the kind Apple's players take
            if headers_inside and result.format.name in ("mp4", "mov"):
                video.codec_context.codec_tag = "avc3"
            if look.display_matrix is not None:
                video.set_display_matrix(look.display_matrix)
            tags = {k: v for k, v in stream.metadata.items() if k.lower() not in _STREAM_TAGS}
            video.metadata.update(tags)
            video.disposition = stream.disposition
    assert video is not None
    return video, copies


def _tags(origin: InputContainer) -> dict[str, str]:
    tags = {k: v for k, v in origin.metadata.items() if k.lower() not in _FILE_TAGS}
    key = next((k for k in tags if k.lower() == "comment"), "comment")
    before = tags.get(key, "")
    if SYNTHETIC_NOTE not in before:
        tags[key] = "; ".join(filter(None, [SYNTHETIC_NOTE, before]))
    return tags


def _add_chapters(result: OutputContainer, origin: InputContainer, cut: Cut) -> None:
    chapters = []
    for chapter in origin.chapters():
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
    result.set_chapters(chapters)


def _video_packets(
    spool: Spool, stream: av.VideoStream, look: VideoLook, cut: Cut
) -> Iterator[tuple[Fraction, av.Packet]]:
    """Yield the coded frames with decoding times that rise over all segments.

    MP4 files say how long a stream is by what is decoded, so the last frame in order of coding is
    held until all have been shown.
    """
    late = spool.reordering()
    times = spool.times()
    start = list(itertools.islice(times, late + 1))
    lead_in = [start[0] - (start[late] - time) for time in start[:late]]
    decoding = itertools.chain(lead_in, start, times)
    ahead, end, last = start[late] - start[0], spool.end(), spool.count() - 1
    shift = round(cut.shift_s / look.time_base)
    for index, (coded, dts) in enumerate(zip(spool.frames(), decoding, strict=False)):
        duration = coded.duration
        if index == last:
            duration = max(duration, min(end - coded.pts, end - ahead - dts))
            dts = max(dts, end - ahead - duration)
        packet = av.Packet(coded.data)
        packet.time_base, packet.stream = look.time_base, stream
        packet.pts, packet.dts = coded.pts - shift, dts - shift
        packet.duration, packet.is_keyframe = duration, coded.is_key
        yield dts * look.time_base - cut.shift_s, packet


def _other_packets(
    origin: InputContainer, copies: dict[int, Stream], cut: Cut
) -> Iterator[tuple[Fraction, av.Packet]]:
    """Yield the other streams' packets, untouched but for the shift of a cut."""
    if not copies:
        return
    begin_s = Fraction(origin.start_time or 0, 1_000_000)
    time_s = Fraction(0)
    wanted = [origin.streams[index] for index in copies]
    with suppress(av.error.FFmpegError):  # a damaged end: what came before it is kept
        for packet in origin.demux(wanted):
            if not packet.size:
                continue
            at = packet.dts if packet.dts is not None else packet.pts
            if at is not None:
                time_s = at * packet.time_base
            if not _is_inside(packet, time_s - begin_s, cut.span):
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

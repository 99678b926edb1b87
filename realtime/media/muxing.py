"""Puts the finished file together: coded frames from the spool, every other stream from the source."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterator
from contextlib import suppress
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

_FILE_TAGS = {"major_brand", "minor_version", "compatible_brands", "encoder"}
_MP4_TAGS = {
    *("title", "artist", "album_artist", "composer", "album", "date", "comment", "genre"),
    *("copyright", "grouping", "lyrics", "description", "synopsis", "show", "episode_id"),
    *("network", "keywords", "track", "disc", "creation_time", "location", "episode_sort"),
    *("season_number", "media_type", "hd_video", "gapless_playback", "compilation", "rating"),
}


def assemble(
    path: Path,
    target: Path,
    spool: SegmentStore,
    source: Path,
    coding: EncoderChoice,
    look: StreamProperties,
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
            others = other_packets(origin, copies, cut)
            for _, packet in heapq.merge(shown, others, key=lambda item: item[0]):
                result.mux(packet)
            result.close()
        except (av.error.FFmpegError, OSError) as error:
            reason = getattr(error, "strerror", None) or error
            with suppress(av.error.FFmpegError, OSError):
                result.close()
            raise UserError(f"{target}: cannot be written ({reason})") from None


def _open(
    path: Path, container: str, origin: InputContainer, look: StreamProperties
) -> OutputContainer:
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
    coding: EncoderChoice,
    look: StreamProperties,
    copied: set[int],
    headers_inside: bool,
) -> tuple[av.VideoStream, dict[int, Stream]]:
    """Add the source's streams in their order; the first video that is not copied is the coded one."""
    video, copies = None, {}
    coded = next(s for s in origin.streams.video if s.index not in copied)
    for stream in origin.streams:
        if stream.index in copied:
            copies[stream.index] = add_copy(result, stream)
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
            video.metadata.update(stream_tags(stream))
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
    spool: SegmentStore, stream: av.VideoStream, look: StreamProperties, cut: Cut
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

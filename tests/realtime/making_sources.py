"""Every kind of video people have, tiny, made with PyAV, and what of it must not change."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.codec.context import Flags
from av.container import OutputContainer

from realtime.media.orientation import display_matrix
from tests.realtime.making_media import SOUND_HZ, moving_images, write_tone

STEPS = [300, 700, 512, 511, 513, 900, 200, 333, 512, 512, 640, 401]


@dataclass(frozen=True)
class Kind:
    """A kind of source.

    Attributes:
        suffix: the container.
        codec, pixel_format, options, flags: how it is coded.
        time_base, steps, first: the frames' times, in units of the time base.
        frames, size: how many and how large.
        color: range, matrix, primaries, transfer; FFmpeg's numbers.
        rotation: degrees to the left; mirrored where `mirrored`.
        aspect: of a pixel.
        sounds: codecs of sound streams.
        extra: adds more to the container before it starts, and returns what muxes it.
    """

    suffix: str = ".mp4"
    codec: str = "libx264"
    pixel_format: str = "yuv420p"
    options: dict[str, str] = field(default_factory=dict)
    flags: int = 0
    time_base: Fraction = Fraction(1, 12800)
    steps: tuple[int, ...] = (512,)
    first: int = 0
    frames: int = 16
    size: tuple[int, int] = (96, 64)
    color: tuple[int, int, int, int] = (1, 1, 1, 1)
    rotation: int = 0
    mirrored: bool = False
    aspect: Fraction | None = None
    sounds: tuple[str, ...] = ("aac",)
    extra: Callable[[OutputContainer], Callable[[], None]] | None = None


def make(folder: Path, kind: Kind) -> Path:
    """Write a source of this kind."""
    path = folder / f"in{kind.suffix}"
    with av.open(str(path), "w") as file:
        video = file.add_stream(kind.codec, rate=25)
        assert isinstance(video, av.VideoStream)
        context = video.codec_context
        context.width, context.height = kind.size
        context.pix_fmt, context.time_base = kind.pixel_format, kind.time_base
        context.flags |= kind.flags | Flags.frame_duration
        context.options = {"x265-params": "log-level=none"} if kind.codec == "libx265" else {}
        context.options = {**context.options, **kind.options}
        context.color_range, context.colorspace = kind.color[:2]
        context.color_primaries, context.color_trc = kind.color[2:]
        if kind.aspect:
            context.sample_aspect_ratio = kind.aspect
        if kind.rotation or kind.mirrored:
            video.set_display_rotation(kind.rotation, hflip=kind.mirrored)
        sounds = []
        for index, name in enumerate(kind.sounds):
            sound = file.add_stream(name, rate=SOUND_HZ)
            sound.metadata["language"] = ("eng", "fra", "jpn")[index]
            sounds.append(sound)
        finish = kind.extra(file) if kind.extra else None
        for frame, pts, step in _frames(kind):
            frame.pts, frame.time_base, frame.duration = pts, kind.time_base, step
            file.mux(video.encode(frame))
        file.mux(video.encode(None))
        for sound in sounds:
            write_tone(file, sound, kind.frames / 25)
        if finish:
            finish()
    return path


def _frames(kind: Kind) -> Iterator[tuple[av.VideoFrame, int, int]]:
    pts = kind.first
    for index, image in enumerate(moving_images(kind.frames, kind.size)):
        frame = av.VideoFrame.from_ndarray(image, format="bgr24").reformat(
            format=kind.pixel_format,
            dst_colorspace=kind.color[1] or None,
            dst_color_range=kind.color[0] or None,
        )
        step = kind.steps[index % len(kind.steps)]
        yield frame, pts, step
        pts += step


@dataclass(frozen=True)
class Facts:
    """What a file shows and holds; equal facts, equal files but for coding."""

    shown_s: list[Fraction]
    end_s: Fraction | None
    others: dict[int, list[tuple[Fraction | None, Fraction, bytes]]]
    color: tuple[int, int, int, int]
    matrix: tuple[int, ...] | None
    aspect: Fraction | None
    interlaced: tuple[bool, int]
    size: tuple[int, int]
    chapters: list[tuple[Fraction, Fraction, str]]
    languages: list[str]
    dispositions: list[int]
    tags: dict[str, str]


def read_facts(path: Path) -> Facts:
    """Read a file twice: its packets, and its first frame."""
    with av.open(str(path)) as file:
        video = next(s for s in file.streams.video if not s.disposition & 1024)
        frame = next(file.decode(video))
        color = (frame.color_range, frame.colorspace, frame.color_primaries, frame.color_trc)
        matrix = display_matrix(frame)
        interlaced = frame.interlaced_frame, video.codec_context.field_order
        aspect = video.sample_aspect_ratio
        size = frame.width, frame.height
        index, base = video.index, video.time_base or Fraction(1)
        end = (video.start_time or 0) * base + video.duration * base if video.duration else None
    shown = []
    others: dict[int, list[tuple[Fraction | None, Fraction, bytes]]] = {}
    with av.open(str(path)) as file:
        for packet in file.demux():
            if not packet.size:
                continue
            base = packet.time_base
            if packet.stream.index == index:
                if packet.pts is not None and not packet.is_discard:
                    shown.append(packet.pts * base)
            else:
                pts = None if packet.pts is None else packet.pts * base
                entry = pts, (packet.duration or 0) * base, bytes(packet)
                others.setdefault(packet.stream.index, []).append(entry)
        chapters = [
            (c["start"] * c["time_base"], c["end"] * c["time_base"], c["metadata"].get("title", ""))
            for c in file.chapters()
            if c["time_base"]
        ]
        tags = {k.lower(): v for k, v in file.metadata.items()}
        languages = [s.metadata.get("language", "") for s in file.streams]
        dispositions = [int(s.disposition) for s in file.streams]
    return Facts(
        sorted(shown),
        end,
        others,
        color,
        matrix,
        aspect,
        interlaced,
        size,
        chapters,
        languages,
        dispositions,
        tags,
    )


def native_planes(path: Path) -> list[list[np.ndarray]]:
    """Decode a video to its own planes."""
    with av.open(str(path)) as file:
        return [
            [
                np.frombuffer(bytes(plane), np.uint8)
                .reshape(plane.height, plane.line_size)
                .copy()[:, : plane.width * (2 if frame.format.components[0].bits > 8 else 1)]
                for plane in frame.planes
            ]
            for frame in file.decode(video=0)
        ]

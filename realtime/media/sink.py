"""Writes a video file: H.264 with the source's timestamps, every other packet untouched, tagged."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Self

import av
import av.error
import numpy as np
from av.codec.context import Flags
from av.stream import Stream
from numpy.typing import NDArray

from inpaint_model.errors import UserError
from realtime.media.colour import from_bgr
from realtime.media.output import SYNTHETIC_NOTE
from realtime.media.source import Frame, VideoFile

_FORMATS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska"}
_OWN_TAGS = {"major_brand", "minor_version", "compatible_brands", "encoder"}


@dataclass(frozen=True)
class Encoding:
    """How frames are coded.

    Attributes:
        crf: x264's constant quality; 18 cannot be told from the source by eye.
        preset: x264's effort; "veryfast" takes 5 ms of one core for 512x512, "medium" 12.
    """

    crf: int = 18
    preset: str = "veryfast"


class VideoWriter:
    """A video file open for writing; its streams follow a source file.

    Args:
        path: where to write (the format follows `target`).
        target: the name the file will have.
        source: the file whose timestamps, sound and tags are kept.
        encoding: quality and effort.

    Raises:
        UserError: the target's format cannot be written or cannot hold the source's sound.
    """

    def __init__(
        self, path: Path, target: Path, source: VideoFile, encoding: Encoding | None = None
    ) -> None:
        self._target, self._source, self._encoding = target, source, encoding or Encoding()
        self._shape: tuple[int, ...] | None = None
        self._early: list[av.Packet] = []
        name = container_format(target)
        options = {"movflags": "+faststart"} if name in ("mp4", "mov") else {}
        self._container = av.open(str(path), "w", format=name, options=options)
        self._video = self._container.add_stream("libx264", rate=source.frame_rate)
        self._copies: dict[int, Stream] = {}
        for stream in source.others:
            self._add_copy(stream, target)
        tags = {k: v for k, v in source.container.metadata.items() if k.lower() not in _OWN_TAGS}
        tags["comment"] = "; ".join(filter(None, [SYNTHETIC_NOTE, tags.get("comment")]))
        self._container.metadata.update(tags)
        self._container.set_chapters(source.container.chapters())

    def _add_copy(self, stream: Stream, target: Path) -> None:
        context = stream.codec_context
        kind = context.codec.canonical_name
        if kind not in self._container.supported_codecs:
            if stream.type == "subtitle":
                self._source.warnings.append(
                    f"subtitles ({kind}) do not fit into {target.suffix}: left out"
                )
                return
            mend = "re-code it first" if target.suffix.lower() == ".mkv" else "name an .mkv file"
            raise UserError(
                f"{target}: sound of the kind {kind} does not fit into {target.suffix}; {mend}"
            )
        copy = self._container.add_stream_from_template(stream)
        copy.metadata.update(stream.metadata)
        copy.disposition = stream.disposition
        self._copies[stream.index] = copy

    def _begin(self, frame: Frame, image_bgr: NDArray[np.uint8]) -> None:
        """Set the encoder up like the source, for pictures of this size."""
        height, width = image_bgr.shape[:2]
        origin, context = self._source.video.codec_context, self._video.codec_context
        context.width, context.height = width, height
        context.pix_fmt = "yuv420p" if width % 2 == height % 2 == 0 else "yuv444p"
        context.time_base = frame.time_base
        context.flags |= Flags.frame_duration
        context.thread_type = "FRAME"
        context.options = {"crf": str(self._encoding.crf), "preset": self._encoding.preset}
        context.color_range, context.colorspace = origin.color_range, origin.colorspace
        context.color_primaries, context.color_trc = origin.color_primaries, origin.color_trc
        aspect = self._source.video.sample_aspect_ratio
        if aspect and aspect != 1:
            turned = frame.image_bgr.shape[0] != origin.height
            context.sample_aspect_ratio = 1 / aspect if turned else Fraction(aspect)
        tags = {k: v for k, v in self._source.video.metadata.items() if k in ("language", "title")}
        self._video.metadata.update(tags)
        if context.pix_fmt == "yuv444p":
            self._source.warnings.append(
                f"{width}x{height} has an odd side: written as H.264 4:4:4, which some players lack"
            )
        self._shape = image_bgr.shape

    def write(self, frame: Frame, image_bgr: NDArray[np.uint8]) -> None:
        """Encode a picture, uint8 [H, W, 3] BGR, at the frame's time."""
        if self._shape is None:
            self._begin(frame, image_bgr)
        if image_bgr.shape != self._shape:
            raise ValueError(f"pictures of one video are {self._shape}, not {image_bgr.shape}")
        origin = self._source.video.codec_context
        picture = from_bgr(
            image_bgr, self._video.pix_fmt or "yuv420p", origin.colorspace, origin.color_range
        )
        picture.pts, picture.time_base = frame.pts, frame.time_base
        picture.duration = frame.duration
        self._mux(self._video.encode(picture))

    def copy(self, packets: list[av.Packet]) -> None:
        """Pass packets of the source's other streams on, in their order."""
        self._early += packets
        if self._shape is None:  # the header, which comes first, needs the pictures' size
            return
        packets, self._early = self._early, []
        for packet in packets:
            copy = self._copies.get(packet.stream.index)
            if copy is not None:
                packet.stream = copy
                self._mux([packet])

    def finish(self) -> None:
        """Write what the encoder still holds and close the file."""
        if self._shape is not None:
            self._mux(self._video.encode(None))
        try:
            self._container.close()
        except av.error.FFmpegError as error:
            raise self._unwritable(error) from None

    def _mux(self, packets: Sequence[av.Packet]) -> None:
        try:
            self._container.mux(packets)
        except av.error.FFmpegError as error:
            raise self._unwritable(error) from None

    def _unwritable(self, error: av.error.FFmpegError) -> UserError:
        return UserError(f"{self._target}: cannot be written ({error.strerror})")

    def abandon(self) -> None:
        """Close the file; what is in it does not matter."""
        with suppress(av.error.FFmpegError):
            self._container.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.finish()
        else:
            self.abandon()


def container_format(target: Path) -> str:
    """Return FFmpeg's name for the target's format.

    Raises:
        UserError: it is none that holds H.264 and sound.
    """
    try:
        return _FORMATS[target.suffix.lower()]
    except KeyError:
        raise UserError(f"{target}: name an {', '.join(_FORMATS)} file") from None

"""Writes images that the program made as an H.264 video."""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import IO, Self

import av
import numpy as np
from numpy.typing import NDArray

from realtime.media.atomic_file import SYNTHETIC_NOTE, atomic_write
from realtime.media.colour import from_bgr

# FFmpeg's options of a fragmented file: a fragment each half second, written at once.
_FRAGMENTS = {
    "movflags": "hybrid_fragmented+default_base_moof",
    "frag_duration": "500000",
    "flush_packets": "1",
}
_FIRST_BYTES = 4096  # that hold the description at the beginning of a fragmented file
_COMMENT = (
    b"data\0\0\0\1\0\0\0\0" + SYNTHETIC_NOTE.encode()
)  # the value in an MP4 box of type \xa9cmt
_BT709, _LIMITED = 1, 1  # FFmpeg's AVCOL_SPC and AVCOL_RANGE numbers


class ClipWriter:
    """Encodes BGR images of one size into an MP4 file. Leave the context to finish the file.

    The file carries the note on synthetic faces if one of its images shows such a face.

    Args:
        file: open for reading and writing, and empty; it stays open.
        fps: frames a second.
        crf: x264's constant quality, lower is better.
        preset: x264's preset.
        time_base: seconds a unit of the timestamps; None: the duration of a frame.
        playable: what is written so far can be played at any moment but for the last half second, whatever
            ends the program: a fragmented MP4 file, which becomes a plain one at the end.

    Attributes:
        frames: the number of frames written.
    """

    def __init__(
        self,
        file: IO[bytes] | io.FileIO,
        fps: int,
        crf: int,
        preset: str,
        time_base: Fraction | None = None,
        *,
        playable: bool = False,
    ) -> None:
        self.frames, self._time_base = 0, time_base
        self._target, self._is_synthetic = file, False
        self._file = av.open(file, "w", format="mp4", options=_FRAGMENTS if playable else {})
        self._file.metadata["comment"] = SYNTHETIC_NOTE
        self._stream = self._file.add_stream("libx264", rate=fps)
        context = self._stream.codec_context
        context.options = {"crf": str(crf), "preset": preset}
        context.colorspace, context.color_range = _BT709, _LIMITED
        if time_base is not None:
            context.time_base = time_base

    def write(self, image_bgr: NDArray[np.uint8], pts: int, *, synthetic: bool = True) -> None:
        """Encode an image.

        Args:
            image_bgr: uint8 [H, W, 3], BGR.
            pts: timestamp in units of the time base.
            synthetic: it shows a synthetic face.
        """
        stream = self._stream
        self._is_synthetic |= synthetic
        if not self.frames:
            stream.height, stream.width = image_bgr.shape[:2]
            even = stream.height % 2 == stream.width % 2 == 0
            stream.pix_fmt = "yuv420p" if even else "yuv444p"
        frame = from_bgr(image_bgr, stream.pix_fmt or "yuv420p", _BT709, _LIMITED)
        frame.pts = pts
        if self._time_base is not None:
            frame.time_base = self._time_base
        self._file.mux(stream.encode(frame))
        self.frames += 1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        with self._file:
            if kind is None and self.frames:
                self._file.mux(self._stream.encode(None))
        if kind is None and self.frames and not self._is_synthetic:
            _erase_comments(self._target)


def cut_unfinished_fragment(file: IO[bytes] | io.FileIO) -> None:
    """Cut off what lies behind the last whole fragment, such as what a full disk left of the next one."""
    size, start, whole = file.seek(0, io.SEEK_END), 0, 0
    while True:
        file.seek(start)
        head = file.read(16)
        if len(head) < 16:
            break
        length, kind, large_length = struct.unpack(">I4sQ", head)
        start += large_length if length == 1 else max(length, 8)
        if kind == b"mdat" and start <= size:
            whole = start
    if whole:
        file.truncate(whole)


def _erase_comments(file: IO[bytes] | io.FileIO) -> None:
    """Turn the comment of an MP4 file into free space, in place, and that of its beginning as fragments.

    FFmpeg takes the comment before the first frame, when it is not known whether it will be true.
    """
    file.seek(0)
    _erase_comments_in(file, 0, file.read(_FIRST_BYTES))
    start = 0
    while True:
        file.seek(start)
        size, kind, large_size = struct.unpack(">I4sQ", file.read(16))
        if kind == b"moov":
            break
        start += large_size if size == 1 else size
    file.seek(start)
    _erase_comments_in(file, start, file.read(size))


def _erase_comments_in(file: IO[bytes] | io.FileIO, start: int, boxes: bytes) -> None:
    for found in re.finditer(re.escape(_COMMENT), boxes):
        file.seek(start + found.start() - 8)  # before it are the box's type and the value's size
        file.write(b"free" + bytes(4 + len(_COMMENT)))


def write_clip(
    target: Path, images_bgr: Iterable[NDArray[np.uint8]], fps: int, crf: int = 15
) -> None:
    """Write or replace an MP4 file of constant frame rate; it appears only when it is complete.

    Args:
        target: the file.
        images_bgr: uint8 [H, W, 3], BGR, all of one size.
        fps: frames a second.
        crf: x264's constant quality, lower is better.

    Raises:
        UserError: it cannot be written there.
    """
    with (
        atomic_write(target, overwrite=True) as temporary,
        temporary.open("rb+") as file,
        ClipWriter(file, fps, crf, "veryfast") as writer,
    ):
        for index, image_bgr in enumerate(images_bgr):
            writer.write(image_bgr, index)

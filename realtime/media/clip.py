"""Writes images that the program made as an H.264 video."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Self

import av
import numpy as np
from numpy.typing import NDArray

from realtime.media.atomic_file import SYNTHETIC_NOTE, atomic_write
from realtime.media.colour import from_bgr

_BT709, _LIMITED = 1, 1  # FFmpeg's AVCOL_SPC and AVCOL_RANGE numbers


class ClipWriter:
    """Encodes BGR images of one size into an MP4 file. Leave the context to finish the file.

    The file carries the note on synthetic faces if one of its images shows such a face.

    Args:
        path: the file.
        fps: frames a second.
        crf: x264's constant quality, lower is better.
        preset: x264's preset.
        time_base: seconds a unit of the timestamps; None: the duration of a frame.

    Attributes:
        frames: the number of frames written.
    """

    def __init__(
        self, path: Path, fps: int, crf: int, preset: str, time_base: Fraction | None = None
    ) -> None:
        self.frames, self._time_base = 0, time_base
        self._path, self._is_synthetic = path, False
        self._file = av.open(str(path.absolute()), "w", format="mp4")
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
            _erase_comment(self._path)


def _erase_comment(path: Path) -> None:
    """Turn the comment of an MP4 file into free space, in place.

    FFmpeg takes the comment before the first frame, when it is not known whether it will be true.
    """
    with path.open("r+b") as file:
        start = 0
        while True:
            size, kind, large_size = struct.unpack(">I4sQ", file.read(16))
            if kind == b"moov":
                break
            start += large_size if size == 1 else size
            file.seek(start)
        file.seek(start)
        boxes = file.read(size)
        comment = boxes.rindex(b"\xa9cmt") - 4  # its size comes before its type
        length = int.from_bytes(boxes[comment : comment + 4])
        file.seek(start + comment + 4)
        file.write(b"free" + bytes(length - 8))


def write_clip(
    target: Path, images_bgr: Iterable[NDArray[np.uint8]], fps: int, crf: int = 15
) -> None:
    """Write an MP4 file of constant frame rate; it appears only when it is complete.

    Args:
        target: the file.
        images_bgr: uint8 [H, W, 3], BGR, all of one size.
        fps: frames a second.
        crf: x264's constant quality, lower is better.

    Raises:
        UserError: it cannot be written there.
    """
    with (
        atomic_write(target) as temporary,
        ClipWriter(temporary, fps, crf, "veryfast") as writer,
    ):
        for index, image_bgr in enumerate(images_bgr):
            writer.write(image_bgr, index)

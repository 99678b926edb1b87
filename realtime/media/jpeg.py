"""Keeps a JPEG file's own coding: its planes, quantisation tables, chroma sampling and segments.

Decoded to RGB and coded anew, a JPEG changes everywhere, most where colours meet. Its own planes, coded
with its own tables, give nearly the same coefficients again wherever nothing was replaced.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING

import av
import av.error
import numpy as np
from av.video.codeccontext import VideoCodecContext
from numpy.typing import NDArray

from realtime.media.colour import from_bgr
from realtime.media.native_planes import NativePlanes, colour_planes
from realtime.media.orientation import Orientation

if TYPE_CHECKING:
    from PIL import Image

_BT601, _FULL_RANGE = 5, 2  # FFmpeg's AVCOL_SPC and AVCOL_RANGE numbers of JFIF
_BAND_ROWS = 256  # a multiple of every chroma sampling
_QUALITY = 95  # of a picture that was no JPEG
_SAMPLINGS = {(1, 1): 0, (2, 1): 1, (2, 2): 2}  # Pillow's number, by pixels a chroma sample
_FORMATS = {"yuvj420p", "yuvj422p", "yuvj440p", "yuvj444p", "gray"}
_START_OF_SCAN = 0xDA
# APP0 JFIF, APP11 C2PA (its signature is no longer true), APP14 Adobe: written by the encoder or dropped
_NOT_COPIED = {0xE0, 0xEB, 0xEE}


@dataclass(frozen=True, eq=False)
class JpegCoding:
    """How a JPEG file is coded.

    Attributes:
        planes: its own planes, as stored.
        orientation: how they are displayed.
        tables: its quantisation tables.
        progressive: it is coded in several scans.
    """

    planes: av.VideoFrame
    orientation: Orientation
    tables: list[list[int]]
    progressive: bool

    def with_result(
        self,
        before_bgr: NDArray[np.uint8],
        result_bgr: NDArray[np.uint8],
        replaced: NDArray[np.uint8],
    ) -> JpegCoding:
        """Return the coding with the result in its planes.

        Args:
            before_bgr, result_bgr: uint8 [H, W, 3], upright.
            replaced: uint8 [H, W], upright, nonzero where pixels were replaced.
        """
        native = NativePlanes(self.planes)
        native.orientation = self.orientation
        planes = native.write(self.planes, before_bgr, result_bgr, replaced)
        return replace(self, planes=planes)


@dataclass(frozen=True)
class JpegTables:
    """What the header of a JPEG file says of its coding.

    Attributes:
        size: width and height as stored, pixels.
        tables, progressive: as in `JpegCoding`.
    """

    size: tuple[int, int]
    tables: list[list[int]]
    progressive: bool


def read_tables(picture: Image.Image, size: tuple[int, int]) -> JpegTables | None:
    """Return what Pillow knows of a JPEG's coding; None if it is none.

    Args:
        picture: opened by Pillow.
        size: its width and height, pixels.
    """
    from PIL import JpegImagePlugin

    if not isinstance(picture, JpegImagePlugin.JpegImageFile):
        return None
    tables = [list(table) for _, table in sorted(picture.quantization.items())]
    return JpegTables(size, tables, bool(picture.info.get("progressive")))


def read_coding(content: bytes, header: JpegTables, orientation: Orientation) -> JpegCoding | None:
    """Return how a JPEG file is coded; None for kinds whose planes are not kept, such as CMYK."""
    context = av.CodecContext.create("mjpeg", "r")
    assert isinstance(context, VideoCodecContext)
    try:
        frame = [*context.decode(av.Packet(content)), *context.decode(None)][0]
    except (av.error.FFmpegError, IndexError):
        return None
    name = frame.format.name
    if name not in _FORMATS or (frame.width, frame.height) != header.size:
        return None
    frame.colorspace, frame.color_range, frame.time_base = _BT601, _FULL_RANGE, Fraction(1)
    return JpegCoding(frame, orientation, header.tables, header.progressive)


def read_segments(content: bytes) -> bytes:
    """Return the segments that stay true for a changed picture, except EXIF, XMP and colour profile."""
    return b"".join(
        segment
        for marker, segment in _segments(content)
        if (0xE0 <= marker <= 0xEF or marker == 0xFE)
        and marker not in _NOT_COPIED
        and not segment[4:].startswith((b"Exif\0", b"http://ns.adobe.com/xap/1.0/\0"))
        and not segment[4:].startswith((b"ICC_PROFILE\0", b"MPF\0"))
    )


def _segments(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield marker and bytes of each segment before the pixels."""
    at = 2
    while at + 4 <= len(content) and content[at] == 0xFF:
        marker = content[at + 1]
        if marker == 0xFF:  # padding
            at += 1
            continue
        if marker == _START_OF_SCAN:
            return
        length = int.from_bytes(content[at + 2 : at + 4], "big")
        yield marker, content[at : at + 2 + length]
        at += 2 + length


def encode_jpeg(
    pixels: NDArray[np.uint8], coding: JpegCoding | None, options: dict[str, object]
) -> bytes:
    """Return a JPEG file.

    Args:
        pixels: uint8 [H, W] or [H, W, 3] BGR.
        coding: the source's, with the planes of the result; None: quality 95, full chroma resolution.
        options: more arguments of Pillow's writer, such as the metadata.
    """
    from PIL import Image

    frame = coding.planes if coding else None
    if frame is None and pixels.ndim == 3:
        frame = from_bgr(pixels, "yuvj444p", _BT601, _FULL_RANGE)
    planes = colour_planes(frame) if frame is not None else [pixels]
    if len(planes) == 1:
        picture = Image.fromarray(np.ascontiguousarray(planes[0], dtype=np.uint8))
    else:
        height, width = planes[0].shape
        down, across = -(-height // planes[1].shape[0]), -(-width // planes[1].shape[1])
        picture = Image.new("YCbCr", (width, height))
        for top in range(0, height, _BAND_ROWS):  # in bands, for which little memory is needed
            rows = slice(top // down, -(-min(top + _BAND_ROWS, height) // down))
            luma = planes[0][top : top + _BAND_ROWS]
            chroma = [plane[rows].repeat(down, 0).repeat(across, 1) for plane in planes[1:]]
            samples = np.dstack([luma, *(c[: len(luma), :width] for c in chroma)])
            picture.paste(Image.frombytes("YCbCr", (width, len(luma)), samples.tobytes()), (0, top))
        options = {**options, "subsampling": _SAMPLINGS.get((across, down), 0)}
    if coding is not None:
        options = {**options, "qtables": coding.tables, "progressive": coding.progressive}
    else:
        options = {**options, "quality": _QUALITY}
    file = io.BytesIO()
    picture.save(file, "JPEG", **options)
    return file.getvalue()

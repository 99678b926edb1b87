"""Reads pictures of every usual kind, upright: their metadata by Pillow, their pixels by OpenCV."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from inpaint_model.errors import UserError
from inpaint_model.limits import Limits
from realtime.media.colour_profiles import to_srgb
from realtime.media.jpeg import JpegTables, read_coding, read_segments, read_tables
from realtime.media.orientation import Orientation
from realtime.media.picture import Picture
from realtime.media.picture_metadata import PictureMetadata, read_metadata
from realtime.media.picture_opening import (
    check_pixels,
    check_unknown_tiff,
    open_picture,
    read_content,
    register_heif,
)
from realtime.media.png_chunks import read_chunks

if TYPE_CHECKING:
    from PIL import Image

_HEIC_TYPES = {b"ftyp" + brand for brand in (b"heic", b"heix", b"mif1", b"msf1", b"hevc", b"heim")}
# By EXIF's number; pictures with another one are displayed as they are stored.
_ORIENTATIONS: dict[object, Orientation] = {
    2: Orientation(0, mirrored=True),
    3: Orientation(2),
    4: Orientation(2, mirrored=True),
    5: Orientation(1, mirrored=True),
    6: Orientation(3),
    7: Orientation(3, mirrored=True),
    8: Orientation(1),
}
_BAND_ROWS = 256  # that are converted at once
_DRAFT_SHARE = 8  # of a JPEG's sides: decoded so small, it is read as completely in less memory


def read_picture(path: Path, limits: Limits | None = None) -> Picture:
    """Read a picture.

    Args:
        path: the file.
        limits: how large it may be; by default those of `Limits.of_environment`.

    Raises:
        UserError: it is not a picture, is damaged or too large, or has an unsupported pixel format.
    """
    limits = limits or Limits.of_environment()
    content = read_content(path, limits)
    loaded = _load(path, content, limits)
    orientation = _ORIENTATIONS.get(loaded.metadata.orientation, Orientation())
    pixels = loaded.pixels
    if pixels is None:
        pixels = _decode(content)
    if pixels is None:
        raise UserError(f"{path}: is not a picture that can be read")
    if pixels.dtype not in (np.uint8, np.uint16):
        raise UserError(f"{path}: has {pixels.dtype} pixels; 8 and 16 bits are supported")
    upright = np.ascontiguousarray(orientation.displayed(pixels))
    jpeg = None
    if loaded.jpeg is not None and not loaded.converted:
        jpeg = read_coding(content, loaded.jpeg, orientation)
    return Picture(upright, loaded.metadata, loaded.has_more, jpeg, loaded.warnings)


def _decode(content: bytes) -> NDArray[np.uint8] | NDArray[np.uint16] | None:
    """Decode a picture by OpenCV; None where that fails."""
    try:
        return cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)  # pyright: ignore[reportReturnType]
    except cv2.error:  # such as a picture over OpenCV's own limits
        return None


@dataclass(frozen=True, eq=False)
class _Loaded:
    """What Pillow reads of a picture.

    Attributes:
        metadata, has_more, warnings: as in `Picture`.
        pixels: as stored; None: OpenCV reads them as well, and with 16 bits.
        jpeg: how it is coded, if it is a JPEG.
        converted: the pixels are not in the file's own colours.
    """

    metadata: PictureMetadata
    has_more: bool = False
    pixels: NDArray[np.uint8] | None = None
    jpeg: JpegTables | None = None
    converted: bool = False
    warnings: tuple[str, ...] = ()


def _load(path: Path, content: bytes, limits: Limits) -> _Loaded:
    """Read metadata, and pixels of kinds that OpenCV does not read, or not in their colours.

    Pillow refuses files that are cut short; OpenCV does not.

    Raises:
        UserError: as `read_picture`.
    """
    from PIL import UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with open_picture(io.BytesIO(content)) as picture:
                check_pixels(path, content, picture, limits)
                return _read(content, picture)
    except UserError:
        raise
    except UnidentifiedImageError:
        if content[4:12] in _HEIC_TYPES and not register_heif():
            raise UserError(
                f"{path}: HEIC needs pillow-heif (extra `heif`): pip install pillow-heif"
            ) from None
        if check_unknown_tiff(path, content, limits):  # only OpenCV reads some TIFF formats
            return _Loaded(PictureMetadata())
        raise UserError(f"{path}: is not a picture that can be read") from None
    except Exception as error:  # Pillow's readers raise errors of every kind on damaged files
        raise UserError(f"{path}: is damaged or cut short ({error})") from None


def _read(content: bytes, picture: Image.Image) -> _Loaded:
    """Decode an opened picture, and take from it what OpenCV does not read."""
    is_jpeg = picture.format in ("JPEG", "MPO")
    has_more = picture.format != "MPO" and getattr(picture, "is_animated", False)  # MPO: previews
    size = picture.size
    if is_jpeg and picture.mode in ("RGB", "L"):
        picture.draft(None, (size[0] // _DRAFT_SHARE, size[1] // _DRAFT_SHARE))
    picture.load()
    metadata, notes = read_metadata(picture)
    metadata = replace(
        metadata,
        png_chunks=read_chunks(content),
        jpeg_segments=read_segments(content) if picture.format == "JPEG" else b"",
    )
    if picture.mode in ("CMYK", "LAB"):
        pixels, profile = to_srgb(picture, metadata.icc)
        notes = (*notes, f"{picture.mode} colours are converted to sRGB")
        metadata = replace(metadata, icc=profile)
        return _Loaded(metadata, has_more, pixels, converted=True, warnings=notes)
    if picture.format in ("AVIF", "HEIF"):
        pixels = _to_bgr(picture)
        return _Loaded(metadata, has_more, pixels, warnings=notes)
    tables = read_tables(picture, size) if is_jpeg else None
    return _Loaded(metadata, has_more, jpeg=tables, warnings=notes)


def _to_bgr(picture: Image.Image) -> NDArray[np.uint8]:
    """Return the pixels of a loaded picture, uint8 [H, W, 3] BGR or [H, W, 4] BGRA."""
    mode = "RGBA" if "A" in picture.getbands() else "RGB"
    width, height = picture.size
    pixels = np.empty((height, width, len(mode)), np.uint8)
    order = [2, 1, 0, 3][: len(mode)]
    for top in range(0, height, _BAND_ROWS):
        band = picture.crop((0, top, width, min(top + _BAND_ROWS, height)))
        pixels[top : top + _BAND_ROWS] = np.asarray(band.convert(mode))[:, :, order]
    return pixels

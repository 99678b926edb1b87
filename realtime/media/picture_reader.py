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
from realtime.media.colour_profiles import to_srgb
from realtime.media.jpeg import read_coding, read_segments
from realtime.media.kinds import register_heif
from realtime.media.orientation import Orientation
from realtime.media.picture import Picture
from realtime.media.picture_metadata import PictureMetadata, read_metadata
from realtime.media.png_chunks import read_chunks

if TYPE_CHECKING:
    from PIL import JpegImagePlugin

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


def read_picture(path: Path) -> Picture:
    """Read a picture.

    Raises:
        UserError: it is not a picture, is damaged, or has an unsupported pixel format.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from None
    if not content:
        raise UserError(f"{path}: is empty")
    loaded = _load(path, content)
    orientation = _ORIENTATIONS.get(loaded.metadata.orientation, Orientation())
    pixels = loaded.pixels
    if pixels is None:
        pixels = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None:
        raise UserError(f"{path}: is not a picture that can be read")
    if pixels.dtype not in (np.uint8, np.uint16):
        raise UserError(f"{path}: has {pixels.dtype} pixels; 8 and 16 bits are supported")
    upright = np.ascontiguousarray(orientation.displayed(pixels))
    jpeg = None
    if loaded.jpeg is not None and not loaded.warnings:
        jpeg = read_coding(content, loaded.jpeg, orientation)
    return Picture(upright, loaded.metadata, loaded.frames, jpeg, loaded.warnings)


@dataclass(frozen=True, eq=False)
class _Loaded:
    """What Pillow reads of a picture.

    Attributes:
        metadata, frames, warnings: as in `Picture`.
        pixels: as stored; None: OpenCV reads them as well, and with 16 bits.
        jpeg: the picture, if it is a JPEG.
    """

    metadata: PictureMetadata
    frames: int = 1
    pixels: NDArray[np.uint8] | None = None
    jpeg: JpegImagePlugin.JpegImageFile | None = None
    warnings: tuple[str, ...] = ()


def _load(path: Path, content: bytes) -> _Loaded:
    """Read metadata, and pixels of kinds that OpenCV does not read, or not in their colours.

    Pillow refuses files that are cut short; OpenCV does not.
    """
    from PIL import Image, JpegImagePlugin, UnidentifiedImageError

    has_heif = register_heif()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content)) as picture:
                picture.load()
                metadata = replace(
                    read_metadata(picture),
                    png_chunks=read_chunks(content),
                    jpeg_segments=read_segments(content) if picture.format == "JPEG" else b"",
                )
                frames = getattr(picture, "n_frames", 1)
                jpeg = picture if isinstance(picture, JpegImagePlugin.JpegImageFile) else None
                frames = 1 if picture.format == "MPO" else frames  # the others are previews
                if picture.mode in ("CMYK", "LAB"):
                    pixels, profile = to_srgb(picture, metadata.icc)
                    metadata = replace(metadata, icc=profile)
                    note = (f"{picture.mode} colours are converted to sRGB",)
                    return _Loaded(metadata, frames, pixels, None, note)
                if picture.format in ("AVIF", "HEIF"):
                    mode = "RGBA" if "A" in picture.getbands() else "RGB"
                    order = [2, 1, 0, 3][: len(mode)]
                    pixels = np.asarray(picture.convert(mode))[:, :, order]
                    return _Loaded(metadata, frames, pixels)
                return _Loaded(metadata, frames, jpeg=jpeg)
    except UnidentifiedImageError:
        if content[4:12] in _HEIC_TYPES and not has_heif:
            raise UserError(
                f"{path}: HEIC needs pillow-heif (extra `heif`): pip install pillow-heif"
            ) from None
        if path.suffix.lower() in (".tif", ".tiff"):  # only OpenCV reads some TIFF formats
            return _Loaded(PictureMetadata())
        raise UserError(f"{path}: is not a picture that can be read") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise UserError(f"{path}: is too large, more than 89 megapixels") from None
    except (OSError, SyntaxError, ValueError) as error:
        raise UserError(f"{path}: is damaged or cut short ({error})") from None

"""Writes pictures with their metadata: PNG and WebP without loss, a JPEG as its source was coded."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from inpaint_model.errors import UserError
from realtime.media.jpeg import encode_jpeg
from realtime.media.kinds import JPEG_SUFFIXES, WRITTEN_PICTURES
from realtime.media.picture import Picture
from realtime.media.picture_metadata import PictureMetadata
from realtime.media.png_chunks import insert_chunks, resolution_chunk

_PROFILE_SPACES = {2: b"GRAY", 3: b"RGB "}  # ICC's names, by the dimensions of the pixels
_MAX_SEGMENT_BYTES = 65_000  # of EXIF and of XMP in a JPEG file
_WEBP_LOSSLESS = 101  # OpenCV: a WebP quality above 100 is lossless


def check_target(target: Path, picture: Picture | None = None) -> None:
    """Refuse a target whose format cannot hold the picture as it is.

    Raises:
        UserError: the format is unknown, or cannot hold 16 bits or transparency.
    """
    suffix = target.suffix.lower()
    if suffix not in WRITTEN_PICTURES:
        raise UserError(f"{target}: name a {', '.join(WRITTEN_PICTURES)} file")
    if picture is None or suffix == ".png":
        return
    if picture.pixels.dtype == np.uint16:
        raise UserError(f"{target}: {suffix} cannot hold 16 bits; name a .png file")
    if suffix in JPEG_SUFFIXES and picture.has_alpha:
        raise UserError(
            f"{target}: {suffix} cannot hold transparency; name a .png file, "
            "or leave it out by --drop-alpha"
        )


def fit_alpha(picture: Picture, target: Path, *, drop: bool) -> Picture:
    """Return the picture without an alpha channel that the target cannot hold, if it may be left out.

    Args:
        picture: the picture.
        target: its suffix selects the format.
        drop: leave transparency out; an opaque channel is left out in any case.
    """
    if not picture.has_alpha or target.suffix.lower() not in JPEG_SUFFIXES:
        return picture
    if picture.is_opaque:
        return picture.without_alpha("the alpha channel is opaque: left out")
    return picture.without_alpha("transparency is left out") if drop else picture


def write_picture(path: Path, target: Path, picture: Picture, *, synthetic: bool = True) -> None:
    """Write a picture with its metadata, and read it back.

    Args:
        path: the temporary path to write to.
        target: the final path; its suffix selects the format.
        picture: what to write; PNG and WebP are lossless. A JPEG of a JPEG is coded and turned as
            its source.
        synthetic: say in the metadata that faces are synthetic.

    Raises:
        UserError: the format cannot hold the picture.
    """
    pixels, metadata, suffix = picture.pixels, picture.metadata, target.suffix.lower()
    as_stored = suffix in JPEG_SUFFIXES and picture.jpeg is not None
    size = (pixels.shape[1], pixels.shape[0])
    exif = metadata.exif_bytes(None if as_stored else size, synthetic=synthetic)
    xmp = metadata.xmp_bytes(turned=not as_stored, synthetic=synthetic)
    # A profile of another kind of colours, such as CMYK, would be wrong.
    icc = metadata.icc if metadata.icc[16:20] == _PROFILE_SPACES[pixels.ndim] else b""
    if suffix in JPEG_SUFFIXES:
        content = encode_jpeg(
            np.asarray(pixels, np.uint8), picture.jpeg, _jpeg_options(metadata, exif, xmp, icc)
        )
    else:
        content = _encode_lossless(suffix, pixels, exif, xmp, icc)
    if suffix == ".png":
        content = insert_chunks(content, _png_chunks(metadata))
    again = (
        cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED) if content else None
    )
    if again is None or sorted(again.shape[:2]) != sorted(size):
        raise UserError(f"{target}: the picture cannot be written in this format")
    path.write_bytes(content)


def _jpeg_options(
    metadata: PictureMetadata, exif: bytes, xmp: bytes, icc: bytes
) -> dict[str, object]:
    options: dict[str, object] = {"extra": metadata.jpeg_segments}
    if 0 < len(exif) <= _MAX_SEGMENT_BYTES:
        options["exif"] = b"Exif\0\0" + exif
    if len(xmp) <= _MAX_SEGMENT_BYTES:
        options["xmp"] = xmp
    if icc:
        options["icc_profile"] = icc
    if metadata.dpi is not None:
        options["dpi"] = tuple(round(value) for value in metadata.dpi)
    return options


def _encode_lossless(suffix: str, pixels: NDArray, exif: bytes, xmp: bytes, icc: bytes) -> bytes:
    """Return the bytes of a PNG or WebP file; nothing if it cannot be written."""
    blocks = {
        cv2.IMAGE_METADATA_EXIF: exif,
        cv2.IMAGE_METADATA_XMP: xmp,
        cv2.IMAGE_METADATA_ICCP: icc,
    }
    blocks = {kind: np.frombuffer(data, np.uint8) for kind, data in blocks.items() if data}
    options = [cv2.IMWRITE_WEBP_QUALITY, _WEBP_LOSSLESS] if suffix == ".webp" else []
    done, content = cv2.imencodeWithMetadata(
        suffix, pixels, list(blocks), list(blocks.values()), options
    )
    return content.tobytes() if done else b""


def _png_chunks(metadata: PictureMetadata) -> list[tuple[bytes, bytes]]:
    chunks = metadata.png_chunks
    if metadata.dpi is not None and not any(kind == b"pHYs" for kind, _ in chunks):
        chunks = [*chunks, resolution_chunk(metadata.dpi)]
    return chunks

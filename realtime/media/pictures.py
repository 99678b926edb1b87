"""Reads and writes pictures: 8 and 16 bits, grey or colour, with alpha, rotated by EXIF."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from inpaint_model.errors import UserError
from realtime.media.colour_profiles import to_srgb
from realtime.media.jpeg import JpegCoding, encode_jpeg, read_coding, read_segments
from realtime.media.kinds import JPEG_SUFFIXES, WRITTEN_PICTURES, register_heif
from realtime.media.orientation import Orientation
from realtime.media.picture_metadata import PictureMetadata, read_metadata
from realtime.media.png_chunks import insert_chunks, read_chunks, resolution_chunk

if TYPE_CHECKING:
    from PIL import JpegImagePlugin

_HEIC_TYPES = {b"ftyp" + brand for brand in (b"heic", b"heix", b"mif1", b"msf1", b"hevc", b"heim")}
_PROFILE_SPACES = {2: b"GRAY", 3: b"RGB "}  # ICC's names, by the dimensions of the pixels
_MAX_SEGMENT_BYTES = 65_000  # of EXIF and of XMP in a JPEG file
_WEBP_LOSSLESS = 101  # OpenCV: a WebP quality above 100 is lossless
_ORIENTATIONS: dict[
    object, Orientation
] = {  # by EXIF's number; others are displayed as they are stored
    2: Orientation(0, mirrored=True),
    3: Orientation(2),
    4: Orientation(2, mirrored=True),
    5: Orientation(1, mirrored=True),
    6: Orientation(3),
    7: Orientation(3, mirrored=True),
    8: Orientation(1),
}


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture with its metadata, rotated upright.

    Attributes:
        pixels: uint8 or uint16, [H, W], [H, W, 3] BGR or [H, W, 4] BGRA.
        metadata: what the file says beside the pixels.
        frames: the number of frames in an animation, of which only the first is read.
        jpeg: how the file was coded, if it was a JPEG.
        warnings: what was changed to read it, one line each.
    """

    pixels: NDArray[np.uint8] | NDArray[np.uint16]
    metadata: PictureMetadata = field(default_factory=PictureMetadata)
    frames: int = 1
    jpeg: JpegCoding | None = None
    warnings: tuple[str, ...] = ()

    @property
    def has_alpha(self) -> bool:
        """Whether it has an alpha channel."""
        return self.pixels.ndim == 3 and self.pixels.shape[2] == 4

    @property
    def is_opaque(self) -> bool:
        """Whether every pixel is opaque."""
        return not self.has_alpha or bool(
            (self.pixels[:, :, 3] == np.iinfo(self.pixels.dtype).max).all()
        )

    def without_alpha(self, why: str) -> Picture:
        """Return the picture without its alpha channel; `why` becomes a warning."""
        pixels = np.ascontiguousarray(self.pixels[:, :, :3])
        return replace(self, pixels=pixels, warnings=(*self.warnings, why))

    @property
    def bgr(self) -> NDArray[np.uint8]:
        """The pixels as the unmasker takes them, uint8 [H, W, 3], BGR."""
        pixels = self.pixels
        if pixels.dtype == np.uint16:
            pixels = ((pixels.astype(np.uint32) + 128) // 257).astype(np.uint8)
        if pixels.ndim == 2:
            pixels = np.repeat(pixels[:, :, None], 3, axis=2)
        return np.ascontiguousarray(pixels[:, :, :3], dtype=np.uint8)

    def with_result(self, result_bgr: NDArray[np.uint8], replaced: NDArray[np.uint8]) -> Picture:
        """Return the picture with some pixels replaced, in the same format.

        The change is added to the original pixels, so that 16-bit pixels keep their precision where the
        fill is blended in. Alpha stays.

        Args:
            result_bgr: uint8 [H, W, 3].
            replaced: uint8 [H, W], nonzero where pixels are replaced; all others stay bit for bit.
        """
        change = result_bgr.astype(np.int32) - self.bgr
        pixels = self.pixels.copy()
        if pixels.ndim == 2:
            grey = cv2.cvtColor(result_bgr, cv2.COLOR_BGR2GRAY).astype(np.int32)
            change = grey - self.bgr[:, :, 0]
        white = np.iinfo(pixels.dtype).max
        colours = pixels if pixels.ndim == 2 else pixels[:, :, :3]
        changed = np.clip(colours.astype(np.int32) + change * (white // 255), 0, white)
        colours[replaced > 0] = changed[replaced > 0]
        jpeg = self.jpeg
        if jpeg is not None:
            jpeg = jpeg.with_result(self.bgr, result_bgr, replaced)
        return replace(self, pixels=pixels, jpeg=jpeg)


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

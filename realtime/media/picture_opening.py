"""Opens picture files with Pillow: the formats that are meant, of a size that is known before decoding."""

from __future__ import annotations

import importlib
import io
import os
import stat
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

from inpaint_model.errors import UserError
from inpaint_model.limits import Limits

if TYPE_CHECKING:
    from PIL import Image

# Pillow's names. It knows others that start programs (EPS) or that nobody means.
_FORMATS = ("JPEG", "PNG", "BMP", "GIF", "PPM", "WEBP", "TIFF", "DIB", "JPEG2000", "AVIF", "TGA")
_TIFF_STARTS = (b"II*\0", b"MM\0*")
_TIFF_WIDTH, _TIFF_HEIGHT, _TIFF_BITS, _TIFF_SAMPLES = 256, 257, 258, 277  # tags
_PNG_DEPTH_AT = 24  # the byte of a PNG file that holds the bits of a sample
_WORKING_BYTES = 3  # of a pixel: the faces are looked for in BGR, whatever the picture holds
_PILLOW = threading.Lock()  # while its own limit, a variable of its module, is set aside


def read_content(path: Path, limits: Limits) -> bytes:
    """Read a picture file.

    Raises:
        UserError: it cannot be read, is no plain file, is empty, or is over the limit.
    """
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):  # reading a device may never end
                raise UserError(f"{path}: is not a file")
            limits.check_file(path, status.st_size)
            content = file.read()
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from None
    if not content:
        raise UserError(f"{path}: is empty")
    return content


@contextmanager
def open_picture(file: Path | IO[bytes]) -> Iterator[Image.Image]:
    """Open a picture without decoding it.

    Raises:
        UnidentifiedImageError: it has none of the formats that are read.
        OSError, ValueError, SyntaxError: it is damaged; other errors of Pillow's readers are possible.
    """
    from PIL import Image

    formats = (*_FORMATS, "HEIF") if register_heif() else _FORMATS
    with warnings.catch_warnings(), _PILLOW:
        warnings.simplefilter("ignore")
        pixels, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None  # `Limits` says it
        try:
            picture = Image.open(file, formats=formats)
        finally:
            Image.MAX_IMAGE_PIXELS = pixels
    with picture:
        yield picture


def check_pixels(path: Path, content: bytes, picture: Image.Image, limits: Limits) -> None:
    """Refuse a picture whose decoded pixels are over the limit.

    Args:
        path: the file, for the message.
        content: its bytes.
        picture: opened and not decoded.
        limits: what is allowed.
    """
    limits.check_picture(path, *picture.size, _pixel_bytes(content, picture))


def _pixel_bytes(content: bytes, picture: Image.Image) -> int:
    """Bytes of a pixel as the picture is decoded; at least those of the working image."""
    is_deep = picture.mode.startswith(("I", "F")) or picture.format == "JPEG2000"
    if picture.format == "PNG":
        is_deep = content[_PNG_DEPTH_AT] > 8
    elif picture.format == "TIFF":
        bits = getattr(picture, "tag_v2", {}).get(_TIFF_BITS, (8,))
        is_deep = max(bits, default=8) > 8
    # The decoder and the encoder of a progressive JPEG hold all its coefficients beside the pixels.
    is_deep = is_deep or bool(picture.info.get("progressive"))
    colours = 3 if picture.mode == "P" else len(picture.getbands())
    return max(_WORKING_BYTES, colours * (2 if is_deep else 1))


def check_unknown_tiff(path: Path, content: bytes, limits: Limits) -> bool:
    """Say whether it is a TIFF file of a kind that Pillow does not know; refuse what is too large.

    Raises:
        UserError: it is over the limit, or states no size.
    """
    from PIL import TiffImagePlugin

    if not content.startswith(_TIFF_STARTS):
        return False
    try:
        file = io.BytesIO(content)
        tags = TiffImagePlugin.ImageFileDirectory_v2(file.read(8))
        file.seek(tags.next)
        tags.load(file)
        width, height = int(tags[_TIFF_WIDTH]), int(tags[_TIFF_HEIGHT])
        bits, samples = tags.get(_TIFF_BITS, (8,)), int(tags.get(_TIFF_SAMPLES, 1))
        sample_bytes = -(-int(max(bits)) // 8)
    except Exception:  # Pillow's reader raises errors of every kind
        raise UserError(f"{path}: is damaged or cut short (a TIFF without a size)") from None
    limits.check_picture(path, width, height, max(_WORKING_BYTES, samples * sample_bytes))
    return True


def register_heif() -> bool:
    """Let Pillow read HEIC, if pillow-heif is installed; return whether it is."""
    try:
        importlib.import_module("pillow_heif").register_heif_opener()
    except ImportError:
        return False
    return True

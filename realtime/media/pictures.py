"""Reads and writes pictures: 8 and 16 bits, grey or colour, with alpha, rotated by EXIF."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from inpaint_model.errors import UserError
from realtime.media.atomic_file import SYNTHETIC_NOTE
from realtime.media.orientation import Orientation

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")
_JPEG_QUALITY, _WEBP_LOSSLESS = 95, 101  # OpenCV: a WebP quality above 100 is lossless
_ORIENTATION, _DESCRIPTION = 0x0112, 0x010E  # EXIF tags
_KEPT_TAGS = (0x010F, 0x0110, 0x0132, 0x013B, 0x8298)  # maker, model, date, artist, copyright
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
        icc: its colour profile.
        exif: its EXIF tags, without the orientation.
        frames: the number of frames in an animation, of which only the first is read.
    """

    pixels: NDArray[np.uint8] | NDArray[np.uint16]
    icc: bytes = b""
    exif: dict[int, object] = field(default_factory=dict)
    frames: int = 1

    @property
    def bgr(self) -> NDArray[np.uint8]:
        """The pixels as the unmasker takes them, uint8 [H, W, 3], BGR."""
        pixels = self.pixels
        if pixels.dtype == np.uint16:
            pixels = ((pixels.astype(np.uint32) + 128) // 257).astype(np.uint8)
        if pixels.ndim == 2:
            pixels = np.repeat(pixels[:, :, None], 3, axis=2)
        return np.ascontiguousarray(pixels[:, :, :3], dtype=np.uint8)

    def replace(self, result_bgr: NDArray[np.uint8], replaced: NDArray[np.uint8]) -> Picture:
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
        return Picture(pixels, self.icc, self.exif, self.frames)


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
    icc, exif, frames = _read_metadata(path, content)
    pixels = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None:
        raise UserError(f"{path}: is not a picture that can be read")
    if pixels.dtype not in (np.uint8, np.uint16):
        raise UserError(f"{path}: has {pixels.dtype} pixels; 8 and 16 bits are supported")
    orientation = _ORIENTATIONS.get(exif.pop(_ORIENTATION, 1), Orientation())
    return Picture(np.ascontiguousarray(orientation.displayed(pixels)), icc, exif, frames)


def _read_metadata(path: Path, content: bytes) -> tuple[bytes, dict[int, object], int]:
    """Return colour profile, EXIF tags and number of frames.

    Pillow reads them because it refuses files that are cut short; OpenCV does not.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content)) as picture:
                picture.load()
                exif = dict(picture.getexif())
                icc = picture.info.get("icc_profile") or b""
                return icc, exif, getattr(picture, "n_frames", 1)
    except UnidentifiedImageError:
        if path.suffix.lower() in (".tif", ".tiff"):  # only OpenCV reads some TIFF formats
            return b"", {}, 1
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
    if suffix not in SUFFIXES:
        raise UserError(f"{target}: name a {', '.join(SUFFIXES)} file")
    if picture is None or suffix == ".png":
        return
    if picture.pixels.dtype == np.uint16:
        raise UserError(f"{target}: {suffix} cannot hold 16 bits; name a .png file")
    if suffix != ".webp" and picture.pixels.ndim == 3 and picture.pixels.shape[2] == 4:
        raise UserError(f"{target}: {suffix} cannot hold transparency; name a .png file")


def write_picture(path: Path, target: Path, picture: Picture) -> None:
    """Write a picture with its colour profile, its EXIF tags and the note that it is synthetic.

    Args:
        path: the temporary path to write to.
        target: the final path; its suffix selects the format.
        picture: what to write; PNG and WebP are lossless, JPEG has quality 95.

    Raises:
        UserError: the format cannot hold the picture.
    """
    types, metadata = [cv2.IMAGE_METADATA_EXIF], [_exif_bytes(picture.exif)]
    grey_profile = picture.icc[16:20] == b"GRAY"
    if picture.icc and grey_profile == (picture.pixels.ndim == 2):
        types.append(cv2.IMAGE_METADATA_ICCP)
        metadata.append(np.frombuffer(picture.icc, np.uint8))
    options = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY, cv2.IMWRITE_WEBP_QUALITY, _WEBP_LOSSLESS]
    suffix = target.suffix.lower()
    chosen = {".png": [], ".webp": options[2:]}.get(suffix, options[:2])
    done, content = cv2.imencodeWithMetadata(suffix, picture.pixels, types, metadata, chosen)
    if not done:
        raise UserError(f"{target}: the picture cannot be written in this format")
    path.write_bytes(content.tobytes())


def _exif_bytes(tags: dict[int, object]) -> NDArray[np.uint8]:
    from PIL import Image

    exif = Image.Exif()
    for tag in _KEPT_TAGS:
        if tag in tags:
            exif[tag] = tags[tag]
    exif[_DESCRIPTION] = SYNTHETIC_NOTE
    return np.frombuffer(exif.tobytes().removeprefix(b"Exif\0\0"), np.uint8)

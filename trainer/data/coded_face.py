"""One face of a prepared file: its coded canonical crop with validity, landmarks, split and data set."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.align.canonical_crop import CROP_SIZE

_FINEST_JPEG = [cv2.IMWRITE_JPEG_QUALITY, 96, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, 0x111111]
_MATTE_QUALITY = 90  # WebP


@dataclass(frozen=True)
class CodedFace:
    """One face as the file stores it.

    Attributes:
        picture: the canonical crop with a margin of M px, as JPEG or WebP: whole, or the bounding box
            of its valid pixels, around which the border pixels are repeated.
        valid: bool [S, S], S = scale (128 + 2M), False outside the source photograph.
        landmarks: float32 [478, 2], canonical crop pixels.
        split: train, val or test.
        source: the data set's name.
        identity: the person's name, or empty.
        matte: opacity of the person before the background, of the size of `valid`, as WebP; empty if it
            is not known.
        scale: pixels of the picture for each crop pixel, in each direction.
    """

    picture: bytes
    valid: NDArray[np.bool_]
    landmarks: NDArray[np.float32]
    split: str
    source: str
    identity: str
    matte: bytes = b""
    scale: int = 1

    @property
    def margin_px(self) -> int:
        """Margin around the canonical crop in pixels, M."""
        return margin_of(len(self.valid), self.scale)

    @property
    def coded_bytes(self) -> int:
        """Size of picture and matte."""
        return len(self.picture) + len(self.matte)


def margin_of(side_px: int, scale: int = 1) -> int:
    """Return the margin around the canonical crop in a square picture of a scale, in crop pixels."""
    return (side_px // scale - CROP_SIZE) // 2


def encode(
    crop_rgb: NDArray[np.uint8],
    valid: NDArray[np.bool_] | None = None,
    webp_quality: int | None = None,
) -> bytes:
    """Encode one crop as `CodedFace.picture`.

    Args:
        crop_rgb: uint8 [S, S, 3], RGB.
        valid: bool [S, S]: only the bounding box of these pixels is encoded; None: the whole crop.
        webp_quality: 1 to 100: lossy WebP; None: JPEG of quality 96, 4:4:4.
    """
    picture = crop_rgb if valid is None else crop_rgb[_bounding_box(valid)]
    name, how = (
        (".jpg", _FINEST_JPEG)
        if webp_quality is None
        else (".webp", [cv2.IMWRITE_WEBP_QUALITY, webp_quality])
    )
    return _encoded(picture[:, :, ::-1], name, how)


def decode(face: CodedFace) -> NDArray[np.uint8]:
    """Decode one crop, uint8 [S, S, 3], RGB, of the size of `valid`.

    Raises:
        ValueError: the picture is damaged.
    """
    coded = np.frombuffer(face.picture, np.uint8)
    picture = cv2.imdecode(coded, cv2.IMREAD_COLOR_RGB) if len(coded) else None
    if picture is None:
        raise ValueError("not a picture")
    rows, columns = _bounding_box(face.valid)
    if picture.shape[:2] == (rows.stop - rows.start, columns.stop - columns.start):
        height, width = face.valid.shape
        before, after = (rows.start, columns.start), (height - rows.stop, width - columns.stop)
        picture = cv2.copyMakeBorder(
            picture, before[0], after[0], before[1], after[1], cv2.BORDER_REPLICATE
        )
    if picture.shape != (*face.valid.shape, 3):
        raise ValueError("a picture of another size")
    return np.asarray(picture, np.uint8)


def encode_matte(matte: NDArray[np.uint8]) -> bytes:
    """Encode a matte, uint8 [S, S], as `CodedFace.matte`."""
    return _encoded(matte, ".webp", [cv2.IMWRITE_WEBP_QUALITY, _MATTE_QUALITY])


def decode_matte(face: CodedFace) -> NDArray[np.uint8]:
    """Decode a matte, uint8 [S, S], of the size of `valid`; 255 everywhere if it is not known.

    Raises:
        ValueError: the matte is damaged.
    """
    if not face.matte:
        return np.full(face.valid.shape, 255, np.uint8)
    matte = cv2.imdecode(np.frombuffer(face.matte, np.uint8), cv2.IMREAD_GRAYSCALE)
    if matte is None or matte.shape != face.valid.shape:
        raise ValueError("not a matte of the face's size")
    return np.asarray(matte, np.uint8)


def _encoded(picture: NDArray[np.uint8], name: str, how: list[int]) -> bytes:
    ok, data = cv2.imencode(name, picture, how)
    if not ok:
        raise RuntimeError(f"OpenCV could not encode a picture as {name}")
    return data.tobytes()


def _bounding_box(valid: NDArray[np.bool_]) -> tuple[slice, slice]:
    """Rows and columns of the bounding box of the valid pixels; everything if there are none."""
    rows, columns = np.flatnonzero(valid.any(1)), np.flatnonzero(valid.any(0))
    if not len(rows):
        return slice(0, valid.shape[0]), slice(0, valid.shape[1])
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)

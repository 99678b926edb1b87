"""A picture with its metadata: 8 or 16 bits, grey or colour, with or without alpha."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.media.jpeg import JpegCoding
from realtime.media.picture_metadata import PictureMetadata

_BAND_ROWS = 256


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture with its metadata, rotated upright.

    Attributes:
        pixels: uint8 or uint16, [H, W], [H, W, 3] BGR or [H, W, 4] BGRA.
        metadata: what the file says beside the pixels.
        has_more: the file holds more pictures, of which only the first is read.
        jpeg: how the file was coded, if it was a JPEG.
        warnings: what was changed to read it, one line each.
    """

    pixels: NDArray[np.uint8] | NDArray[np.uint16]
    metadata: PictureMetadata = field(default_factory=PictureMetadata)
    has_more: bool = False
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
        pixels = self.pixels if self.pixels.ndim == 3 else self.pixels[:, :, None]
        if pixels.dtype == np.uint8 and pixels.shape[2] == 3:
            return np.ascontiguousarray(pixels, dtype=np.uint8)
        bgr = np.empty((*pixels.shape[:2], 3), np.uint8)
        for band in _bands(len(bgr)):
            colours = pixels[band, :, :3]
            bgr[band] = colours if colours.dtype == np.uint8 else _in_8_bits(colours)
        return bgr

    def with_result(self, result_bgr: NDArray[np.uint8], replaced: NDArray[np.uint8]) -> Picture:
        """Return the picture with some pixels replaced, in the same format.

        The change is added to the original pixels, so that 16-bit pixels keep their precision where the
        fill is blended in. Alpha stays.

        Args:
            result_bgr: uint8 [H, W, 3]; where nothing was replaced equal to `bgr`.
            replaced: uint8 [H, W], nonzero where pixels are replaced; all others stay bit for bit.
        """
        before_bgr = self.bgr
        jpeg = self.jpeg
        if jpeg is not None:
            jpeg = jpeg.with_result(before_bgr, result_bgr, replaced)
        if self.pixels.dtype == np.uint8 and self.pixels.shape[2:] == (3,):
            return replace(self, pixels=result_bgr, jpeg=jpeg)
        pixels = self.pixels.copy()
        white = np.iinfo(pixels.dtype).max
        for band in _bands(len(pixels)):
            inside = replaced[band] > 0
            if not inside.any():
                continue
            if pixels.ndim == 2:
                grey = cv2.cvtColor(result_bgr[band], cv2.COLOR_BGR2GRAY).astype(np.int32)
                change, colours = grey - before_bgr[band, :, 0], pixels[band]
            else:
                change = result_bgr[band].astype(np.int32) - before_bgr[band]
                colours = pixels[band, :, :3]
            changed = np.clip(colours.astype(np.int32) + change * (white // 255), 0, white)
            colours[inside] = changed[inside]
        return replace(self, pixels=pixels, jpeg=jpeg)


def _bands(height: int) -> Iterator[slice]:
    """Divide the rows of a picture: what is computed of each band takes little memory."""
    return (slice(top, top + _BAND_ROWS) for top in range(0, height, _BAND_ROWS))


def _in_8_bits(deep: NDArray) -> NDArray[np.uint8]:
    """Convert uint16 pixels."""
    return ((deep.astype(np.uint32) + 128) // 257).astype(np.uint8)

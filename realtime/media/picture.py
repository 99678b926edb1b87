"""A picture with its metadata: 8 or 16 bits, grey or colour, with or without alpha."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.media.jpeg import JpegCoding
from realtime.media.picture_metadata import PictureMetadata


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

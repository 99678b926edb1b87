"""Converts between FFmpeg's YUV frames and BGR arrays.

swscale's default conversion to BGR darkens an image by about one level, which would show as a seam
round the replaced pixels. With full chroma and accurate rounding, luma survives the round trip exactly.
"""

from __future__ import annotations

import av
import numpy as np
from av.video.format import VideoFormat
from av.video.reformatter import Interpolation
from numpy.typing import NDArray

from realtime.media.orientation import Orientation

EXACT = int(
    Interpolation.BILINEAR
    | Interpolation.ACCURATE_RND
    | Interpolation.FULL_CHR_H_INT
    | Interpolation.FULL_CHR_H_INP
)
FAST = int(Interpolation.BILINEAR)
"""Sixteen times faster than `EXACT`, up to two levels off; for images that are not written back."""


_KNOWN_MATRICES = {1, 2, 4, 5, 6, 7, 9}  # FFmpeg's AVCOL_SPC numbers that swscale converts
_BT601 = 5


def known_matrix(frame: av.VideoFrame) -> int:
    """Return FFmpeg's number of a frame's YUV matrix; BT.601 where swscale does not know its own."""
    return frame.colorspace if frame.colorspace in _KNOWN_MATRICES else _BT601


def bit_depth(pixel_format: VideoFormat) -> int:
    """Return the bits of the format's largest component."""
    return max(component.bits for component in pixel_format.components)


def frame_bytes(frame: av.VideoFrame) -> int:
    """Return the bytes of a frame's planes and of its image in 8-bit BGR."""
    return frame.width * frame.height * (frame.format.padded_bits_per_pixel // 8 + 3)


def is_opaque(frame: av.VideoFrame) -> bool:
    """Say whether every pixel of a frame with an alpha channel is opaque."""
    rgba = frame.to_ndarray(format="rgba", interpolation=FAST, threads=1)
    return bool((rgba[:, :, 3] == 255).all())


def to_bgr(frame: av.VideoFrame) -> NDArray[np.uint8]:
    """Convert a decoded frame, as it is displayed, to uint8 [H, W, 3] BGR; see `ToBgr` for many."""
    return ToBgr(EXACT)(frame)


class ToBgr:
    """Converts the frames of one stream; how they are turned is read of the first one.

    PyAV ties a frame whose side data were read to itself: it stays in memory until Python looks for
    cycles, and a live run of hundreds of such frames a minute grew by hundreds of megabytes.

    Args:
        interpolation: `EXACT` or `FAST`.
    """

    def __init__(self, interpolation: int) -> None:
        self._interpolation = interpolation
        self._orientation: Orientation | None = None

    def __call__(self, frame: av.VideoFrame) -> NDArray[np.uint8]:
        """Convert a decoded frame, as it is displayed, to uint8 [H, W, 3] BGR."""
        if self._orientation is None:
            self._orientation = Orientation.of_frame(frame)
        image = frame.to_ndarray(
            format="bgr24",
            src_colorspace=known_matrix(frame),
            interpolation=self._interpolation,
            threads=1,
        )
        return np.ascontiguousarray(self._orientation.displayed(image), dtype=np.uint8)


def from_bgr(
    image_bgr: NDArray[np.uint8], pixel_format: str, colorspace: int, color_range: int
) -> av.VideoFrame:
    """Convert uint8 [H, W, 3] BGR to a frame for the encoder.

    Args:
        image_bgr: the image.
        pixel_format: FFmpeg's name, such as "yuv420p".
        colorspace: FFmpeg's AVCOL_SPC number of the YUV matrix.
        color_range: FFmpeg's AVCOL_RANGE number.
    """
    frame = av.VideoFrame.from_ndarray(image_bgr, format="bgr24")
    yuv = frame.reformat(
        format=pixel_format,
        dst_colorspace=colorspace,
        dst_color_range=color_range or None,
        interpolation=EXACT,
        threads=1,
    )
    yuv.colorspace, yuv.color_range = colorspace, color_range
    return yuv

"""Converts a decoded frame to upright 8-bit BGR, and writes a result back into its native planes.

A sample changes only if all pixels that it covers were replaced. All other samples stay as they were
decoded, at the bit depth and chroma resolution of the source.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Self

import av
import cv2
import numpy as np
from av.filter import Graph
from numpy.typing import NDArray

from realtime.media.colour import EXACT, FAST, bit_depth, known_matrix
from realtime.media.orientation import Orientation

_PQ = 16  # FFmpeg's AVCOL_TRC number of SMPTE ST 2084
_WHITE_NITS = 203.0  # diffuse white, cd/m2 (ITU-R BT.2408)
_MARGIN_PX = 8  # round the replaced pixels, for the interpolation of chroma
_ALIGNED_PX = 8  # boxes begin at multiples: at whole chroma samples of every pixel format
_MOST_BAND_PX = 8_000_000  # pixels that are converted at once, so that memory is bounded
_GRAIN_LEVELS = 2  # of 8 bits: the largest difference to the 8-bit image that is added back


@dataclass(frozen=True, eq=False)
class ToneCurve:
    """Maps HDR code values to those of a standard display, and back.

    Attributes:
        forward: uint8 [65536], from HDR.
        back: uint16 [256], to HDR.
    """

    forward: NDArray[np.uint8]
    back: NDArray[np.uint16]

    @classmethod
    def pq(cls) -> Self:
        """Return the curve of SMPTE ST 2084 (PQ); diffuse white and brighter become 255."""
        m1, m2, c1, c2, c3 = 0.1593017578125, 78.84375, 0.8359375, 18.8515625, 18.6875
        code = np.linspace(0, 1, 65536) ** (1 / m2)
        nits = 1e4 * (np.maximum(code - c1, 0) / (c2 - c3 * code)) ** (1 / m1)
        display = np.clip(nits / _WHITE_NITS, 0, 1) ** (1 / 2.2)
        light = (_WHITE_NITS / 1e4 * np.linspace(0, 1, 256) ** 2.2) ** m1
        back = ((c1 + c2 * light) / (1 + c3 * light)) ** m2
        return cls(np.rint(display * 255).astype(np.uint8), np.rint(back * 65535).astype(np.uint16))


class NativePlanes:
    """Converts the frames of one video to BGR and back.

    Args:
        frame: a frame of the video, in the pixel format of processing: planar YUV or grey.

    Attributes:
        orientation: how the video is turned for display.
    """

    def __init__(self, frame: av.VideoFrame) -> None:
        self.orientation = Orientation.of_frame(frame)
        self._format = frame.format.name
        self._bits = bit_depth(frame.format)
        self._deep = self._bits > 8
        self._range = frame.color_range
        self._matrix = known_matrix(frame)
        self._curve = ToneCurve.pq() if self._deep and frame.color_trc == _PQ else None
        self._copy = _FrameCopier(frame)

    def to_bgr(self, frame: av.VideoFrame) -> NDArray[np.uint8]:
        """Return the upright frame, uint8 [H, W, 3], BGR; HDR is mapped to a standard display."""
        name = "bgr48le" if self._deep else "bgr24"
        pixels = frame.to_ndarray(
            format=name, src_colorspace=known_matrix(frame), interpolation=FAST, threads=1
        )
        image = np.asarray(pixels, dtype=np.uint16 if self._deep else np.uint8)
        if self._curve is not None:
            image = self._curve.forward[image]
        elif self._deep:
            image = cv2.convertScaleAbs(image, alpha=1 / 257)
        return np.ascontiguousarray(self.orientation.displayed(image), dtype=np.uint8)

    def write(
        self,
        frame: av.VideoFrame,
        before_bgr: NDArray[np.uint8],
        result_bgr: NDArray[np.uint8],
        replaced: NDArray[np.uint8],
    ) -> av.VideoFrame:
        """Return a copy of the frame that shows the result where pixels were replaced.

        Args:
            frame: as decoded; not changed.
            before_bgr: what `to_bgr` returned for it.
            result_bgr: uint8 [H, W, 3], upright.
            replaced: uint8 [H, W], upright, nonzero where pixels were replaced.
        """
        stored = self.orientation.stored
        mask = np.ascontiguousarray(stored(replaced))
        x, y, width, height = cv2.boundingRect(mask)
        if not width:
            return frame
        copy = self._copy(frame)
        rows = max(_MOST_BAND_PX // width // _ALIGNED_PX, 1) * _ALIGNED_PX
        for top in range(y // _ALIGNED_PX * _ALIGNED_PX, y + height, rows):
            core = slice(top, min(top + rows, y + height))
            box = (
                _padded(core.start, core.stop - core.start, mask.shape[0]),
                _padded(x, width, mask.shape[1]),
            )
            inside = mask[box] > 0
            inside[: core.start - box[0].start] = False
            inside[core.stop - box[0].start :] = False
            if inside.any():
                self._write_box(copy, box, stored(before_bgr), stored(result_bgr), inside)
        return copy

    def _write_box(
        self,
        frame: av.VideoFrame,
        box: tuple[slice, slice],
        before_bgr: NDArray[np.uint8],
        result_bgr: NDArray[np.uint8],
        inside: NDArray[np.bool_],
    ) -> None:
        """Write a part of the result into a frame.

        Args:
            frame: is changed.
            box: rows and columns of the part, which begin at whole chroma samples.
            before_bgr, result_bgr: uint8 [H, W, 3], as stored.
            inside: bool, of the box: True where pixels were replaced.
        """
        after, before = self._planes(result_bgr[box]), self._planes(before_bgr[box])
        grain = _GRAIN_LEVELS << (self._bits - 8)
        for index, plane in enumerate(colour_planes(frame)):
            across = -(-frame.width // plane.shape[1])
            down = -(-frame.height // plane.shape[0])
            top, left = box[0].start // down, box[1].start // across
            target = plane[top : top + after[index].shape[0], left : left + after[index].shape[1]]
            # The source's detail below 8 bits is added back as grain, so that no banding shows.
            signed, unsigned = (cv2.CV_32S, cv2.CV_16U) if self._deep else (cv2.CV_16S, cv2.CV_8U)
            detail = np.clip(cv2.subtract(target, before[index], dtype=signed), -grain, grain)
            filled = cv2.add(after[index], detail, dtype=unsigned)
            filled = np.minimum(filled, (1 << self._bits) - 1)
            whole = _whole_footprints(inside, down, across)
            np.copyto(target, filled, where=whole, casting="unsafe")

    def _planes(self, image_bgr: NDArray[np.uint8]) -> list[NDArray]:
        """Convert an image to planes of the video's pixel format."""
        if self._deep:
            curve = self._curve
            deep = image_bgr.astype(np.uint16) * 257 if curve is None else curve.back[image_bgr]
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(deep), format="bgr48le")
        else:
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image_bgr), format="bgr24")
        yuv = frame.reformat(
            format=self._format,
            dst_colorspace=self._matrix,
            dst_color_range=self._range or None,
            interpolation=EXACT,
            threads=1,
        )
        # The planes are copied because their memory belongs to the frame.
        return [plane.copy() for plane in colour_planes(yuv)]


class _FrameCopier:
    """Copies frames with their side data: field order, captions, light levels."""

    def __init__(self, frame: av.VideoFrame) -> None:
        self._graph = Graph()
        unit = frame.time_base or Fraction(1, 1000)  # copying needs one; any is right
        source = self._graph.add_buffer(
            width=frame.width, height=frame.height, format=frame.format, time_base=unit
        )
        copy, sink = self._graph.add("copy"), self._graph.add("buffersink")
        source.link_to(copy)
        copy.link_to(sink)
        self._graph.configure()

    def __call__(self, frame: av.VideoFrame) -> av.VideoFrame:
        self._graph.push(frame)
        copy = self._graph.pull()
        assert isinstance(copy, av.VideoFrame)
        return copy


def colour_planes(frame: av.VideoFrame) -> list[NDArray[np.uint8] | NDArray[np.uint16]]:
    """Return the frame's planes except alpha as arrays [h, w] that share its memory."""
    dtype = np.dtype(np.uint16 if bit_depth(frame.format) > 8 else np.uint8)
    planes = []
    for plane in frame.planes[:3]:
        rows = np.frombuffer(plane, dtype)  # pyright: ignore[reportCallIssue, reportArgumentType]
        rows = rows.reshape(plane.height, plane.line_size // dtype.itemsize)
        planes.append(rows[:, : plane.width])
    return planes


def _padded(start: int, length: int, size: int) -> slice:
    """Pad to complete chroma samples, with a margin for their interpolation."""
    first = max(start - _MARGIN_PX, 0) // _ALIGNED_PX * _ALIGNED_PX
    return slice(first, min(start + length + _MARGIN_PX, size))


def _whole_footprints(mask: NDArray[np.bool_], down: int, across: int) -> NDArray[np.bool_]:
    """Return for each sample of a plane whether all pixels that it covers are in the mask."""
    height, width = -(-mask.shape[0] // down), -(-mask.shape[1] // across)
    whole = np.ones((height, width), dtype=np.bool_)
    for y in range(down):
        for x in range(across):
            part = mask[y::down, x::across]
            whole[: part.shape[0], : part.shape[1]] &= part
    return whole

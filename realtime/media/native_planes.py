"""Shows a decoded frame as upright 8-bit BGR, and writes a result back into the frame's own planes.

Only samples whose whole footprint was replaced change; all others stay as they were decoded, at the
depth and chroma resolution of the source.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import av
import cv2
import numpy as np
from av.filter import Graph
from numpy.typing import NDArray

from realtime.media.colour import EXACT, FAST

_PQ = 16
_WHITE_NITS = 203.0
_KNOWN_MATRICES = {1, 2, 4, 5, 6, 7, 9}
_MARGIN_PX = 8
_GRAIN_LEVELS = 2


@dataclass(frozen=True, eq=False)
class ToneCurve:
    """Takes an HDR code value to what a standard screen would show, and back.

    Attributes:
        forward: uint8 [65536].
        back: uint16 [256].
    """

    forward: NDArray[np.uint8]
    back: NDArray[np.uint16]

    @classmethod
    def pq(cls) -> Self:
        """SMPTE ST 2084, with diffuse white (203 cd/m2, ITU-R BT.2408) as the brightest."""
        m1, m2, c1, c2, c3 = 0.1593017578125, 78.84375, 0.8359375, 18.8515625, 18.6875
        code = np.linspace(0, 1, 65536) ** (1 / m2)
        nits = 1e4 * (np.maximum(code - c1, 0) / (c2 - c3 * code)) ** (1 / m1)
        shown = np.clip(nits / _WHITE_NITS, 0, 1) ** (1 / 2.2)
        light = (_WHITE_NITS / 1e4 * np.linspace(0, 1, 256) ** 2.2) ** m1
        back = ((c1 + c2 * light) / (1 + c3 * light)) ** m2
        return cls(np.rint(shown * 255).astype(np.uint8), np.rint(back * 65535).astype(np.uint16))


class NativePlanes:
    """How one video's frames are looked at and written into.

    Args:
        frame: a frame of the video, in the pixel format all are processed in: planar YUV or grey.
    """

    def __init__(self, frame: av.VideoFrame) -> None:
        self.quarter_turns = round(frame.rotation / 90) % 4
        self._format = frame.format.name
        self._deep = max(c.bits for c in frame.format.components) > 8
        self._bits = max(c.bits for c in frame.format.components)
        self._range = frame.color_range
        self._matrix = frame.colorspace if frame.colorspace in _KNOWN_MATRICES else 5
        self._curve = ToneCurve.pq() if self._deep and frame.color_trc == _PQ else None
        self._copier = _Copier(frame)

    def look(self, frame: av.VideoFrame) -> NDArray[np.uint8]:
        """Return the frame upright, uint8 [H, W, 3], BGR; HDR as a standard screen would show it."""
        name = "bgr48le" if self._deep else "bgr24"
        pixels = frame.to_ndarray(
            format=name, src_colorspace=self._matrix, interpolation=FAST, threads=1
        )
        image = np.asarray(pixels, dtype=np.uint16 if self._deep else np.uint8)
        if self._curve is not None:
            image = self._curve.forward[image]
        elif self._deep:
            image = cv2.convertScaleAbs(image, alpha=1 / 257)
        if self.quarter_turns:
            image = np.rot90(image, self.quarter_turns)
        return np.ascontiguousarray(image, dtype=np.uint8)

    def write(
        self,
        frame: av.VideoFrame,
        looked_bgr: NDArray[np.uint8],
        result_bgr: NDArray[np.uint8],
        replaced: NDArray[np.uint8],
    ) -> av.VideoFrame:
        """Return a copy of the frame with the result where it was replaced.

        Args:
            frame: as decoded; not changed.
            looked_bgr: what `look` returned for it.
            result_bgr: uint8 [H, W, 3], upright.
            replaced: uint8 [H, W], upright, not 0 where the picture changes.
        """
        turns = -self.quarter_turns
        mask = np.ascontiguousarray(np.rot90(replaced, turns))
        x, y, width, height = cv2.boundingRect(mask)
        if not width:
            return frame
        box = _grown(y, height, mask.shape[0]), _grown(x, width, mask.shape[1])
        after = self._planes(np.rot90(result_bgr, turns)[box])
        before = self._planes(np.rot90(looked_bgr, turns)[box])
        inside = mask[box] > 0
        copy = self._copier(frame)
        grain = _GRAIN_LEVELS << (self._bits - 8)
        for index, plane in enumerate(colour_planes(copy)):
            across = -(-frame.width // plane.shape[1])
            down = -(-frame.height // plane.shape[0])
            top, left = box[0].start // down, box[1].start // across
            target = plane[top : top + after[index].shape[0], left : left + after[index].shape[1]]
            # What 8 bits could not show of the source goes on inside, as grain: no banding at the rim.
            rest = cv2.subtract(
                target, before[index], dtype=cv2.CV_32S if self._deep else cv2.CV_16S
            )
            rest = np.clip(rest, -grain, grain)
            filled = cv2.add(after[index], rest, dtype=cv2.CV_16U if self._deep else cv2.CV_8U)
            filled = np.minimum(filled, (1 << self._bits) - 1)
            whole = _whole_footprints(inside, down, across)
            np.copyto(target, filled, where=whole, casting="unsafe")
        return copy

    def _planes(self, image_bgr: NDArray[np.uint8]) -> list[NDArray]:
        """Convert to planes of the video's format."""
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
        # A copy: the planes' memory is the frame's.
        return [plane.copy() for plane in colour_planes(yuv)]


class _Copier:
    """Copies frames with everything that hangs on them: field order, captions, light levels."""

    def __init__(self, frame: av.VideoFrame) -> None:
        self._graph = Graph()
        source = self._graph.add_buffer(
            width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base
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
    """Return the frame's planes but alpha as arrays that share its memory, [h, w]."""
    deep = max(c.bits for c in frame.format.components) > 8
    dtype = np.dtype(np.uint16 if deep else np.uint8)
    planes = []
    for plane in frame.planes[:3]:
        rows = np.frombuffer(plane, dtype)  # pyright: ignore[reportCallIssue, reportArgumentType]
        rows = rows.reshape(plane.height, plane.line_size // dtype.itemsize)
        planes.append(rows[:, : plane.width])
    return planes


def display_matrix(frame: av.VideoFrame) -> tuple[int, ...] | None:
    """Return the nine numbers that turn or mirror the video for display, if it has any."""
    data = frame.side_data.get("DISPLAYMATRIX")
    if data is None:
        return None
    return tuple(int(n) for n in np.frombuffer(memoryview(data), "<i4"))


def _grown(start: int, length: int, size: int) -> slice:
    """Widen to whole chroma samples, with a margin for their interpolation."""
    return slice(max(start - _MARGIN_PX, 0) // 8 * 8, min(start + length + _MARGIN_PX, size))


def _whole_footprints(mask: NDArray[np.bool_], down: int, across: int) -> NDArray[np.bool_]:
    """Say of each sample of a plane whether all pixels it stands for are marked."""
    height, width = -(-mask.shape[0] // down), -(-mask.shape[1] // across)
    whole = np.ones((height, width), dtype=np.bool_)
    for y in range(down):
        for x in range(across):
            part = mask[y::down, x::across]
            whole[: part.shape[0], : part.shape[1]] &= part
    return whole

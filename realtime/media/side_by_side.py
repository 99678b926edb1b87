"""Puts source and result side by side in native planes."""

from __future__ import annotations

import av
import numpy as np
from numpy.typing import NDArray

from realtime.media.colour import bit_depth
from realtime.media.orientation import Orientation


def side_by_side(
    source: av.VideoFrame, result: av.VideoFrame, orientation: Orientation
) -> av.VideoFrame:
    """Join two frames so that they are displayed side by side, the source on the left.

    Args:
        source, result: planar frames of one size and format.
        orientation: how a player turns them.
    """
    vertical = orientation.swaps_sides
    order = orientation.stored(np.array([[0, 1]])).ravel()
    first, second = ((source, result)[place] for place in order)
    width = source.width * (1 if vertical else 2)
    height = source.height * (2 if vertical else 1)
    both = av.VideoFrame(width, height, source.format.name)
    for index in range(len(source.planes)):
        parts = [_bytes_of(frame, index) for frame in (first, second)]
        joined = np.concatenate(parts, axis=0 if vertical else 1)
        target = _bytes_of(both, index)
        target[:] = joined[: target.shape[0], : target.shape[1]]
    both.color_range, both.colorspace = source.color_range, source.colorspace
    both.color_primaries, both.color_trc = source.color_primaries, source.color_trc
    return both


def _bytes_of(frame: av.VideoFrame, index: int) -> NDArray[np.uint8]:
    """Return a plane's bytes, uint8 [h, bytes a row], sharing its memory."""
    plane = frame.planes[index]
    sample_bytes = 2 if bit_depth(frame.format) > 8 else 1
    rows = np.frombuffer(plane, np.uint8)  # pyright: ignore[reportCallIssue, reportArgumentType]
    rows = rows.reshape(plane.height, plane.line_size)
    return rows[:, : plane.width * sample_bytes]

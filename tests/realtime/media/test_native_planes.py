"""Frames in their own planes: shown as BGR, whatever their tags say."""

from __future__ import annotations

import av
import numpy as np
import pytest

from realtime.media.native_planes import NativePlanes


@pytest.mark.parametrize("matrix", [10, 18])  # BT.2020 with constant luminance; no such number
def test_planes_of_a_frame_with_another_matrix_are_shown(matrix: int) -> None:
    """A damaged stream changes its tags from frame to frame; swscale refuses what it does not know."""
    grey = np.full((96, 64), 120, np.uint8)
    first, other = (av.VideoFrame.from_ndarray(grey, format="yuv420p") for _ in range(2))
    planes = NativePlanes(first)
    other.colorspace = matrix
    assert np.abs(planes.to_bgr(other).astype(int) - planes.to_bgr(first)).max() <= 3

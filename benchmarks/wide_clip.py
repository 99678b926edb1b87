"""A 16:9 clip with one masked face, made from the demo's public-domain photograph: needs no data."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.demo.clip import CameraPath, DemoClip
from realtime.media.clip import write_clip


def wide_frames(width: int, height: int, fps: int, seconds: float) -> Iterator[NDArray[np.uint8]]:
    """Yield uint8 [height, width, 3] BGR: the demo's clip before its own blurred background."""
    clip = DemoClip(path=CameraPath(side=height, fps=fps, seconds=seconds, zoom=(2.4, 2.9)))
    left = (width - height) // 2
    for square in clip.masked_bgr():
        background = cv2.resize(square[: height // 3], (width, height))
        frame = cv2.GaussianBlur(background, (0, 0), 25).astype(np.uint8, copy=False)
        frame[:, left : left + height] = square
        yield frame


def write_wide_clip(target: Path, width: int, height: int, fps: int, seconds: float) -> int:
    """Write the clip as H.264; return how many frames it has."""
    frames = list(wide_frames(width, height, fps, min(seconds, 5.0)))
    count = round(fps * seconds)
    write_clip(target, islice(cycle([*frames, *frames[::-1]]), count), fps)
    return count

"""Clips for the live benchmarks: masked faces tiled into a camera's frames, coded as a camera codes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.clips import masked_frames
from inpaint_model.errors import UserError
from realtime.demo.clip import DemoClip
from realtime.synthetic import preset_style

_LAYOUTS = {1: (1, 1), 2: (2, 1), 4: (2, 2)}  # columns and rows by the number of faces
MOST_FRAMES = 150  # of the clip, before they run backwards
_SIDE_PX = 512
_BACKGROUND = 96  # grey level between the faces
Frame = NDArray[np.uint8]


def looped_frames(clip: Path | None) -> list[Frame]:
    """A clip's middle square with a rendered mask, uint8 [512, 512, 3] BGR; without a clip the demo's.

    The frames run forwards and then backwards, so that they can be repeated without a cut.
    """
    if clip is None:
        frames = DemoClip().masked_bgr()
    else:
        style = preset_style("surgical")
        frames = (frame.masked_bgr for frame in masked_frames(clip, style, _SIDE_PX))
    forwards = list(islice(frames, MOST_FRAMES))
    return forwards + forwards[-2:0:-1]


def tiled(frames: Sequence[Frame], number: int, faces: int, size: tuple[int, int]) -> Frame:
    """Compose one camera frame of several faces, each at another moment of the loop.

    Args:
        frames: the loop.
        number: of the camera's frame.
        faces: 1, 2 or 4.
        size: width and height of the camera's frame.

    Raises:
        UserError: there is no layout for so many faces.
    """
    if faces not in _LAYOUTS:
        raise UserError(f"{faces} faces: choose among {', '.join(map(str, _LAYOUTS))}")
    columns, rows = _LAYOUTS[faces]
    width, height = size
    tile_width, tile_height = width // columns, height // rows
    side = min(tile_width, tile_height)
    picture = np.full((height, width, 3), _BACKGROUND, np.uint8)
    for place in range(faces):
        frame = frames[(number + place * len(frames) // faces) % len(frames)]
        square = cv2.resize(frame, (side, side), interpolation=cv2.INTER_AREA)
        x = (place % columns) * tile_width + (tile_width - side) // 2
        y = (place // columns) * tile_height + (tile_height - side) // 2
        picture[y : y + side, x : x + side] = square
    return picture


def write_mjpg(
    target: Path, frames: Sequence[Frame], faces: int, size: tuple[int, int], fps: int
) -> None:
    """Write one loop of such frames as Motion JPEG, as a webcam codes them."""
    with av.open(str(target), "w", format="matroska") as file:
        stream = file.add_stream("mjpeg", rate=fps)
        stream.width, stream.height = size
        stream.pix_fmt = "yuvj422p"
        stream.codec_context.qmin, stream.codec_context.qmax = 3, 5
        for number in range(len(frames)):
            image = tiled(frames, number, faces, size)
            file.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        file.mux(stream.encode(None))

"""Writes images that the program made as a video of constant frame rate."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from realtime.media.atomic_file import SYNTHETIC_NOTE, atomic_write
from realtime.media.colour import from_bgr

_BT709, _LIMITED = 1, 1  # FFmpeg's AVCOL_SPC and AVCOL_RANGE numbers


def write_clip(
    target: Path, images_bgr: Iterable[NDArray[np.uint8]], fps: int, crf: int = 15
) -> None:
    """Write an MP4 file with H.264; it appears only when it is complete.

    Args:
        target: the file.
        images_bgr: uint8 [H, W, 3], BGR, all of one size; height and width are even.
        fps: frames a second.
        crf: x264's constant quality, lower is better.

    Raises:
        UserError: it cannot be written there.
    """
    with (
        atomic_write(target) as temporary,
        av.open(str(temporary), "w", format="mp4") as file,
    ):
        file.metadata["comment"] = SYNTHETIC_NOTE
        stream = file.add_stream("libx264", rate=fps)
        stream.pix_fmt = "yuv420p"
        stream.codec_context.options = {"crf": str(crf), "preset": "veryfast"}
        stream.codec_context.colorspace = _BT709
        stream.codec_context.color_range = _LIMITED
        for index, image_bgr in enumerate(images_bgr):
            if index == 0:
                stream.height, stream.width = image_bgr.shape[:2]
            frame = from_bgr(image_bgr, "yuv420p", _BT709, _LIMITED)
            frame.pts = index
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))

"""Puts a rendered mask on the face of a real clip, so that the bare face behind it is known."""

from __future__ import annotations

from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from inpaint_model.errors import UserError
from realtime.faces import FaceFinder
from realtime.maskwear import MaskStyle, wear


def wear_on_clip(
    source: Path, target: Path, style: MaskStyle, *, side: int = 512, most_frames: int = 300
) -> int:
    """Write a square clip in which the largest face wears a mask; audio is copied.

    Args:
        source: a clip with one face.
        target: the `.mp4` to write; the bare clip is written beside it as `NAME-truth.mp4`.
        style: the mask.
        side: width and height of the result, pixels; the middle of the source is taken.
        most_frames: stop after this many.

    Returns:
        The number of frames written.
    """
    truth = target.with_name(target.stem + "-truth.mp4")
    frames = 0
    with av.open(str(source)) as given, FaceFinder(1, video=True) as finder:
        if not given.streams.video:
            raise UserError(f"{source}: holds no video")
        video = given.streams.video[0]
        rate = video.average_rate or 25
        with av.open(str(target), "w") as masked_file, av.open(str(truth), "w") as truth_file:
            outputs = []
            for container in (masked_file, truth_file):
                stream = container.add_stream("libx264", rate=rate, options={"crf": "16"})
                stream.width = stream.height = side
                stream.pix_fmt = "yuv420p"
                outputs.append((container, stream))
            for frame in given.decode(video):
                bare = _square(np.asarray(frame.to_ndarray(format="rgb24"), np.uint8), side)
                faces = finder(bare)
                masked = bare
                if faces and faces[0].landmarks is not None:
                    masked = wear(bare, faces[0].landmarks, style).image_rgb
                for (container, stream), picture in zip(outputs, (masked, bare), strict=True):
                    packet_frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
                    container.mux(stream.encode(packet_frame))
                frames += 1
                if frames >= most_frames:
                    break
            for container, stream in outputs:
                container.mux(stream.encode())
    return frames


def _square(picture: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Cut the middle square and scale it, uint8 [side, side, 3]."""
    height, width = picture.shape[:2]
    edge = min(height, width)
    y, x = (height - edge) // 2, (width - edge) // 2
    square = picture[y : y + edge, x : x + edge]
    resized = cv2.resize(square, (side, side), interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(resized, dtype=np.uint8)

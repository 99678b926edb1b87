"""Puts a rendered mask on the face of a real clip, so that the bare face behind it is known."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.detect.face_detector import FaceDetector
from realtime.media.clip import write_clip
from realtime.media.reader import VideoReader
from realtime.synthetic import MaskStyle, render_mask


def bare_frames(source: Path, side: int) -> Iterator[NDArray[np.uint8]]:
    """Decode a clip's middle square, scaled: uint8 [side, side, 3] BGR."""
    with VideoReader(source) as file:
        for frame in file:
            yield _square(frame.image_bgr, side)


def worn_frames(source: Path, style: MaskStyle, side: int) -> Iterator[NDArray[np.uint8]]:
    """The same with a mask on the largest face of each frame."""
    with FaceDetector(1, video=True) as finder:
        for bare in bare_frames(source, side):
            bare_rgb = np.ascontiguousarray(bare[:, :, ::-1])
            faces = finder(bare_rgb)
            if not faces or faces[0].landmarks is None:
                yield bare
                continue
            worn = render_mask(bare_rgb, faces[0].landmarks, style).image_rgb
            yield np.ascontiguousarray(worn[:, :, ::-1])


def bare_and_worn(
    source: Path, style: MaskStyle
) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.uint8]]]:
    """Decode whole frames of a clip; those with a face, bare and with a mask on the largest one, BGR."""
    with FaceDetector(1, video=True) as finder, VideoReader(source) as file:
        for frame in file:
            bare = frame.image_bgr
            bare_rgb = np.ascontiguousarray(bare[:, :, ::-1])
            faces = finder(bare_rgb)
            if faces and faces[0].landmarks is not None:
                worn = render_mask(bare_rgb, faces[0].landmarks, style).image_rgb
                yield bare, np.ascontiguousarray(worn[:, :, ::-1])


def wear_on_clip(
    source: Path, target: Path, style: MaskStyle, *, side: int = 512, most_frames: int = 300
) -> int:
    """Write a square clip in which the largest face wears a mask, and the bare one beside it.

    Args:
        source: a clip with one face.
        target: the `.mp4` to write; the bare clip is `NAME-truth.mp4` beside it.
        style: the mask.
        side: width and height of the result, pixels; the middle of the source is taken.
        most_frames: stop after this many.

    Returns:
        The number of frames written.
    """
    with VideoReader(source) as file:
        fps = round(file.frame_rate)
    frames = 0

    def counted() -> Iterator[NDArray[np.uint8]]:
        nonlocal frames
        for frame in islice(worn_frames(source, style, side), most_frames):
            frames += 1
            yield frame

    write_clip(target, counted(), fps)
    truth = target.with_name(target.stem + "-truth.mp4")
    write_clip(truth, islice(bare_frames(source, side), most_frames), fps)
    return frames


def _square(picture: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Cut the middle square and scale it, uint8 [side, side, 3]."""
    height, width = picture.shape[:2]
    edge = min(height, width)
    y, x = (height - edge) // 2, (width - edge) // 2
    square = picture[y : y + edge, x : x + edge]
    resized = cv2.resize(square, (side, side), interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(resized, dtype=np.uint8)

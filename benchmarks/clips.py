"""Clips to measure on: masks rendered on real clips, and the demo's masked face in a 16:9 picture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from inpaint_model.errors import UserError
from realtime.demo.clip import CameraPath, DemoClip
from realtime.detect.face_finder import FaceFinder
from realtime.media.clip import write_clip
from realtime.media.reader import VideoReader
from realtime.synthetic import MaskStyle, render_mask
from realtime.track.tracker import FaceTracker

_LOOP_S = 5.0  # the demo's clip is rendered for so long, then played backwards and forwards


@dataclass(frozen=True)
class MaskedFrame:
    """A frame of a clip, bare and masked.

    Attributes:
        bare_bgr: uint8 [H, W, 3], as decoded: the ground truth.
        masked_bgr: uint8 [H, W, 3], with a mask on the largest face; `bare_bgr` where there is none.
        landmarks: float64 [478, 2] of the largest face, pixels; None where there is none.
    """

    bare_bgr: NDArray[np.uint8]
    masked_bgr: NDArray[np.uint8]
    landmarks: NDArray[np.float64] | None


def clips_in(paths: Sequence[Path]) -> list[Path]:
    """List the clips given and the MP4 files of the folders given, sorted.

    Raises:
        UserError: there is none.
    """
    clips = sorted(p for path in paths for p in (path.glob("*.mp4") if path.is_dir() else [path]))
    if not clips:
        raise UserError("no clips to measure on")
    return clips


def masked_frames(source: Path, style: MaskStyle, side: int = 0) -> Iterator[MaskedFrame]:
    """Decode a clip and render a mask on the largest face of each frame.

    Args:
        source: the clip.
        style: the mask.
        side: take the middle square, scaled to so many pixels; 0 takes whole frames.
    """
    with FaceFinder() as finder, VideoReader(source) as file:
        tracker = FaceTracker(finder, 1, detect_every_n=False)
        for frame in file:
            bare = _middle_square(frame.image_bgr, side) if side else frame.image_bgr
            bare_rgb = np.ascontiguousarray(bare[:, :, ::-1])
            faces = [tracked.face for tracked in tracker(bare) if tracked.found]
            landmarks, masked = faces[0].landmarks if faces else None, bare
            if landmarks is not None:
                masked_rgb = render_mask(bare_rgb, landmarks, style).image_rgb
                masked = np.ascontiguousarray(masked_rgb[:, :, ::-1])
            yield MaskedFrame(bare, masked, landmarks)


def write_masked_clip(
    source: Path, target: Path, style: MaskStyle, *, side: int = 512, most_frames: int = 300
) -> int:
    """Write the first frames of a clip's middle square, masked; return how many there are."""
    with VideoReader(source) as file:
        fps = round(file.frame_rate)
    frames = islice(masked_frames(source, style, side), most_frames)
    masked = [frame.masked_bgr for frame in frames]
    write_clip(target, masked, fps)
    return len(masked)


def write_demo_clip(target: Path, clip: DemoClip) -> int:
    """Write the demo's masked clip; return how many frames it has."""
    write_clip(target, clip.masked_bgr(), clip.path.fps)
    return clip.path.frames


def write_wide_clip(target: Path, width: int, height: int, fps: int, seconds: float) -> int:
    """Write the demo's masked face in a wide picture of any length; return how many frames it has."""
    frames = list(_wide_frames(width, height, fps, min(seconds, _LOOP_S)))
    count = round(fps * seconds)
    write_clip(target, islice(cycle([*frames, *frames[::-1]]), count), fps)
    return count


def _wide_frames(width: int, height: int, fps: int, seconds: float) -> Iterator[NDArray[np.uint8]]:
    """The demo's clip before its own blurred background, uint8 [height, width, 3] BGR."""
    clip = DemoClip(path=CameraPath(side=height, fps=fps, seconds=seconds, zoom=(2.4, 2.9)))
    left = (width - height) // 2
    for square in clip.masked_bgr():
        background = cv2.resize(square[: height // 3], (width, height))
        frame = cv2.GaussianBlur(background, (0, 0), 25).astype(np.uint8, copy=False)
        frame[:, left : left + height] = square
        yield frame


def _middle_square(picture: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Cut the middle square and scale it, uint8 [side, side, 3]."""
    height, width = picture.shape[:2]
    edge = min(height, width)
    y, x = (height - edge) // 2, (width - edge) // 2
    square = picture[y : y + edge, x : x + edge]
    resized = cv2.resize(square, (side, side), interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(resized, dtype=np.uint8)

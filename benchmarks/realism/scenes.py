"""Scenes with a known answer for the stability benchmark: a real clip's face with and without a mask."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.masked_clips import bare_frames
from inpaint_model.errors import UserError
from realtime.align.affine import invert
from realtime.align.canonical_crop import similarity_from_landmarks
from realtime.detect.face_detector import FaceDetector
from realtime.media.reader import VideoReader
from realtime.synthetic import MaskStyle, render_mask

_SIDE_PX = 480
_SMOOTH_FRAMES = 5


@dataclass(frozen=True)
class Scene:
    """Some seconds of one person.

    Attributes:
        name: of the clip.
        fps: frames a second.
        bare, masked: the frames without and with a mask, uint8 [H, W, 3] BGR.
        matrices: float64 [2, 3] each, frame pixels to crop pixels; from the bare face, smoothed both ways.
    """

    name: str
    fps: float
    bare: list[NDArray[np.uint8]]
    masked: list[NDArray[np.uint8]]
    matrices: list[NDArray[np.float64]]


def scene_of(clip: Path, style: MaskStyle, most_frames: int) -> Scene:
    """Wear a mask on a clip's largest face, up to the first frame in which it is not found.

    Raises:
        UserError: there is no face in its first frames.
    """
    with VideoReader(clip) as file:
        fps = float(file.frame_rate)
    bare, masked, matrices = [], [], []
    with FaceDetector(1, video=True) as finder:
        for frame in bare_frames(clip, _SIDE_PX):
            rgb = np.ascontiguousarray(frame[:, :, ::-1])
            faces = finder(rgb)
            if len(bare) >= most_frames or not faces or faces[0].landmarks is None:
                break
            bare.append(frame)
            worn = render_mask(rgb, faces[0].landmarks, style).image_rgb
            masked.append(np.ascontiguousarray(worn[:, :, ::-1]))
            matrices.append(similarity_from_landmarks(faces[0].landmarks))
    if len(bare) < 2 * _SMOOTH_FRAMES:
        raise UserError(f"{clip}: no face in its first frames")
    return Scene(clip.stem, fps, bare, masked, _smoothed(matrices))


def _smoothed(matrices: list[NDArray[np.float64]]) -> list[NDArray[np.float64]]:
    """Average over neighbours on both sides, so that what is measured is not this alignment's jitter."""
    half = _SMOOTH_FRAMES // 2
    padded = np.pad(np.array(matrices), ((half, half), (0, 0), (0, 0)), mode="edge")
    return [padded[n : n + _SMOOTH_FRAMES].mean(0) for n in range(len(matrices))]


def with_hand(scene: Scene, frame: int, progress: float) -> NDArray[np.uint8]:
    """A masked frame with a hand before the mask, moving from one side (0) to the other (1)."""
    image = scene.masked[frame].copy()
    back = invert(scene.matrices[frame])
    scale = float(np.hypot(back[0, 0], back[1, 0]))
    centre = back[:, :2] @ (-30 + 190 * progress, 100.0) + back[:, 2]
    at = (round(centre[0]), round(centre[1]))
    skin = tuple(float(v) for v in np.median(scene.bare[frame][_forehead(back)], axis=(0, 1)))
    size = (round(14 * scale), round(34 * scale))
    cv2.ellipse(image, at, size, 12.0, 0.0, 360.0, skin, -1, cv2.LINE_AA)
    for finger in range(4):
        tip = (at[0] + round((finger - 1.5) * 7 * scale), at[1] - round(42 * scale))
        cv2.line(image, at, tip, skin, max(round(5 * scale), 1), cv2.LINE_AA)
    return image


def _forehead(back: NDArray[np.float64]) -> tuple[slice, slice]:
    x, y = (back[:, :2] @ (64.0, 26.0) + back[:, 2]).astype(int)
    return slice(max(y - 3, 0), max(y, 0) + 4), slice(max(x - 3, 0), max(x, 0) + 4)


def hidden(scene: Scene, frame: int) -> NDArray[np.uint8]:
    """A masked frame whose whole face is covered by something grey."""
    image = scene.masked[frame].copy()
    back = invert(scene.matrices[frame])
    corners = (
        np.array([[-20, -30], [148, -30], [148, 160], [-20, 160]]) @ back[:, :2].T + back[:, 2]
    )
    cv2.fillConvexPoly(image, corners.astype(np.int32), (120, 118, 116))
    return image

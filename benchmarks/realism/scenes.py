"""Scenes with known ground truth for the stability benchmark: a clip's face with and without a mask."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.clips import masked_frames
from inpaint_model.errors import UserError
from realtime.align.affine import apply, invert, scale_of
from realtime.align.canonical_crop import similarity_from_landmarks
from realtime.media.reader import VideoReader
from realtime.synthetic import MaskStyle

_SIDE_PX = 480
_SMOOTH_FRAMES = 5
_HAND_S, _HIDDEN_S = 0.7, 1.0  # how long the hand passes, and how long the face is hidden
Frame = NDArray[np.uint8]


@dataclass(frozen=True)
class Scene:
    """Some seconds of one person.

    Attributes:
        name: of the clip.
        fps: frames a second.
        bare, masked: the frames without and with a mask, uint8 [H, W, 3] BGR.
        matrices: float64 [2, 3] each, frame pixels to crop pixels, from the bare face and smoothed over
            the frames before and after.
    """

    name: str
    fps: float
    bare: list[Frame]
    masked: list[Frame]
    matrices: list[NDArray[np.float64]]


def make_scene(clip: Path, style: MaskStyle, most_frames: int) -> Scene:
    """Render a mask on a clip's largest face, up to the first frame in which no face is found.

    Raises:
        UserError: there is no face in its first frames.
    """
    with VideoReader(clip) as file:
        fps = float(file.frame_rate)
    bare, masked, matrices = [], [], []
    for frame in islice(masked_frames(clip, style, _SIDE_PX), most_frames):
        if frame.landmarks is None:
            break
        bare.append(frame.bare_bgr)
        masked.append(frame.masked_bgr)
        matrices.append(similarity_from_landmarks(frame.landmarks))
    if len(bare) < 2 * _SMOOTH_FRAMES:
        raise UserError(f"{clip}: no face in its first frames")
    return Scene(clip.stem, fps, bare, masked, _smoothed(matrices))


def _smoothed(matrices: list[NDArray[np.float64]]) -> list[NDArray[np.float64]]:
    """Moving average, so that the jitter of this alignment is not measured."""
    half = _SMOOTH_FRAMES // 2
    padded = np.pad(np.array(matrices), ((half, half), (0, 0), (0, 0)), mode="edge")
    return [padded[n : n + _SMOOTH_FRAMES].mean(0) for n in range(len(matrices))]


def with_passing_hand(scene: Scene) -> list[Frame]:
    """The masked frames; in the middle a hand passes before the mask from one side to the other."""
    return _in_the_middle(scene, max(round(_HAND_S * scene.fps), 2), _draw_hand)


def with_hidden_face(scene: Scene) -> list[Frame]:
    """The masked frames; for a second in the middle something grey covers the whole face."""
    return _in_the_middle(scene, round(_HIDDEN_S * scene.fps), _cover_face)


def _in_the_middle(
    scene: Scene, steps: int, draw: Callable[[Scene, int, float], Frame]
) -> list[Frame]:
    """Draw on `steps` frames in the middle: `draw` takes the scene, the frame and the progress 0..1."""
    begin = max((len(scene.masked) - steps) // 2, 0)
    return [
        draw(scene, number, (number - begin) / steps) if begin <= number < begin + steps else frame
        for number, frame in enumerate(scene.masked)
    ]


def _draw_hand(scene: Scene, number: int, progress: float) -> Frame:
    image = scene.masked[number].copy()
    to_frame = invert(scene.matrices[number])
    scale = scale_of(to_frame)
    centre, forehead = apply(to_frame, np.array([[-30 + 190 * progress, 100.0], [64.0, 26.0]]))
    x, y = forehead.astype(int)
    skin_bgr = np.median(
        scene.bare[number][max(y - 3, 0) : max(y, 0) + 4, max(x - 3, 0) : max(x, 0) + 4],
        axis=(0, 1),
    ).tolist()
    at = (round(centre[0]), round(centre[1]))
    palm = (round(14 * scale), round(34 * scale))
    cv2.ellipse(image, at, palm, 12.0, 0.0, 360.0, skin_bgr, -1, cv2.LINE_AA)
    for finger in range(4):
        tip = (at[0] + round((finger - 1.5) * 7 * scale), at[1] - round(42 * scale))
        cv2.line(image, at, tip, skin_bgr, max(round(5 * scale), 1), cv2.LINE_AA)
    return image


def _cover_face(scene: Scene, number: int, _progress: float) -> Frame:
    image = scene.masked[number].copy()
    corners = np.array([[-20.0, -30.0], [148.0, -30.0], [148.0, 160.0], [-20.0, 160.0]])
    hull = apply(invert(scene.matrices[number]), corners).astype(np.int32)
    cv2.fillConvexPoly(image, hull, (120, 118, 116))
    return image

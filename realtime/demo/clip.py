"""The demo's clip with known ground truth: a camera moves over a photograph whose face wears a mask."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from inpaint_model.errors import UserError
from inpaint_model.installation import for_this_python, requirement
from realtime.align.affine import apply
from realtime.detect.face_finder import FaceFinder
from realtime.synthetic import MaskStyle, preset_style, render_mask, silhouette


@dataclass(frozen=True)
class CameraPath:
    """A slow hand-held camera move over the face.

    Attributes:
        side: width and height of the clip, pixels.
        fps, seconds: frame rate and length.
        zoom: the smallest and largest magnification of the photograph.
        sway: amplitude of the camera's motion in x and y, pixels of the photograph.
        tilt_degrees: amplitude of its rotation.
        below_face: how far below the middle between the eyes it points, pixels of the photograph.
    """

    side: int = 512
    fps: int = 25
    seconds: float = 5.0
    zoom: tuple[float, float] = (1.7, 2.1)
    sway: tuple[float, float] = (22.0, 8.0)
    tilt_degrees: float = 4.0
    below_face: float = 62.0

    @property
    def frames(self) -> int:
        """The number of frames of the clip."""
        return round(self.fps * self.seconds)

    def matrix(self, index: int, eyes: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the matrix float64 [2, 3] from photograph pixels to pixels of a frame.

        Args:
            index: the frame.
            eyes: float64 [2], the middle between the eyes, pixels of the photograph.
        """
        turn = 2 * np.pi * index / max(self.frames, 1)
        zoom = self.zoom[0] + (self.zoom[1] - self.zoom[0]) * (0.5 - 0.5 * np.cos(turn))
        x = eyes[0] + self.sway[0] * np.sin(2 * turn)
        y = eyes[1] + self.below_face + self.sway[1] * np.sin(3 * turn)
        angle = np.deg2rad(self.tilt_degrees) * np.sin(turn)
        cos, sin = zoom * np.cos(angle), zoom * np.sin(angle)
        linear = np.array([[cos, -sin], [sin, cos]])
        return np.column_stack([linear, np.full(2, (self.side - 1) / 2) - linear @ (x, y)])


class DemoClip:
    """The clip, rendered frame by frame; every frame is reproducible.

    Args:
        photo_rgb: uint8 [H, W, 3], RGB; scikit-image's public-domain photograph by default.
        path: the camera's path.
        style: the mask.
        models_dir: folder that is searched first for MediaPipe's model.

    Raises:
        UserError: no face is found in the photograph.
    """

    def __init__(
        self,
        photo_rgb: NDArray[np.uint8] | None = None,
        path: CameraPath | None = None,
        style: MaskStyle | None = None,
        models_dir: Path | None = None,
    ) -> None:
        self.path, self.style = path or CameraPath(), style or preset_style("surgical")
        if photo_rgb is None:
            self._photo_rgb, self._landmarks = _astronaut(models_dir)
        else:
            self._photo_rgb, self._landmarks = photo_rgb, _find_landmarks(photo_rgb, models_dir)
        self._eyes = self._landmarks[[33, 263]].mean(0)

    def landmarks(self, index: int) -> NDArray[np.float64]:
        """The face's landmarks in a frame, float64 [478, 2], pixels."""
        return apply(self.path.matrix(index, self._eyes), self._landmarks)

    def truth_rgb(self, index: int) -> NDArray[np.uint8]:
        """A frame without the mask (the ground truth), uint8 [side, side, 3]."""
        matrix = self.path.matrix(index, self._eyes)
        size = (self.path.side, self.path.side)
        return cv2.warpAffine(
            self._photo_rgb, matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101
        )

    def masked_rgb(self, index: int) -> NDArray[np.uint8]:
        """The frame with the mask, uint8 [side, side, 3]."""
        return render_mask(self.truth_rgb(index), self.landmarks(index), self.style).image_rgb

    def mask(self, index: int) -> NDArray[np.bool_]:
        """The mask's pixels, bool [side, side]."""
        size = (self.path.side, self.path.side)
        return silhouette(self.landmarks(index), self.style, size) > 0

    def masked_bgr(self) -> Iterator[NDArray[np.uint8]]:
        """Yield all frames with the mask, uint8 [side, side, 3], BGR."""
        for index in range(self.path.frames):
            yield np.ascontiguousarray(self.masked_rgb(index)[:, :, ::-1])


@cache
def _astronaut(models_dir: Path | None) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Return the photograph and its landmarks, which are the same in every clip: do not change them."""
    try:
        import skimage.data
    except ImportError:
        mend = for_this_python(f"pip install {requirement('scikit-image')}")
        raise UserError(
            f"the demo needs scikit-image, which holds its photograph: {mend}"
        ) from None
    photo_rgb = np.ascontiguousarray(skimage.data.astronaut())
    return photo_rgb, _find_landmarks(photo_rgb, models_dir)


def _find_landmarks(photo_rgb: NDArray[np.uint8], models_dir: Path | None) -> NDArray[np.float64]:
    with FaceFinder(models_dir=models_dir) as finder:
        face = finder.portrait(np.ascontiguousarray(photo_rgb[:, :, ::-1]))
    if face is None or face.landmarks is None:
        raise UserError("no face found in the demo's photograph")
    return face.landmarks

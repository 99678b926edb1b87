"""A photograph of a bare face, and the scenes that are rendered from it: picture, truth and mask."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from benchmarks.finding.faces import bare_pictures
from benchmarks.finding.matching import Eyes
from benchmarks.finding.options import FindOptions
from inpaint_model.errors import UserError
from realtime.detect.face_finder import FaceFinder
from realtime.synthetic.light import Light, estimate_light
from realtime.synthetic.pose import Pose, fit_pose

Picture = NDArray[np.uint8]
Rng = np.random.Generator
_MOST_YAW_DEG = 30.0  # scarves and glasses are drawn for heads that are turned no further


@dataclass(frozen=True, eq=False)
class Portrait:
    """A photograph of a bare face.

    Attributes:
        name: of the photograph.
        rgb: uint8 [H, W, 3], RGB.
        landmarks: float64 [478, 2], pixels.
        eyes: the person's right and left eye, float64 [2, 2], pixels.
        pose: of the head.
        light: on the face.
    """

    name: str
    rgb: Picture
    landmarks: NDArray[np.float64]
    eyes: Eyes
    pose: Pose
    light: Light

    def scene(self) -> Scene:
        """The photograph itself, as a scene without a mask."""
        none = np.zeros(self.rgb.shape[:2], dtype=bool)
        low, high = self.landmarks.min(0), self.landmarks.max(0)
        box = np.array([low, high])
        return Scene(self.rgb, self.rgb, none, none, self.eyes, box)


@dataclass(frozen=True, eq=False)
class Scene:
    """A rendered picture with its truth.

    Attributes:
        rgb: uint8 [H, W, 3], RGB, the picture that is shown to the program.
        truth_rgb: the same without the mask.
        mask: bool [H, W], the mask's pixels that are in view; none where the face is bare.
        ignored: bool [H, W], pixels that no measure looks at: text over the mask, cloth below the face.
        eyes: the person's right and left eye, float64 [2, 2], pixels.
        face: box round all landmarks, float64 [2, 2]: its low and its high corner, pixels.
    """

    rgb: Picture
    truth_rgb: Picture
    mask: NDArray[np.bool_]
    ignored: NDArray[np.bool_]
    eyes: Eyes
    face: NDArray[np.float64]

    @property
    def width_px(self) -> float:
        """The width of the face."""
        return float(self.face[1, 0] - self.face[0, 0])

    def covered(self, cover: Callable[[Picture], Picture]) -> Scene:
        """Put something over the face, in the picture and in the truth.

        The mask loses the pixels of which less than half the light comes through, as black and white show.
        """
        black, white = (cover(np.full_like(self.rgb, level)) for level in (0, 255))
        through = (white.astype(np.float32) - black).mean(2) / 255
        return replace(self.changed(cover), mask=self.mask & (through >= 0.5))

    def changed(self, change: Callable[[Picture], Picture]) -> Scene:
        """Make the same change to the picture and to the truth."""
        return replace(self, rgb=change(self.rgb), truth_rgb=change(self.truth_rgb))

    def cut(self, x0: float, y0: float, x1: float, y1: float) -> Scene:
        """Cut the scene to a box, pixels; the box is clipped to the picture."""
        height, width = self.mask.shape
        left, right = (int(np.clip(round(x), 0, width)) for x in (x0, x1))
        top, bottom = (int(np.clip(round(y), 0, height)) for y in (y0, y1))
        part, shift = (slice(top, bottom), slice(left, right)), np.array([left, top])
        rgb, truth_rgb = (np.ascontiguousarray(one[part]) for one in (self.rgb, self.truth_rgb))
        mask, ignored = (np.ascontiguousarray(one[part]) for one in (self.mask, self.ignored))
        return Scene(rgb, truth_rgb, mask, ignored, self.eyes - shift, self.face - shift)


Kind = Callable[[Portrait, Rng], Scene]
"""Renders a scene from a bare photograph; all that is random comes from the generator."""


def load_portraits(options: FindOptions, count: int) -> list[Portrait]:
    """Take so many photographs, evenly spread over the val split; without a folder the astronaut.

    Photographs of heads that are turned too far, or in which no face is found, are left out.

    Raises:
        UserError: no face is left.
    """
    portraits = []
    with FaceFinder() as finder:
        for name, bare_bgr in bare_pictures(options, count):
            rgb = np.ascontiguousarray(bare_bgr[:, :, ::-1])
            face = finder.portrait(bare_bgr)
            if face is None or face.landmarks is None:
                continue
            pose = fit_pose(face.landmarks)
            if abs(math.degrees(pose.yaw)) <= _MOST_YAW_DEG:
                light = estimate_light(rgb, face.landmarks, pose)
                eyes = face.keypoints[:2]
                portraits.append(Portrait(name, rgb, face.landmarks, eyes, pose, light))
    if not portraits:
        raise UserError(f"{options.faces}: no face found in its val split")
    return portraits

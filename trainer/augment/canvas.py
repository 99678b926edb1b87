"""A face that things are drawn on: picture, mask pixels, head pose and light."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.synthetic.light import Light, estimate_light
from realtime.synthetic.pose import Pose, fit_pose
from trainer.augment.drawing import FIXED_POINT_BITS, fixed_point

Map = NDArray[np.float32]
Rng = np.random.Generator

_WHITE_LEVEL = 242.0  # pixel value of white cloth in full light
LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # weights of red, green and blue
_SKIN = (151, 108, 337, 50, 280)  # landmarks on forehead and cheeks
_LEAST_BLUR_PX = 0.45  # standard deviation of the blur of every edge that is painted, pixels


@dataclass(frozen=True, eq=False)
class Canvas:
    """A face that things are drawn on.

    Attributes:
        crop: uint8 [S, S, 3], RGB, a crop with its margin.
        alpha: bool [S, S], mask pixels.
        landmarks: float32 [478, 2], pixels of `crop`.
        pose: of the head.
        light: on the bare face.
    """

    crop: NDArray[np.uint8]
    alpha: NDArray[np.bool_]
    landmarks: NDArray[np.float32]
    pose: Pose
    light: Light

    @staticmethod
    def of(crop: NDArray[np.uint8], landmarks: NDArray[np.float32]) -> Canvas:
        """Begin with a bare face."""
        pose = fit_pose(landmarks)
        light = estimate_light(crop, landmarks, pose)
        return Canvas(crop, np.zeros(crop.shape[:2], bool), landmarks, pose, light)

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width, pixels."""
        return self.alpha.shape[0], self.alpha.shape[1]

    def at(self, x: float, y: float, z: float) -> NDArray[np.float64]:
        """Project a point of the canonical head, cm, to pixels [2]."""
        return self.pose.project(np.array([x, y, z]))

    def levels(self, albedo: NDArray | Sequence[float]) -> Map:
        """Return the levels, 0..255, that an albedo, [..., 3] of 0..1, has in the face's light."""
        colour = np.asarray(albedo, np.float32)
        grey = (colour @ LUMA)[..., None]
        kept = grey + np.float32(self.light.saturation) * (colour - grey)
        return np.asarray(kept * self.light.gain_rgb * _WHITE_LEVEL, np.float32)

    def skin(self, rng: Rng) -> Map:
        """Return a level of skin, float32 [3]: that of the face, lighter or darker, or another one's."""
        at = np.clip(self.landmarks[list(_SKIN)].round().astype(int), 0, len(self.crop) - 1)
        own = np.median(self.crop[at[:, 1], at[:, 0]].astype(np.float32), 0)
        if rng.random() < 0.1:
            depth = rng.uniform(0.15, 1.0)
            return self.levels((0.25 + 0.6 * depth, 0.14 + 0.53 * depth, 0.1 + 0.42 * depth))
        return np.asarray(own * rng.uniform(0.75, 1.15) * rng.normal(1, 0.04, 3), np.float32)

    def painted(
        self, colour: NDArray, cover: Map, shadow: float = 0.3, *, is_mask: bool = False
    ) -> Canvas:
        """Paint a colour where it covers, as blurred as the picture, with a shadow round it.

        Args:
            colour: levels 0..255, [S, S, 3] or [3].
            cover: float32 [S, S], 0..1.
            shadow: how dark its shadow is, 0..1.
            is_mask: it is part of the mask; anything else hides the mask where it covers most.
        """
        blur = max(_LEAST_BLUR_PX, 0.8 * self.light.blur_px)
        colour = np.asarray(colour, np.float32)
        if colour.ndim == 3 and blur > _LEAST_BLUR_PX:
            colour = cv2.GaussianBlur(colour, (0, 0), blur)
        soft = cv2.GaussianBlur(cover, (0, 0), blur)[..., None]
        under = self.crop.astype(np.float32)
        if shadow:
            shift = np.array([[1, 0, 0], [0, 1, 0.35 * self.pose.scale]], np.float32)
            dark = cv2.warpAffine(cover, shift, self.shape[::-1])
            under *= 1 - shadow * cv2.GaussianBlur(dark, (0, 0), 0.5 * self.pose.scale)[..., None]
        crop = np.clip(under + soft * (colour - under) + 0.5, 0, 255).astype(np.uint8)
        where = cover >= 0.5
        return replace(
            self, crop=crop, alpha=self.alpha | where if is_mask else self.alpha & ~where
        )


def polygon_cover(points: NDArray, shape: tuple[int, int]) -> Map:
    """Rasterise a polygon, [N, 2] pixels: float32 [H, W], 0..1."""
    cover = np.zeros(shape, np.uint8)
    cv2.fillPoly(cover, [fixed_point(points)], (255,), cv2.LINE_AA, FIXED_POINT_BITS)
    return cover.astype(np.float32) / np.float32(255)


def smooth_outline(corners: NDArray, count: int = 96) -> NDArray[np.float64]:
    """Return a smooth closed curve through corners, [N, D]: a periodic Catmull-Rom spline, [count, D]."""
    corners = np.asarray(corners, np.float64)
    at = np.linspace(0, len(corners), count, endpoint=False)
    first, t = at.astype(int), (at % 1)[:, None]
    before, start, end, after = (corners[(first + step) % len(corners)] for step in (-1, 0, 1, 2))
    tangents = (end - before) / 2, (after - start) / 2
    square, cube = t**2, t**3
    return (
        (2 * cube - 3 * square + 1) * start
        + (cube - 2 * square + t) * tangents[0]
        + (3 * square - 2 * cube) * end
        + (cube - square) * tangents[1]
    )


def smooth_noise(rng: Rng, shape: tuple[int, int], cell_px: tuple[float, float]) -> Map:
    """Draw smooth noise of about unit variance whose cells are so high and wide; float32 [H, W]."""
    size = [max(2, round(side / max(cell, 1))) for side, cell in zip(shape, cell_px, strict=True)]
    coarse = rng.standard_normal(size).astype(np.float32)
    return np.asarray(cv2.resize(coarse, shape[::-1], interpolation=cv2.INTER_CUBIC))

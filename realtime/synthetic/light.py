"""Illumination: estimated from the face's skin in the bare picture, then used to shade the mask."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.align.canonical_head import CANONICAL_HEAD
from realtime.synthetic.mask_surface import MaskSurface
from realtime.synthetic.pose import Pose
from realtime.synthetic.style import MaskStyle

_LUMA = np.array([0.299, 0.587, 0.114])  # weights of red, green and blue (BT.601)
# The light's direction that the fit falls back on: from above and in front, camera axes.
_PRIOR_DIRECTION = np.array([0.0, 0.22, 0.25])
# Red and blue of average skin in neutral light, as multiples of its green.
_SKIN_RED, _SKIN_BLUE = 1.30, 0.78
_SKIN_BRIGHT = 0.64  # luma 0..1 of the brighter skin in a normally exposed picture
_REDUCED_PX = 32  # side of the reduced face that skin colours are read from
# Landmarks of the canonical head on eyes, brows, nostrils and lips; the rest lie on skin.
_NOT_SKIN = (
    *(
        33,
        263,
        133,
        362,
        159,
        386,
        145,
        374,
        226,
        446,
        70,
        300,
        107,
        336,
        2,
        98,
        327,
        0,
        17,
        61,
        291,
    ),
)
_SKIN = np.flatnonzero(~np.isin(CANONICAL_HEAD.index, _NOT_SKIN))
_SECOND_DIFFERENCE = np.array([[1, -2, 1]], np.float32)
# Measured on pictures blurred by a Gaussian: ratio of second to first differences, and sigma in pixels.
_BLUR_RATIO = np.array([0.25, 0.40, 0.49, 0.60, 0.74, 0.85, 0.95])
_BLUR_SIGMA = np.array([3.0, 1.8, 1.2, 0.85, 0.55, 0.3, 0.0])


@dataclass(frozen=True, eq=False)
class Light:
    """First-order illumination: an ambient term and one direction.

    Attributes:
        direction: float64 [3], change of brightness along the camera's axes, in units of the face's
            mean brightness.
        gain_rgb: float32 [3], exposure times colour cast.
        saturation: 0 in a grey picture, 1 in a coloured one.
        blur_px: sigma of the picture's blur in pixels.
    """

    direction: NDArray[np.float64]
    gain_rgb: NDArray[np.floating]
    saturation: float
    blur_px: float


def estimate_light(
    image_rgb: NDArray[np.uint8], landmarks: NDArray[np.floating], pose: Pose
) -> Light:
    """Fit brightness = mean + direction . normal to the skin at the canonical head's landmarks.

    Args:
        image_rgb: uint8 [H, W, 3], RGB, without the mask.
        landmarks: float [478, 2], pixels.
        pose: the pose fitted to them.
    """
    points = np.asarray(landmarks, dtype=np.float64)[CANONICAL_HEAD.index[_SKIN]]
    face, at = _crop_face(image_rgb, points)
    colours = _skin_colours(face, at)
    luma = colours @ _LUMA
    normals = CANONICAL_HEAD.normals[_SKIN] @ pose.rotation.T
    ok = (normals[:, 2] > 0.15) & (luma > np.sort(luma)[len(luma) // 12])
    if ok.sum() < 8:
        ok[:] = True
    mean = max(float(luma[ok].mean()), 0.02)
    centred = normals[ok] - normals[ok].mean(0)
    ridge = 0.04 * ok.sum()
    system = centred.T @ centred + ridge * np.eye(3)
    target = centred.T @ (luma[ok] / mean - 1) + ridge * _PRIOR_DIRECTION
    direction = np.clip(np.linalg.solve(system, target), -0.9, 0.9)
    bright = max(float(np.sort(luma[ok])[int(0.6 * ok.sum()) :].mean()), 0.02)
    exposure = float(np.clip(bright / _SKIN_BRIGHT, 0.12, 1.4)) ** 0.8
    red, green, blue = np.maximum(colours[ok].mean(0), 0.01)
    cast = np.array([(red / green / _SKIN_RED) ** 0.35, 1.0, (blue / green / _SKIN_BLUE) ** 0.35])
    colourful = float(np.abs(colours[ok] - luma[ok][:, None]).mean()) / mean
    saturation = float(np.clip((colourful - 0.01) / 0.05, 0, 1))
    cast = 1 + (np.clip(cast, 0.75, 1.3) - 1) * saturation
    return Light(direction, (exposure * cast).astype(np.float32), saturation, _blur_sigma(face))


def _crop_face(
    image: NDArray[np.uint8], points: NDArray[np.float64]
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Crop the picture to the points, and give the points in the crop, 0..1."""
    height, width = image.shape[:2]
    low = np.clip(np.floor(points.min(0)), 0, [max(width - 8, 0), max(height - 8, 0)]).astype(int)
    high = np.clip(np.ceil(points.max(0)) + 1, low + 8, [width, height]).astype(int)
    return image[low[1] : high[1], low[0] : high[0]], (points - low) / (high - low)


def _skin_colours(face: NDArray[np.uint8], at: NDArray[np.float64]) -> NDArray[np.float64]:
    """Colours 0..1 [K, 3] under the points, averaged over about 1/32 of the face."""
    small = cv2.resize(face, (_REDUCED_PX, _REDUCED_PX), interpolation=cv2.INTER_AREA)
    at_px = (at * _REDUCED_PX - 0.5).astype(np.float32)[None]
    colours = cv2.remap(small, at_px, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(colours[0], dtype=np.float64) / 255


def _blur_sigma(face: NDArray[np.uint8]) -> float:
    """Estimate the blur's sigma in pixels from the ratio of second to first differences."""
    luma = cv2.cvtColor(face, cv2.COLOR_RGB2GRAY)
    first = cv2.norm(luma[:, 2:], luma[:, :-2], cv2.NORM_L1) / 2
    second = cv2.norm(cv2.filter2D(luma, cv2.CV_16S, _SECOND_DIFFERENCE), cv2.NORM_L1)
    return float(np.interp(second / max(first, 1.0), _BLUR_RATIO, _BLUR_SIGMA))


def shade_surface(
    light: Light, pose: Pose, surface: MaskSurface, style: MaskStyle
) -> NDArray[np.floating]:
    """Shade the surface's points: diffuse light, ambient occlusion from below, and a highlight.

    Returns:
        float32 [ROWS, COLUMNS, 2]: the diffuse factor, about 1 where the surface faces the camera,
        and the specular highlight to add (Blinn-Phong).
    """
    normals = surface.normals @ pose.rotation.T
    frontal = np.array([0.0, 0.0, 1.0]) @ light.direction
    diffuse = 1 + (normals @ light.direction - frontal) * style.shading
    occlusion = 1 - 0.10 * style.shading * np.clip(-normals[..., 1], 0, 1)
    halfway = light.direction / max(float(np.linalg.norm(light.direction)), 1e-6) + [0, 0, 1]
    halfway /= max(float(np.linalg.norm(halfway)), 1e-6)
    highlight = style.specular * (np.clip(normals @ halfway, 0, 1) ** 12)
    diffuse = np.clip(diffuse * occlusion, 0.25, 1.5)
    return np.stack([diffuse, highlight], -1).astype(np.float32)

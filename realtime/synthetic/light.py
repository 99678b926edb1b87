"""The light on the face, read from the bare picture, and how it falls on the mask's surface."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.synthetic.face_mesh import CANONICAL_HEAD
from realtime.synthetic.mask_surface import MaskSurface
from realtime.synthetic.pose import Pose
from realtime.synthetic.style import MaskStyle

_PRIOR = np.array([0.0, 0.22, 0.25])
_SKIN_RED, _SKIN_BLUE = 1.30, 0.78
_REDUCED = 32
# Reference landmarks on skin: not on eyes, brows, nostrils, lips.
_OTHER = (33, 263, 133, 362, 159, 386, 145, 374, 226, 446, 70, 300, 107, 336, 2, 98, 327, 0, 17)
_SKIN = np.flatnonzero(~np.isin(CANONICAL_HEAD.index, (*_OTHER, 61, 291)))
_SECOND = np.array([[1, -2, 1]], np.float32)
_BLUR_RATIO = np.array([0.25, 0.40, 0.49, 0.60, 0.74, 0.85, 0.95])
_BLUR_SIGMA = np.array([3.0, 1.8, 1.2, 0.85, 0.55, 0.3, 0.0])


@dataclass(frozen=True, eq=False)
class Light:
    """First-order light.

    Attributes:
        direction: float64 [3], change of brightness (relative to the face's mean) along the
            camera's axes.
        gain_rgb: float32 [3], exposure and colour cast.
        saturation: 0 in a grey picture, 1 in a coloured one.
        blur_px: how blurred the picture is, sigma in pixels.
    """

    direction: NDArray[np.float64]
    gain_rgb: NDArray[np.floating]
    saturation: float
    blur_px: float


def estimate_light(
    image_rgb: NDArray[np.uint8], landmarks: NDArray[np.floating], pose: Pose
) -> Light:
    """Fit brightness = mean + direction . normal to the skin at the reference landmarks."""
    face, at = _face(
        image_rgb, np.asarray(landmarks, dtype=np.float64)[CANONICAL_HEAD.index[_SKIN]]
    )
    colours = _skin(face, at)
    luma = colours @ np.array([0.299, 0.587, 0.114])
    normals = CANONICAL_HEAD.normals[_SKIN] @ pose.rotation.T
    ok = (normals[:, 2] > 0.15) & (luma > np.sort(luma)[len(luma) // 12])
    if ok.sum() < 8:
        ok[:] = True
    mean = max(float(luma[ok].mean()), 0.02)
    centred = normals[ok] - normals[ok].mean(0)
    ridge = 0.04 * ok.sum()
    system = centred.T @ centred + ridge * np.eye(3)
    target = centred.T @ (luma[ok] / mean - 1) + ridge * _PRIOR
    direction = np.clip(np.linalg.solve(system, target), -0.9, 0.9)
    bright = max(float(np.sort(luma[ok])[int(0.6 * ok.sum()) :].mean()), 0.02)
    exposure = float(np.clip(bright / 0.64, 0.12, 1.4)) ** 0.8
    red, green, blue = np.maximum(colours[ok].mean(0), 0.01)
    cast = np.array([(red / green / _SKIN_RED) ** 0.35, 1.0, (blue / green / _SKIN_BLUE) ** 0.35])
    colourful = float(np.abs(colours[ok] - luma[ok][:, None]).mean()) / mean
    saturation = float(np.clip((colourful - 0.01) / 0.05, 0, 1))
    cast = 1 + (np.clip(cast, 0.75, 1.3) - 1) * saturation
    return Light(direction, (exposure * cast).astype(np.float32), saturation, _blur(face))


def _face(
    image: NDArray[np.uint8], points: NDArray[np.float64]
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """The face's own part of the picture, and the points in it, 0..1."""
    height, width = image.shape[:2]
    low = np.clip(np.floor(points.min(0)), 0, [max(width - 8, 0), max(height - 8, 0)]).astype(int)
    high = np.clip(np.ceil(points.max(0)) + 1, low + 8, [width, height]).astype(int)
    return image[low[1] : high[1], low[0] : high[0]], (points - low) / (high - low)


def _skin(face: NDArray[np.uint8], at: NDArray[np.float64]) -> NDArray[np.float64]:
    """Colours 0..1 [K, 3] under the points, averaged over about 1/32 of the face."""
    small = cv2.resize(face, (_REDUCED, _REDUCED), interpolation=cv2.INTER_AREA)
    where = (at * _REDUCED - 0.5).astype(np.float32)[None]
    colours = cv2.remap(small, where, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(colours[0], dtype=np.float64) / 255


def _blur(face: NDArray[np.uint8]) -> float:
    """Second against first differences: about 0.95 in a sharp picture, 0.5 at a sigma of 1.2 px."""
    luma = cv2.cvtColor(face, cv2.COLOR_RGB2GRAY)
    first = cv2.norm(luma[:, 2:], luma[:, :-2], cv2.NORM_L1) / 2
    second = cv2.norm(cv2.filter2D(luma, cv2.CV_16S, _SECOND), cv2.NORM_L1)
    return float(np.interp(second / max(first, 1.0), _BLUR_RATIO, _BLUR_SIGMA))


def shade_surface(
    light: Light, pose: Pose, surface: MaskSurface, style: MaskStyle
) -> NDArray[np.floating]:
    """Light on the surface's points.

    Returns:
        float32 [ROWS, COLUMNS, 2]: brightness, about 1 where the surface faces the light, and the
        highlight to add.
    """
    normals = surface.normals @ pose.rotation.T
    reference = np.array([0.0, 0.0, 1.0]) @ light.direction
    lit = 1 + (normals @ light.direction - reference) * style.shading
    occlusion = 1 - 0.10 * style.shading * np.clip(-normals[..., 1], 0, 1)
    half = light.direction / max(float(np.linalg.norm(light.direction)), 1e-6) + [0, 0, 1]
    half /= max(float(np.linalg.norm(half)), 1e-6)
    glint = style.specular * (np.clip(normals @ half, 0, 1) ** 12)
    lit = np.clip(lit * occlusion, 0.25, 1.5)
    return np.stack([lit, glint], -1).astype(np.float32)

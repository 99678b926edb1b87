"""Relights faces from one side: a window or a lamp beside the face, which leaves its other half in shadow.

Photographs of public figures are lit from the front; webcams often see a window from the side.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

_SHARE = 0.15  # of the faces
# Landmarks: the temples, the top of the forehead, the chin, the corners of the jaw.
_TEMPLES, _TOP, _CHIN, _JAW = (127, 356), 10, 152, (172, 397)
# Ranges of the light: degrees from the front and above the face, and the share that comes from everywhere.
_AZIMUTH_DEG, _ELEVATION_DEG, _AMBIENT = (45.0, 100.0), (-10.0, 45.0), (0.15, 0.6)
_BRIGHTEST = 2.2  # factor on a pixel, at most
_EARS = 1.15  # half the head's width with ears, of half the distance of the temples
_CROWN = 0.75  # height of the hair's corners over the temples, of the face's height
_SOFT_PX = 4.0  # sigma of the Gaussian that softens the edge of the lit region, crop px


def cast_side_light(
    crop: NDArray[np.uint8], landmarks: NDArray[np.float32], rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Light some faces from the side; the background stays.

    The head is taken for an ellipsoid, and the neck for what is below it.

    Args:
        crop: uint8 [H, W, 3], RGB, the canonical crop with or without a margin; not changed.
        landmarks: float32 [478, 2], pixels of `crop`.
        rng: random generator.

    Returns:
        uint8 [H, W, 3]; the crop itself if the light stays.
    """
    if rng.random() >= _SHARE:
        return crop
    side = rng.choice((-1.0, 1.0))
    azimuth, elevation = (
        np.deg2rad(rng.uniform(*_AZIMUTH_DEG)),
        np.deg2rad(rng.uniform(*_ELEVATION_DEG)),
    )
    light = np.array(
        [side * np.sin(azimuth) * np.cos(elevation), -np.sin(elevation), np.cos(azimuth)]
    )
    normals = _normals(crop.shape[:2], landmarks)
    ambient = rng.uniform(*_AMBIENT)
    lit = ambient + (1 - ambient) * np.clip(normals @ light.astype(np.float32), 0, None)
    person = _person(crop.shape[:2], landmarks)
    gain = lit / float((lit * person).sum() / person.sum())  # the face is as bright as before
    gain = 1 + person * (np.clip(gain, 0, _BRIGHTEST) - 1)
    return np.clip(crop * gain[..., None], 0, 255).astype(np.uint8)


def _normals(shape: tuple[int, int], landmarks: NDArray[np.float32]) -> NDArray[np.float32]:
    """Unit normals of the ellipsoid, float32 [H, W, 3]: right, down, towards the camera."""
    right, left = landmarks[list(_TEMPLES)]
    top, chin = landmarks[_TOP], landmarks[_CHIN]
    middle = (top + chin) / 2
    down = (chin - top) / max(float(np.hypot(*(chin - top))), 1.0)
    across = np.array([down[1], -down[0]])
    half_width = _EARS * max(abs(float((left - right) @ across)), 1.0) / 2
    half_height = max(float(np.hypot(*(chin - top))), 1.0) / 2
    ys, xs = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    away = np.stack([xs - middle[0], ys - middle[1]], -1)
    u = np.clip(away @ across / half_width, -1, 1)
    v = np.clip(away @ down / half_height, -1, 1) * 0.7  # heads are rounder across than along
    towards = np.sqrt(np.clip(1 - u * u - v * v, 0.02, 1))
    normals = np.stack([u * across[0] + v * down[0], u * across[1] + v * down[1], towards], -1)
    return (normals / np.linalg.norm(normals, axis=-1, keepdims=True)).astype(np.float32)


def _person(shape: tuple[int, int], landmarks: NDArray[np.float32]) -> NDArray[np.float32]:
    """The head and the neck below it, float32 [H, W], 0..1, with soft edges."""
    drawn = np.zeros(shape, np.float32)
    crown = landmarks[list(_TEMPLES)] + _CROWN * (landmarks[_TOP] - landmarks[_CHIN])
    head = np.vstack([landmarks, crown]).astype(np.float32)
    jaw = landmarks[list(_JAW)]
    below = np.array([[jaw[1][0], shape[0]], [jaw[0][0], shape[0]]], np.float32)
    for polygon in (cv2.convexHull(head)[:, 0], np.vstack([jaw, below])):
        cv2.fillConvexPoly(drawn, np.round(polygon).astype(np.int32), (1.0,))
    return np.asarray(cv2.GaussianBlur(drawn, (0, 0), _SOFT_PX), np.float32)

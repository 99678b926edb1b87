"""Puts sunglasses and caps on faces: the fill below must take its colours from what skin is left."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

_GLASSES_SHARE, _CAP_SHARE, _BOTH_SHARE = 0.07, 0.10, 0.02
# Landmarks: the corners of each eye from left to right, the temples beside them, the brows' middles.
_EYES, _TEMPLES, _BROWS = ((33, 133), (362, 263)), (127, 356), (105, 334)
_CAP_PX = 54.0  # how high a cap reaches above the brows: out of the canonical crop
_FINE = 8  # shapes are drawn at 1 / _FINE px


def wear_headgear(
    crop: NDArray[np.uint8], landmarks: NDArray[np.float32], rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Sometimes put dark glasses on a face, sometimes a cap, sometimes both.

    Args:
        crop: uint8 [H, W, 3], RGB, the canonical crop or more; not changed.
        landmarks: float32 [478, 2], pixels of `crop`.
        rng: the draw.

    Returns:
        uint8 [H, W, 3]; the crop itself where nothing was put on.
    """
    both = rng.random() < _BOTH_SHARE
    glasses, cap = (rng.random(2) < (_GLASSES_SHARE, _CAP_SHARE)) | both
    if glasses:
        crop = _put_on_glasses(crop, landmarks, rng)
    return _put_on_cap(crop, landmarks, rng) if cap else crop


def _put_on_glasses(
    crop: NDArray[np.uint8], landmarks: NDArray[np.float32], rng: np.random.Generator
) -> NDArray[np.uint8]:
    eyes = np.array([landmarks[list(corners)].mean(0) for corners in _EYES])
    apart = float(np.hypot(*(eyes[1] - eyes[0])))
    tilt = float(np.degrees(np.arctan2(*(eyes[1] - eyes[0])[::-1])))
    half = apart * rng.uniform(0.36, 0.47), apart * rng.uniform(0.27, 0.40)
    drop = apart * rng.uniform(0.02, 0.12)
    lenses, frame = (np.zeros(crop.shape[:2], np.uint8) for _ in range(2))
    for eye, temple in zip(eyes, landmarks[list(_TEMPLES)], strict=True):
        box = ((eye[0], eye[1] + drop), (2 * half[0], 2 * half[1]), tilt)
        cv2.ellipse(lenses, box, 255, -1, cv2.LINE_AA)
        _line(frame, eye - (0, 0.1 * apart), temple)
    _line(frame, eyes[0] + (half[0], 0), eyes[1] - (half[0], 0))
    dark = np.full(3, rng.uniform(4, 55)) * rng.uniform(0.8, 1.2, 3)
    rows = np.linspace(0.8, 1.25, crop.shape[0], dtype=np.float32)[:, None, None]
    glass = crop * rng.uniform(0.0, 0.25) + dark * rows  # the lower, the lighter: a reflection
    out = _laid(crop, glass, lenses)
    return _laid(out, np.broadcast_to(dark * rng.uniform(0.5, 2.5), crop.shape), frame)


def _put_on_cap(
    crop: NDArray[np.uint8], landmarks: NDArray[np.float32], rng: np.random.Generator
) -> NDArray[np.uint8]:
    brows, sides = landmarks[list(_BROWS)].mean(0), landmarks[list(_TEMPLES)]
    up = rng.uniform(-2, 16)
    ends = [sides[0] - (rng.uniform(0, 9), up - 4), sides[1] + (rng.uniform(0, 9), 4 - up)]
    t = np.linspace(0, 1, 16)[:, None]
    middle = brows - (0, up) + (0, rng.uniform(-8, 8))
    brim = (1 - t) ** 2 * ends[0] + 2 * t * (1 - t) * middle + t**2 * ends[1]
    above = brows[1] - _CAP_PX
    top = np.array([[ends[1][0] + 2, above], [ends[0][0] - 2, above]])
    cover = np.zeros(crop.shape[:2], np.uint8)
    shape = np.round(np.vstack([brim, top]) * _FINE).astype(np.int32)
    cv2.fillPoly(cover, [shape], 255, cv2.LINE_AA, shift=3)
    shadow = cv2.GaussianBlur(np.roll(cover, int(rng.integers(4, 18)), 0), (0, 0), 5)
    shaded = crop * (1 - rng.uniform(0, 0.55) * shadow.astype(np.float32) / 255)[..., None]
    cloth = np.full(3, rng.uniform(8, 245)) + rng.normal(0, 18, 3)
    folds = cv2.GaussianBlur(rng.standard_normal(cover.shape).astype(np.float32), (0, 0), 4)
    return _laid(shaded, cloth * (1 + 0.6 * folds)[..., None], cover)


def _line(image: NDArray[np.uint8], start: NDArray, end: NDArray) -> None:
    first, last = (
        tuple(np.round(np.asarray(p) * _FINE).astype(int).tolist()) for p in (start, end)
    )
    cv2.line(image, first, last, 255, 2, cv2.LINE_AA, shift=3)


def _laid(
    under: NDArray[np.floating] | NDArray[np.uint8], over: NDArray, cover: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """Lay one picture over another where it covers, its edge softened."""
    weight = cv2.GaussianBlur(cover, (0, 0), 0.6).astype(np.float32)[..., None] / 255
    return np.clip(under + weight * (over - under), 0, 255).astype(np.uint8)

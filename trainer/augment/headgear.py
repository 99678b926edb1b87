"""Occlusion augmentation: sunglasses and caps, so that a fill takes its colours from little skin."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from trainer.augment.drawing import FIXED_POINT_BITS, alpha_blend, bezier, draw_line, fixed_point

_GLASSES_SHARE, _CAP_SHARE, _BOTH_SHARE = 0.07, 0.10, 0.02  # of the faces
# Landmarks: the corners of each eye from left to right, the temples, the middles of the brows.
_EYES, _TEMPLES, _BROWS = ((33, 133), (362, 263)), (127, 356), (105, 334)
_CAP_PX = 54.0  # height of a cap above the brows: it leaves the canonical crop


def wear_headgear(
    crop: NDArray[np.uint8], landmarks: NDArray[np.float32], rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Add sunglasses, a cap or both to some faces.

    Args:
        crop: uint8 [H, W, 3], RGB, the canonical crop with or without a margin; not changed.
        landmarks: float32 [478, 2], pixels of `crop`.
        rng: random generator.

    Returns:
        uint8 [H, W, 3]; the crop itself if nothing was added.
    """
    both = rng.random() < _BOTH_SHARE
    glasses, cap = (rng.random(2) < (_GLASSES_SHARE, _CAP_SHARE)) | both
    if glasses:
        crop = _add_glasses(crop, landmarks, rng)
    return _add_cap(crop, landmarks, rng) if cap else crop


def _add_glasses(
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
        draw_line(frame, np.stack([eye - (0, 0.1 * apart), temple]), 255, 2)
    draw_line(frame, np.stack([eyes[0] + (half[0], 0), eyes[1] - (half[0], 0)]), 255, 2)
    dark = np.full(3, rng.uniform(4, 55)) * rng.uniform(0.8, 1.2, 3)
    rows = np.linspace(0.8, 1.25, crop.shape[0], dtype=np.float32)[:, None, None]
    glass = crop * rng.uniform(0.0, 0.25) + dark * rows  # reflections lighten the lower part
    out = alpha_blend(crop, glass, lenses)
    return alpha_blend(out, np.broadcast_to(dark * rng.uniform(0.5, 2.5), crop.shape), frame)


def _add_cap(
    crop: NDArray[np.uint8], landmarks: NDArray[np.float32], rng: np.random.Generator
) -> NDArray[np.uint8]:
    brows, sides = landmarks[list(_BROWS)].mean(0), landmarks[list(_TEMPLES)]
    up = rng.uniform(-2, 16)
    ends = [sides[0] - (rng.uniform(0, 9), up - 4), sides[1] + (rng.uniform(0, 9), 4 - up)]
    middle = brows - (0, up) + (0, rng.uniform(-8, 8))
    brim = bezier(ends[0], middle, ends[1], 16)
    above = brows[1] - _CAP_PX
    top = np.array([[ends[1][0] + 2, above], [ends[0][0] - 2, above]])
    cover = np.zeros(crop.shape[:2], np.uint8)
    shape = fixed_point(np.vstack([brim, top]))
    cv2.fillPoly(cover, [shape], (255,), cv2.LINE_AA, FIXED_POINT_BITS)
    shadow = cv2.GaussianBlur(np.roll(cover, int(rng.integers(4, 18)), 0), (0, 0), 5)
    shaded = crop * (1 - rng.uniform(0, 0.55) * shadow.astype(np.float32) / 255)[..., None]
    cloth = np.full(3, rng.uniform(8, 245)) + rng.normal(0, 18, 3)
    folds = cv2.GaussianBlur(rng.standard_normal(cover.shape).astype(np.float32), (0, 0), 4)
    return alpha_blend(shaded, cloth * (1 + 0.6 * folds)[..., None], cover)

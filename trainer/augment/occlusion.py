"""Occlusion augmentation: fingers, strands of hair and objects in front of a face and its mask."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.align.canonical_crop import CROP_SIZE
from trainer.augment.drawing import FIXED_POINT_BITS, alpha_blend, bezier, draw_line, fixed_point
from trainer.data.face_set import margin_of

_FINGERS_SHARE, _HAIR_SHARE, _OBJECT_SHARE = 0.10, 0.10, 0.06  # of the faces
_FOREHEAD = (151, 108, 337)  # landmarks on bare skin above any mask


def add_occlusion(
    crop: NDArray[np.uint8],
    alpha: NDArray[np.bool_],
    landmarks: NDArray[np.float32],
    rng: np.random.Generator,
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Add fingers, hair or an object in front of some faces.

    Args:
        crop: uint8 [128 + 2M, 128 + 2M, 3], RGB, the canonical crop with a margin; not changed.
        alpha: bool [128 + 2M, 128 + 2M], mask pixels. Fingers and objects remove the pixels that they
            cover; single strands of hair do not.
        landmarks: float32 [478, 2], pixels of `crop`.
        rng: random generator.

    Returns:
        The picture and the visible mask pixels.
    """
    if rng.random() < _HAIR_SHARE:
        crop = _strands(crop, rng)
    if rng.random() < _FINGERS_SHARE:
        at = np.clip(landmarks[list(_FOREHEAD)].round().astype(int), 0, len(crop) - 1)
        skin = crop[at[:, 1], at[:, 0]].astype(np.float32).mean(0) * rng.uniform(0.7, 1.15)
        return _paint(crop, alpha, _fingers(crop.shape[:2], rng), skin, rng)
    if rng.random() < _OBJECT_SHARE:
        colour = np.full(3, rng.uniform(5, 240)) + rng.normal(0, 12, 3)
        return _paint(crop, alpha, _object(crop.shape[:2], rng), colour, rng)
    return crop, alpha


def _paint(
    crop: NDArray[np.uint8],
    alpha: NDArray[np.bool_],
    cover: NDArray[np.uint8],
    colour: NDArray[np.floating],
    rng: np.random.Generator,
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Paint a shape in a colour, shaded as a round one, with a soft shadow below it."""
    depth = cv2.distanceTransform((cover > 127).astype(np.uint8), cv2.DIST_L2, 3)
    shade = 0.72 + 0.28 * np.minimum(depth / 6.0, 1.0)
    grain = cv2.GaussianBlur(rng.standard_normal(cover.shape).astype(np.float32), (0, 0), 1.5)
    painted = np.asarray(colour, np.float32) * (shade + 0.08 * grain)[..., None]
    shadow = 1 - 0.35 * cv2.GaussianBlur(cover, (0, 0), 3).astype(np.float32) / 255
    return alpha_blend(crop * shadow[..., None], painted, cover), alpha & (cover < 128)


def _fingers(shape: tuple[int, int], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Draw one to four fingers side by side, from below or from a side; uint8 [H, W], 0 or 255."""
    cover = np.zeros(shape, np.uint8)
    place = np.array([rng.uniform(0.25, 0.75), rng.uniform(0.5, 0.85)])
    tip = margin_of(shape[0]) + place * CROP_SIZE
    towards = rng.uniform(0.1, np.pi - 0.1) if rng.random() < 0.6 else rng.choice([0.0, np.pi])
    along = np.array([np.cos(towards), np.sin(towards)])
    across = np.array([-along[1], along[0]])
    thick = rng.uniform(7, 13)
    for finger in range(int(rng.integers(1, 5))):
        start = tip + across * finger * thick * 1.02 + along * rng.uniform(-6, 6)
        end = start + along * rng.uniform(45, 90) + across * rng.normal(0, 4)
        bend = (start + end) / 2 + across * rng.normal(0, 3)
        draw_line(cover, np.stack([start, bend, end]), 255, round(thick))
    return cover


def _object(shape: tuple[int, int], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Draw a tilted box or disc (phone, cup, microphone) at the lower edge; uint8 [H, W]."""
    cover = np.zeros(shape, np.uint8)
    at = margin_of(shape[0]) + np.array([rng.uniform(0.1, 0.9), rng.uniform(0.75, 1.0)]) * CROP_SIZE
    centre = (float(at[0]), float(at[1]))
    size = (rng.uniform(14, 40), rng.uniform(30, 70))
    if rng.random() < 0.5:
        box = fixed_point(cv2.boxPoints((centre, size, float(rng.normal(0, 20)))))
        cv2.fillConvexPoly(cover, box, (255,), cv2.LINE_AA, FIXED_POINT_BITS)
    else:
        cv2.ellipse(cover, (centre, size, float(rng.normal(0, 30))), 255, -1, cv2.LINE_AA)
    return cover


def _strands(crop: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Draw strands of hair, dark or fair, as thin curves from above."""
    margin, out = margin_of(len(crop)), crop.copy()
    shade = rng.uniform(10, 60) if rng.random() < 0.8 else rng.uniform(90, 180)
    colour = tuple(float(shade * tint) for tint in (1.15, 1.0, 0.85))
    x = margin + rng.uniform(0.05, 0.95) * CROP_SIZE
    for _ in range(int(rng.integers(1, 9))):
        start = np.array([x + rng.normal(0, 8), margin + rng.uniform(0, 0.4) * CROP_SIZE])
        end = start + np.array([rng.normal(0, 18), rng.uniform(30, 95)])
        bend = (start + end) / 2 + np.array([rng.normal(0, 9), 0.0])
        draw_line(out, bezier(start, bend, end, 12), colour, int(rng.integers(1, 3)))
    return out

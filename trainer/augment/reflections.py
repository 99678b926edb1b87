"""Puts faces behind clear plastic or glass: streaks of light, rings and a veil lie over what is seen."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

_SHARE = 0.06
_FINE = 8  # lines are drawn at 1 / _FINE px


def behind_glass(crop: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Sometimes show a crop through something clear that reflects.

    Args:
        crop: uint8 [H, W, 3], RGB; not changed.
        rng: the draw.

    Returns:
        uint8 [H, W, 3]; the crop itself where nothing lies before it. What is mask stays mask.
    """
    if rng.random() >= _SHARE:
        return crop
    veil = rng.uniform(0, 0.3) * _soft_patches(crop.shape[:2], rng)
    lights = _streaks(crop.shape[:2], rng) * rng.uniform(0.3, 0.9)
    shades = _streaks(crop.shape[:2], rng) * rng.uniform(0.0, 0.5)
    light = np.full(3, rng.uniform(180, 255)) + rng.normal(0, 6, 3)
    cover = np.maximum(veil, lights)[..., None]
    out = crop * (1 - shades[..., None])
    return np.clip(out + cover * (light - out), 0, 255).astype(np.uint8)


def _soft_patches(shape: tuple[int, int], rng: np.random.Generator) -> NDArray[np.float32]:
    """Large patches without outlines, 0..1."""
    coarse = rng.uniform(-1, 1, (4, 4)).astype(np.float32)
    return np.clip(cv2.resize(coarse, shape[::-1], interpolation=cv2.INTER_CUBIC), 0, 1)


def _streaks(shape: tuple[int, int], rng: np.random.Generator) -> NDArray[np.float32]:
    """A few bowed lines that run alike, as on a bent sheet or the rings of a bottle; 0..1."""
    cover = np.zeros(shape, np.uint8)
    size = max(shape)
    angle, bow = rng.uniform(0, np.pi), rng.normal(0, 0.15) * size
    along = np.array([np.cos(angle), np.sin(angle)])
    across = np.array([-along[1], along[0]])
    t = np.linspace(-1, 1, 17)[:, None]
    for _ in range(int(rng.integers(2, 8))):
        centre = rng.uniform(0.1, 0.9, 2) * size
        half = rng.uniform(0.1, 0.7) * size
        curve = centre + along * t * half + across * (1 - t**2) * bow
        line = np.round(curve * _FINE).astype(np.int32)
        cv2.polylines(cover, [line], False, 255, int(rng.integers(1, 5)), cv2.LINE_AA, shift=3)
    soft = cv2.GaussianBlur(cover, (0, 0), float(rng.uniform(0.5, 2.5)))
    return soft.astype(np.float32) / 255

"""Adds the reflections of clear plastic or glass in front of faces: streaks of light, rings and haze."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from trainer.augment.drawing import draw_line

_SHARE = 0.06  # of the faces


def add_reflections(crop: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Show some crops through a clear sheet that reflects light.

    Args:
        crop: uint8 [H, W, 3], RGB; not changed.
        rng: random generator.

    Returns:
        uint8 [H, W, 3]; the crop itself if nothing was added. Mask pixels stay mask pixels.
    """
    if rng.random() >= _SHARE:
        return crop
    haze = rng.uniform(0, 0.3) * _soft_patches(crop.shape[:2], rng)
    lights = _streaks(crop.shape[:2], rng) * rng.uniform(0.3, 0.9)
    shades = _streaks(crop.shape[:2], rng) * rng.uniform(0.0, 0.5)
    light = np.full(3, rng.uniform(180, 255)) + rng.normal(0, 6, 3)
    cover = np.maximum(haze, lights)[..., None]
    out = crop * (1 - shades[..., None])
    return np.clip(out + cover * (light - out), 0, 255).astype(np.uint8)


def _soft_patches(shape: tuple[int, int], rng: np.random.Generator) -> NDArray[np.float32]:
    """Draw large soft patches; float32 [H, W], 0..1."""
    coarse = rng.uniform(-1, 1, (4, 4)).astype(np.float32)
    return np.clip(cv2.resize(coarse, shape[::-1], interpolation=cv2.INTER_CUBIC), 0, 1)


def _streaks(shape: tuple[int, int], rng: np.random.Generator) -> NDArray[np.float32]:
    """Draw a few parallel arcs, as on a bent sheet or a bottle; float32 [H, W], 0..1."""
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
        draw_line(cover, curve, 255, int(rng.integers(1, 5)))
    soft = cv2.GaussianBlur(cover, (0, 0), float(rng.uniform(0.5, 2.5)))
    return soft.astype(np.float32) / 255

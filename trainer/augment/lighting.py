"""Changes the light of a picture: coloured stage light, darkness with a sensor's noise, glare."""

from __future__ import annotations

import colorsys

import cv2
import numpy as np
from numpy.typing import NDArray

from trainer.augment.canvas import LUMA, Map, Rng, smooth_noise

_COLOURED_SHARE, _DARK_SHARE, _GLARE_SHARE = 0.08, 0.08, 0.05  # of the samples


def change_light(picture: NDArray[np.uint8], rng: Rng, *, noise: bool = True) -> NDArray[np.uint8]:
    """Show some pictures in other light; what they show stays in its place.

    Args:
        picture: uint8 [S, S, 3], RGB; not changed.
        rng: random generator.
        noise: whether dark pictures have a sensor's noise.
    """
    coloured, dark, glare = rng.random(3) < (_COLOURED_SHARE, _DARK_SHARE, _GLARE_SHARE)
    if not (coloured or dark or glare):
        return picture
    out = picture.astype(np.float32)
    if coloured:
        out = _coloured(out, rng)
    if dark:
        out = _darkened(out, rng)
        if noise:
            out = _with_shot_noise(out, rng)
    if glare:
        out = _glare(out, rng)
    return np.clip(out + 0.5, 0, 255).astype(np.uint8)


def _coloured(picture: Map, rng: Rng) -> Map:
    """Light from one or two coloured lamps, one at each side; much of it is one colour alone."""
    luma = (picture @ LUMA)[..., None]
    kept = float(rng.uniform(0, 0.7))
    mixed = kept * picture + (1 - kept) * luma
    lamps = [_lamp(rng), _lamp(rng) if rng.random() < 0.5 else None]
    if lamps[1] is None:
        return np.asarray(mixed * lamps[0], np.float32)
    angle = rng.uniform(0, 2 * np.pi)
    rows, columns = np.indices(luma.shape[:2], np.float32) / np.float32(len(luma)) - np.float32(0.5)
    slope = columns * np.float32(np.cos(angle)) + rows * np.float32(np.sin(angle))
    share = 1 / (1 + np.exp(-slope * rng.uniform(2, 12)))[..., None]
    return np.asarray(mixed * (share * lamps[0] + (1 - share) * lamps[1]), np.float32)


def _lamp(rng: Rng) -> NDArray[np.float64]:
    """A lamp's colour, [3], from pale to deep, and its strength."""
    deep = rng.uniform(0.3, 0.95)
    hue = float(rng.choice([rng.random(), 0.62, 0.85, 0.0, 0.35]))
    return np.array(colorsys.hsv_to_rgb(hue, float(deep), 1.0)) * rng.uniform(0.7, 1.5)


def _darkened(picture: Map, rng: Rng) -> Map:
    """Little light: levels fall, and shadows drown."""
    gain, gamma = np.exp(rng.uniform(np.log(0.1), np.log(0.5))), rng.uniform(1.0, 1.4)
    out = 255 * (picture / 255) ** np.float32(gamma) * gain + np.float32(rng.uniform(0, 6))
    return np.asarray(out, np.float32)


def _with_shot_noise(picture: Map, rng: Rng) -> Map:
    """The noise of few photons."""
    sigma = np.sqrt(rng.uniform(0.5, 6) ** 2 + rng.uniform(0, 1) * picture)
    noise = rng.standard_normal(picture.shape).astype(np.float32)
    noise += rng.uniform(0, 1) * rng.standard_normal((*picture.shape[:2], 1)).astype(np.float32)
    if rng.random() < 0.5:
        noise = 1.6 * cv2.GaussianBlur(noise, (0, 0), 0.7)
    return np.asarray(picture + sigma * noise, np.float32)


def _glare(picture: Map, rng: Rng) -> Map:
    """Light from behind: the face in shadow, a veil of haze, and a bright spot at an edge."""
    size = picture.shape[0]
    rows, columns = np.indices(picture.shape[:2], np.float32)
    y, x = rng.uniform(-0.2, 0.5) * size, float(rng.choice([-0.1, 0.2, 0.8, 1.1])) * size
    wide = rng.uniform(0.15, 0.6) * size
    spot = np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / wide**2)
    spot = spot * np.clip(1 + 0.3 * smooth_noise(rng, spot.shape, (20, 20)), 0, 2)
    tint = 1 + rng.uniform(-0.15, 0.15, 3)
    veil = rng.uniform(0, 45) + rng.uniform(80, 320) * spot
    return np.asarray(picture * rng.uniform(0.25, 0.9) + veil[..., None] * tint, np.float32)

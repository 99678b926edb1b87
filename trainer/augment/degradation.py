"""Degrades pictures as cameras and files do: blur, few pixels, noise, JPEG, motion."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from trainer.augment.drawing import draw_line

_COARSE = 0.22, 0.86  # range of the side of a coarse picture, as a share of its own side
_NOISE_LEVELS, _NOISE_SIGMA_PX = (2.0, 14.0), (0.3, 1.0)  # of a sensor, before and after its blur


def degrade(
    picture: NDArray[np.uint8],
    rng: np.random.Generator,
    coarse_share: float = 0.25,
    noise_share: float = 0.3,
) -> NDArray[np.uint8]:
    """Blur, downscale, add noise or JPEG artefacts at random.

    Args:
        picture: uint8 [S, S, 3], RGB; not changed.
        rng: random generator.
        coarse_share: share of the pictures that are scaled down and up again.
        noise_share: share of the pictures with noise.
    """
    size = picture.shape[:2]
    if rng.random() < 0.3:
        picture = _blurred(picture, float(rng.uniform(0.4, 1.8)))
    if rng.random() < coarse_share:
        side = int(size[0] * rng.uniform(*_COARSE))
        small = cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA)
        picture = np.asarray(cv2.resize(small, size, interpolation=cv2.INTER_LINEAR), np.uint8)
    if rng.random() < noise_share:
        noise = rng.standard_normal(picture.shape).astype(np.float32) * rng.uniform(*_NOISE_LEVELS)
        picture = np.clip(picture + noise, 0, 255).astype(np.uint8)
    if rng.random() < 0.25:
        quality = int(rng.integers(25, 90))
        _, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
        picture = cv2.imdecode(data, cv2.IMREAD_COLOR).astype(np.uint8, copy=False)
    return picture


def add_noise(
    picture: NDArray[np.uint8], where: NDArray[np.bool_], rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Add a sensor's noise to a part of a picture.

    Args:
        picture: uint8 [H, W, 3], RGB; not changed.
        where: bool [H, W], the part.
        rng: random generator.
    """
    noise = where[..., None] * sensor_noise(picture.shape, rng)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


def sensor_noise(shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.float32]:
    """Draw a sensor's noise, in levels: float32 [H, W, 3]."""
    noise = rng.standard_normal(shape, np.float32)
    noise = cv2.GaussianBlur(noise, (0, 0), rng.uniform(*_NOISE_SIGMA_PX))
    return np.asarray(noise * np.float32(rng.uniform(*_NOISE_LEVELS)), np.float32)


def blur_by_motion(picture: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Smear a picture, uint8 [H, W, 3], along a line of random direction, 3 to 11 px long."""
    side = int(rng.integers(3, 12))
    angle = rng.uniform(0, np.pi)
    middle = np.full(2, (side - 1) / 2)
    along = middle * (np.cos(angle), np.sin(angle))
    kernel = np.zeros((side, side), np.uint8)
    draw_line(kernel, np.stack([middle - along, middle + along]), 255, 1)
    weights = kernel.astype(np.float32) / kernel.sum()
    return np.asarray(cv2.filter2D(picture, -1, weights), np.uint8)


def _blurred(picture: NDArray[np.uint8], sigma_px: float) -> NDArray[np.uint8]:
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma_px), np.uint8)

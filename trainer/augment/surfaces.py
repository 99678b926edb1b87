"""Draws what is printed on things and cloth: plain colours, stripes, text, noise, parts of photographs."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.synthetic.palette import random_colour
from trainer.augment.canvas import Map, Rng, smooth_noise


def random_surface(
    rng: Rng, shape: tuple[int, int], pictures: NDArray[np.uint8], plain: float = 0.0
) -> Map:
    """Draw a surface.

    Args:
        rng: random generator.
        shape: height and width, pixels.
        pictures: uint8 [N, H, W, 3], RGB, of which parts are printed.
        plain: share of surfaces that are plain besides those that are so anyway, 0..1.

    Returns:
        Albedo, float32 [H, W, 3], 0..1.
    """
    ground = np.array(random_colour(rng), np.float32)
    out = np.full((*shape, 3), ground, np.float32)
    draw = rng.random() + plain
    if draw < _PICTURE_SHARE:
        return picture_part(rng, shape, pictures)
    draw -= _PICTURE_SHARE
    ink = np.array(random_colour(rng), np.float32)
    for share, print_on in _PRINTS:
        if draw < share:
            return np.asarray(out + print_on(rng, shape)[..., None] * (ink - out), np.float32)
        draw -= share
    uneven = 1 + np.float32(0.08 * rng.random()) * smooth_noise(rng, shape, (30, 30))
    return np.asarray(out * uneven[..., None], np.float32)


def picture_part(rng: Rng, shape: tuple[int, int], pictures: NDArray[np.uint8]) -> Map:
    """Cut a part out of a random photograph: turned, sometimes in other colours, sometimes a logo."""
    photo = pictures[int(rng.integers(len(pictures)))]
    side = int(rng.integers(len(photo) // 7, len(photo)))
    y, x = (int(rng.integers(0, length - side + 1)) for length in photo.shape[:2])
    part = np.rot90(photo[y : y + side, x : x + side], int(rng.integers(4)))
    if rng.random() < 0.5:
        part = part[:, :, rng.permutation(3)]
    part = cv2.resize(np.ascontiguousarray(part), shape[::-1], interpolation=cv2.INTER_LINEAR)
    part = part.astype(np.float32) * np.float32(rng.uniform(0.6, 1.2) / 255)
    return np.clip(part, 0.02, 1)


def _stripes(rng: Rng, shape: tuple[int, int]) -> Map:
    rows, columns = np.indices(shape, np.float32)
    angle = float(rng.choice([0, 0, np.pi / 2, np.pi / 2, rng.uniform(0, np.pi)]))
    along = columns * np.float32(np.sin(angle)) + rows * np.float32(np.cos(angle))
    wave = np.sin(along * np.float32(2 * np.pi / rng.uniform(5, 40)) + rng.uniform(0, 6))
    return np.clip((wave - np.float32(rng.uniform(-0.6, 0.8))) * 4, 0, 1)


def _checks(rng: Rng, shape: tuple[int, int]) -> Map:
    return np.maximum(_stripes(rng, shape), _stripes(rng, shape)) * np.float32(rng.uniform(0.4, 1))


def _stains(rng: Rng, shape: tuple[int, int]) -> Map:
    cell = float(rng.uniform(4, 30))
    return np.clip(smooth_noise(rng, shape, (cell, cell)) * 2 - rng.uniform(0, 1.5), 0, 1)


def _text(rng: Rng, shape: tuple[int, int]) -> Map:
    page = np.zeros(shape, np.uint8)
    large = rng.random() < 0.5
    size = float(rng.uniform(0.6, 1.4) if large else rng.uniform(0.25, 0.45))
    thick, font = max(1, round(2 * size)), int(rng.integers(8))
    step = int(30 * size)
    top = int(rng.uniform(0.2, 0.8) * shape[0]) if large else step
    for y in range(top, top + step if large else shape[0], max(step, 6)):
        letters = rng.choice(list("ABCDEFGHIKLMNOPRSTUVWaeioulnrst"), 3 + 25 * (not large))
        at = int(rng.uniform(0, 0.25) * shape[1]), y
        cv2.putText(page, "".join(letters), at, font, size, (255,), thick, cv2.LINE_AA)
    return page.astype(np.float32) / np.float32(255)


# Shares of the surfaces; the rest is plain.
_PICTURE_SHARE = 0.22
_PRINTS = ((0.10, _stripes), (0.12, _text), (0.12, _stains), (0.08, _checks))

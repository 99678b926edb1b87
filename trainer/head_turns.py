"""Turns and bows heads in canonical crops, about as cameras see them: a side or the lower part shrinks."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.alignment import CROP_SIZE
from trainer.faceset import margin_of

_HALF_FACE_PX = 40.0  # beyond that from the middle is background, which does not shrink
_EYES_Y = 46.0


def turned(
    crop: NDArray[np.uint8], flags: NDArray[np.uint8], rng: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Turn a head to a side, now and then to near profile, and raise or bow it.

    Args:
        crop: uint8 [128 + 2M, 128 + 2M, 3], the canonical crop with a margin.
        flags: uint8 [128 + 2M, 128 + 2M, C], what belongs to its pixels; 0 is taken outside.
        rng: where to, and how far.

    Returns:
        Both, moved alike; the crop repeats its edge outside.
    """
    margin = margin_of(len(crop))
    pixels = np.arange(len(crop), dtype=np.float32) - margin
    far, near = rng.uniform(0.12, 0.9), rng.uniform(0.8, 1.05)
    left, right = (far, near) if rng.random() < 0.5 else (near, far)
    middle = (CROP_SIZE - 1) / 2 + rng.uniform(-5, 5)
    across = middle + _stretched(pixels - middle, left, right, _HALF_FACE_PX)
    below = rng.uniform(0.7, 1.1)
    down = _EYES_Y + _stretched(pixels - _EYES_Y, 1.0, below, 2.0 * _HALF_FACE_PX)
    x, y = np.meshgrid(*((at + margin).astype(np.float32) for at in (across, down)))
    moved = cv2.remap(crop, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    flags = cv2.remap(flags, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    return np.asarray(moved, np.uint8), np.asarray(flags, np.uint8).reshape(*flags.shape[:2], -1)


def _stretched(
    offset: NDArray[np.float32], before: float, after: float, reach_px: float
) -> NDArray[np.float32]:
    """Where in the source lies what is seen at an offset, where each side's first pixels shrink so."""
    scale = np.where(offset < 0, before, after)
    inside = np.minimum(np.abs(offset), reach_px * scale)
    away = inside / scale + np.abs(offset) - inside
    return (np.sign(offset) * away).astype(np.float32)

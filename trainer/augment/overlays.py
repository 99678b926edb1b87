"""Draws what programs and broadcasters put over a picture: boxes of detectors, labels, captions, logos."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from trainer.augment.canvas import Rng

_SHARE = 0.05  # of the samples
_LABELS = ("Mask", "No Mask 99%", "mask: 0.98", "face", "LIVE", "id 12", "PERSON 87%")


def add_overlay(crop: NDArray[np.uint8], rng: Rng) -> NDArray[np.uint8]:
    """Draw a box with a label or a caption over some crops; mask pixels stay mask pixels.

    Args:
        crop: uint8 [S, S, 3], RGB; not changed.
        rng: random generator.
    """
    if rng.random() >= _SHARE:
        return crop
    out, size = crop.copy(), len(crop)
    vivid = ((0, 255, 0), (255, 0, 0), (0, 0, 255), (255, 255, 0), (255, 255, 255), (0, 255, 255))
    colour = vivid[int(rng.integers(len(vivid)))]
    scale, thick = float(rng.uniform(0.3, 0.8)), int(rng.integers(1, 4))
    text = _LABELS[int(rng.integers(len(_LABELS)))]
    if rng.random() < 0.7:
        low = (rng.uniform(-0.1, 0.35, 2) * size).astype(int)
        high = (rng.uniform(0.6, 1.1, 2) * size).astype(int)
        cv2.rectangle(out, tuple(map(int, low)), tuple(map(int, high)), colour, thick)
        at = int(low[0]), int(low[1]) - 3
    else:
        top = int(rng.uniform(0.75, 0.95) * size)
        ground = tuple(map(int, rng.integers(0, 256, 3)))
        cv2.rectangle(out, (0, top), (size, top + round(40 * scale)), ground, -1)
        at = int(rng.uniform(0, 0.3) * size), top + round(26 * scale)
    cv2.putText(out, text, at, int(rng.integers(4)), scale, colour, max(1, thick - 1), cv2.LINE_AA)
    return out

"""Draws pictures of nothing: shapes, lines, text and noise, in which a network must not see a face."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

PATTERN_PX = 160
"""Side of a drawn pattern, pixels."""

_Picture = NDArray[np.uint8]
_OCTAVES = 7  # of the noise


def random_pattern(rng: np.random.Generator) -> _Picture:
    """Draw a pattern, uint8 [160, 160, 3]."""
    draw = (_ellipses, _boxes_and_lines, _text, _noise)[int(rng.integers(4))]
    picture = np.full((PATTERN_PX, PATTERN_PX, 3), rng.integers(0, 256, 3), np.uint8)
    picture = draw(picture, rng)
    if rng.random() < 0.6:
        picture = np.asarray(
            cv2.GaussianBlur(picture, (0, 0), float(rng.uniform(0.3, 2))), np.uint8
        )
    return picture


def _colour(rng: np.random.Generator) -> tuple[int, ...]:
    return tuple(int(level) for level in rng.integers(0, 256, 3))


def _point(rng: np.random.Generator) -> tuple[int, ...]:
    return tuple(int(at) for at in rng.integers(0, PATTERN_PX, 2))


def _thickness(rng: np.random.Generator) -> int:
    """Draw a line's width in pixels, or -1 for a filled shape."""
    return -1 if rng.random() < 0.55 else int(rng.integers(1, 5))


def _ellipses(picture: _Picture, rng: np.random.Generator) -> _Picture:
    for _ in range(int(rng.integers(3, 40))):
        across = float(rng.uniform(4, 80))
        axes = across, across * float(rng.uniform(0.4, 1.2))
        box = (_point(rng), axes, float(rng.uniform(0, 180)))
        cv2.ellipse(picture, box, _colour(rng), _thickness(rng), cv2.LINE_AA)  # type: ignore[call-overload]
    return picture


def _boxes_and_lines(picture: _Picture, rng: np.random.Generator) -> _Picture:
    for _ in range(int(rng.integers(3, 30))):
        if rng.random() < 0.5:
            cv2.rectangle(picture, _point(rng), _point(rng), _colour(rng), _thickness(rng))
        else:
            width = int(rng.integers(1, 10))
            cv2.line(picture, _point(rng), _point(rng), _colour(rng), width, cv2.LINE_AA)
    return picture


def _text(picture: _Picture, rng: np.random.Generator) -> _Picture:
    scale, ink, font = float(rng.uniform(0.3, 1.5)), _colour(rng), int(rng.integers(8))
    width = max(1, int(scale * rng.uniform(1, 3)))
    for y in range(8, PATTERN_PX + 8, int(28 * scale)):
        codes = rng.integers(33, 127, 40)
        line = "".join(" " if rng.random() < 0.15 else chr(code) for code in codes)
        at = int(rng.integers(-20, 20)), y
        cv2.putText(picture, line, at, font, scale, ink, width, cv2.LINE_AA)
    return picture


def _noise(picture: _Picture, rng: np.random.Generator) -> _Picture:
    """Sum noise of several frequencies, in colour or grey."""
    fall, channels = rng.uniform(0.3, 1.2), 3 if rng.random() < 0.5 else 1
    total = np.zeros((PATTERN_PX, PATTERN_PX, channels), np.float32)
    for octave in range(1, _OCTAVES):
        coarse = rng.standard_normal((2**octave, 2**octave, channels)).astype(np.float32)
        fine = cv2.resize(coarse, (PATTERN_PX, PATTERN_PX), interpolation=cv2.INTER_CUBIC)
        total += fine.reshape(total.shape) * np.float32(2 ** (-fall * octave))
    total = (total - total.mean()) / total.std() * rng.uniform(20, 70) + rng.uniform(60, 190)
    return np.broadcast_to(np.clip(total, 0, 255).astype(np.uint8), picture.shape)

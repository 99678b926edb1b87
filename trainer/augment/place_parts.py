"""Cuts square parts out of photographs of places at a random place, size and angle."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

_SIDES = 0.15, 1.2  # range of a part's side, as a share of the photograph's shorter side
_SHARP_SCALE = 0.7  # a warp to a smaller scale needs a blur before it
_BLUR_PX = 0.4  # standard deviation of that blur, in pixels of the result


def placed(scale: float, angle: float, point: NDArray, target: NDArray) -> NDArray[np.float64]:
    """Return the similarity that scales, rotates and takes a point to a target; float64 [2, 3], radians."""
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    linear = np.array([[cos, -sin], [sin, cos]])
    return np.column_stack([linear, np.asarray(target) - linear @ point])


def random_part(
    shape: tuple[int, ...], side_px: int, angle: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Draw which part of a photograph to show; its size is log-uniform.

    Args:
        shape: of the photograph; height and width first.
        side_px: side of the square that shows the part.
        angle: by which the part is rotated, radians.
        rng: random generator.

    Returns:
        float64 [2, 3], pixels of the photograph to those of the square.
    """
    height, width = shape[:2]
    scale = side_px / (min(height, width) * np.exp(rng.uniform(*np.log(_SIDES))))
    centre = rng.uniform((0, 0), (width, height))
    return placed(scale, angle, centre, np.full(2, side_px / 2))


def warp_part(
    picture: NDArray[np.uint8],
    matrix: NDArray[np.float64],
    side_px: int,
    border: int = cv2.BORDER_REPLICATE,
) -> NDArray[np.uint8]:
    """Warp a picture, uint8 [H, W, 3], to a square, blurred first where it shrinks.

    Args:
        picture: uint8 [H, W, 3]; not changed.
        matrix: float64 [2, 3], pixels of the picture to those of the square.
        side_px: side of the square.
        border: what lies outside the picture, as in OpenCV.
    """
    scale = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
    if scale < _SHARP_SCALE:
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), _BLUR_PX / scale), np.uint8)
    size = side_px, side_px
    return np.asarray(cv2.warpAffine(picture, matrix, size, borderMode=border), np.uint8)

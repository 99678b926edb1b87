"""Draws shapes at sub-pixel places and blends them in with soft edges."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

FIXED_POINT_BITS = 3  # fractional bits of the coordinates that OpenCV draws at: 1/8 px
_EDGE_PX = 0.6  # standard deviation of the blur that softens the edge of a blended shape


def fixed_point(points: NDArray) -> NDArray[np.int32]:
    """Turn pixels, [N, 2], into the fixed-point coordinates that OpenCV draws at."""
    return np.round(points * 2**FIXED_POINT_BITS).astype(np.int32)


def draw_line(
    image: NDArray[np.uint8], points: NDArray, colour: float | tuple[float, ...], width_px: int
) -> None:
    """Draw a polyline through pixels, [N, 2], into an image."""
    value = colour if isinstance(colour, tuple) else (colour,)
    cv2.polylines(
        image, [fixed_point(points)], False, value, width_px, cv2.LINE_AA, FIXED_POINT_BITS
    )


def bezier(start: NDArray, middle: NDArray, end: NDArray, count: int) -> NDArray[np.float64]:
    """Return `count` points of a quadratic Bézier curve, [count, 2]."""
    t = np.linspace(0, 1, count)[:, None]
    return (1 - t) ** 2 * start + 2 * t * (1 - t) * middle + t**2 * end


def alpha_blend(
    under: NDArray[np.floating] | NDArray[np.uint8], over: NDArray, mask: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """Blend one picture over another, [H, W, 3], where a mask, uint8 [H, W], is 255; uint8."""
    weight = cv2.GaussianBlur(mask, (0, 0), _EDGE_PX).astype(np.float32)[..., None] / 255
    return np.clip(under + weight * (over - under), 0, 255).astype(np.uint8)

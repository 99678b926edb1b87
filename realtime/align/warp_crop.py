"""Cuts a crop out of a picture, averaged down first where it would alias."""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.align.affine import apply, compose, invert, scale_of
from realtime.align.canonical_crop import CROP_SIZE


def warp_crop(
    image: NDArray[np.uint8], matrix: NDArray[np.float64], size: int = CROP_SIZE
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Cut the canonical crop out of a picture.

    Large faces are averaged down before the warp, so that the crop does not alias.

    Args:
        image: uint8 [H, W, 3], any colour order.
        matrix: float64 [2, 3], picture pixels to crop pixels at 128x128.
        size: side of the crop in pixels.

    Returns:
        The crop, uint8 [size, size, 3] in the picture's colour order, border pixels repeated outside
        it, and its validity, bool [size, size]: False where the crop lies outside the picture.
    """
    matrix = matrix * (size / CROP_SIZE)
    crop = warp_square(image, matrix, size, cv2.BORDER_REPLICATE)
    return crop, _validity(image.shape[:2], matrix, size)


def warp_square(
    image: NDArray[np.uint8], matrix: NDArray[np.float64], side: int, border: int
) -> NDArray[np.uint8]:
    """Cut a square out of a picture, averaged down first where the warp would skip pixels.

    Args:
        image: uint8 [H, W, 3], any colour order.
        matrix: float64 [2, 3], picture pixels to pixels of the square.
        side: of the square, pixels.
        border: OpenCV's border mode, which says what is shown outside the picture.

    Returns:
        uint8 [side, side, 3] in the picture's colour order.
    """
    source, to_square = _reduced(image, matrix, side)
    flags = cv2.INTER_LINEAR
    square = cv2.warpAffine(source, to_square, (side, side), flags=flags, borderMode=border)
    return square.astype(np.uint8, copy=False)


def warp_square_rgb(
    image_bgr: NDArray[np.uint8], matrix: NDArray[np.float64], side: int, border: int
) -> NDArray[np.uint8]:
    """Cut a square, RGB, out of a picture, BGR; else as `warp_square`."""
    square = warp_square(image_bgr, matrix, side, border)
    return cv2.cvtColor(square, cv2.COLOR_BGR2RGB).astype(np.uint8, copy=False)


def warp_crop_rgb(
    frame_bgr: NDArray[np.uint8], matrix: NDArray[np.float64]
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Cut the canonical crop, RGB, out of a frame, BGR; else as `warp_crop`."""
    crop, valid = warp_crop(frame_bgr, matrix)
    return cv2.cvtColor(crop, cv2.COLOR_BGR2RGB).astype(np.uint8, copy=False), valid


def _reduced(
    image: NDArray[np.uint8], matrix: NDArray[np.float64], side: int
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Shrink the region of a crop of `side` by a whole factor where the warp would skip pixels."""
    factor = int(1.0 / max(scale_of(matrix), 1e-6))
    if factor < 2:
        return image, matrix
    (x0, x1), (y0, y1) = (
        _span(row, side, 2 * factor, most)
        for row, most in zip(invert(matrix).tolist(), image.shape[1::-1], strict=True)
    )
    if x1 - x0 < factor or y1 - y0 < factor:
        return image, matrix
    region = image[y0:y1, x0:x1]
    shape = ((x1 - x0) // factor, (y1 - y0) // factor)
    small = cv2.resize(
        region[: shape[1] * factor, : shape[0] * factor], shape, interpolation=cv2.INTER_AREA
    )
    to_region = np.array([[factor, 0, x0 + (factor - 1) / 2], [0, factor, y0 + (factor - 1) / 2]])
    return small.astype(np.uint8, copy=False), compose(matrix, to_region)


def _span(row: Sequence[float], side: int, margin: int, most: int) -> tuple[int, int]:
    """From where to where a square lies along one axis, a margin round it included, in 0..most.

    Plain numbers: NumPy takes ten times as long for so few.
    """
    across, down, start = row[0] * side, row[1] * side, row[2]
    ends = (start, across + start, down + start, across + down + start)
    first, last = math.floor(min(ends)) - margin, math.ceil(max(ends)) + margin
    return min(max(first, 0), most), min(max(last, 0), most)


def _validity(shape: tuple[int, int], matrix: NDArray[np.float64], size: int) -> NDArray[np.bool_]:
    """Mark the crop pixels whose centre lies inside the picture."""
    back = invert(matrix)
    corners = np.array([[0, 0], [size, 0], [0, size], [size, size]])
    if _inside(apply(back, corners), shape).all():
        return np.ones((size, size), dtype=bool)
    ys, xs = np.mgrid[0:size, 0:size]
    places = np.stack([xs.ravel(), ys.ravel()], axis=1)
    return _inside(apply(back, places), shape).reshape(size, size)


def _inside(places: NDArray[np.float64], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Whether places, [N, 2], lie inside a picture of that height and width, bool [N]."""
    height, width = shape
    inside = (places >= -0.5) & (places <= (width - 0.5, height - 0.5))
    return inside[:, 0] & inside[:, 1]

"""Compares colours, tint counting for more than light as to the eye, and averages them locally."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

_TINT_WEIGHT = np.float32(1.6)  # weight of a difference in tint against one in light


def colour_distance(
    one_rgb: NDArray[np.uint8], other_rgb: NDArray[np.uint8]
) -> NDArray[np.float32]:
    """How much two pictures differ at each pixel; a difference in tint counts for more than one in light.

    Args:
        one_rgb, other_rgb: uint8 [h, w, 3].

    Returns:
        float32 [h, w], levels of 0..255.
    """
    red, green, blue = cv2.split(cv2.subtract(one_rgb, other_rgb, dtype=cv2.CV_16S))
    tint = cv2.max(cv2.absdiff(red, green), cv2.absdiff(blue, green))
    light = cv2.max(cv2.max(np.abs(red), np.abs(green)), np.abs(blue))
    return np.maximum(light, _TINT_WEIGHT * tint).astype(np.float32)


def local_mean(
    colours: NDArray[np.float32], where: NDArray[np.bool_], sigma_px: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Gaussian-weighted mean colour of the marked pixels round each pixel, and their share.

    Args:
        colours: float32 [h, w, 3].
        where: bool [h, w].
        sigma_px: standard deviation of the Gaussian.

    Returns:
        float32 [h, w, 3], and the share of marked pixels, float32 [h, w], 0..1.
    """
    flags = where.astype(np.float32)
    weight = cv2.GaussianBlur(flags, (0, 0), sigma_px)
    total = cv2.GaussianBlur(colours * flags[..., None], (0, 0), sigma_px)
    return total / np.maximum(weight, 1e-4)[..., None], weight


def local_mean_half_size(
    picture_rgb: NDArray[np.uint8], where: NDArray[np.bool_], sigma_px: float
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """`local_mean` of a picture, uint8 [h, w, 3], taken at half its size; the mean is uint8 [h, w, 3]."""
    half = picture_rgb[::2, ::2].astype(np.float32)
    mean, share = local_mean(half, where[::2, ::2], sigma_px / 2)
    size = where.shape[1], where.shape[0]
    colour = cv2.resize(np.rint(mean).astype(np.uint8), size)
    return np.asarray(colour, np.uint8), np.asarray(cv2.resize(share, size), np.float32)

"""Skin tone: the median colour of visible skin, and which pixels have that colour (YCrCb)."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

_LEAST_SEEN_PX = 60  # seed pixels from which a tone is taken
# Levels from the first median within which pixels enter the second.
_TONE_LUMA, _TONE_CHROMA = 50, 14
_WARM = 20  # levels by which Cr exceeds Cb on skin in usual light, at least
_LIKE_LUMA, _LIKE_CHROMA = 60, 12  # levels from the tone within which a pixel counts as skin


def to_ycc(picture_rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Convert uint8 [h, w, 3] RGB to luma, Cr and Cb."""
    return np.asarray(cv2.cvtColor(picture_rgb, cv2.COLOR_RGB2YCrCb), dtype=np.uint8)


def skin_tone(
    ycc: NDArray[np.uint8], seeds: Sequence[NDArray[np.bool_]]
) -> NDArray[np.float64] | None:
    """Take the tone of the warmest of several places where skin may be seen, the first of equals.

    Args:
        ycc: uint8 [h, w, 3], luma, Cr and Cb.
        seeds: bool [h, w] each, pixels that are likely skin.

    Returns:
        float64 [3], luma, Cr, Cb, or None where too few pixels are seen.
    """
    seen = None
    for where in seeds:
        pixels = ycc[where][:, None]
        if len(pixels) >= _LEAST_SEEN_PX and (seen is None or _warmth(pixels) > _warmth(seen)):
            seen = pixels
    if seen is None:
        return None
    tone = _median(seen)
    near = _within(seen, tone, _TONE_LUMA, _TONE_CHROMA)
    return _median(seen[near]) if np.count_nonzero(near) >= _LEAST_SEEN_PX else tone


def has_tone(ycc: NDArray[np.uint8], tone: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Mark the pixels that count as skin of that tone, bool [h, w]; both as luma, Cr and Cb."""
    return _within(ycc, tone, _LIKE_LUMA, _LIKE_CHROMA)


def _warmth(pixels: NDArray[np.uint8]) -> float:
    """How far Cr exceeds Cb, up to where it is skin: glasses and dark hair are not as warm."""
    _, red, blue = _median(pixels)
    return float(min(red - blue, _WARM))


def _median(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The median of each channel, float64 [3], of uint8 [..., 3].

    Counting takes a tenth of sorting's time.
    """
    pixels = pixels.reshape(-1, 3)
    middle = (len(pixels) - 1) // 2, len(pixels) // 2
    counts = (np.cumsum(np.bincount(channel, minlength=256)) for channel in pixels.T)
    return np.array([np.searchsorted(below, middle, side="right").mean() for below in counts])


def _within(
    ycc: NDArray[np.uint8], tone: NDArray[np.float64], luma: int, chroma: int
) -> NDArray[np.bool_]:
    """Mark colours [h, w, 3] near a tone, brightness and both colour differences apart."""
    reach = np.array([luma, chroma, chroma])
    return cv2.inRange(ycc, np.rint(tone - reach), np.rint(tone + reach)) > 0

"""Picks the face's bare skin in a canonical crop: what tone and grain are taken from."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.align.canonical_crop import CROP_SIZE
from realtime.align.crop_window import CANONICAL, in_crop
from realtime.imaging.mask_regions import eroded

# Between the eyes and under them is skin; the forehead is as often fringe or cap.
_NOSE_ROOT = slice(44, 60), slice(54, 75)
_CHEEKS = slice(56, 82), slice(34, 95)
_FOREHEAD = slice(22, 40), slice(38, 90)
_OVAL_CENTRE, _OVAL_AXES, _LAST_ROW = (64, 62), (40, 50), 86
_LEAST_SEEN_PX = 60
_TONE_LUMA, _TONE_CHROMA = 50, 14  # what belongs to the tone's own estimate
_WARM = 20  # Cr less Cb of skin in usual light at least, levels
_LIKE_LUMA, _LIKE_CHROMA = 60, 12  # what counts as skin of that tone


def _make_upper_face() -> NDArray[np.bool_]:
    """The face above the mouth, bool [128, 128]: neck and ears are lit and focused otherwise."""
    oval = np.zeros((CROP_SIZE, CROP_SIZE), np.uint8)
    cv2.ellipse(oval, _OVAL_CENTRE, _OVAL_AXES, 0, 0, 360, 1, -1)
    oval[_LAST_ROW:] = 0
    return oval > 0


def _make_seeds(*places: tuple[slice, slice]) -> NDArray[np.bool_]:
    seeds = np.zeros((CROP_SIZE, CROP_SIZE), dtype=bool)
    for place in places:
        seeds[place] = True
    return seeds


_UPPER_FACE = _make_upper_face()
_SEEDS = _make_seeds(_NOSE_ROOT, _CHEEKS), _make_seeds(_FOREHEAD)


def skin_like(
    crop_rgb: NDArray[np.uint8],
    known: NDArray[np.bool_],
    framing: NDArray[np.float64] = CANONICAL,
) -> NDArray[np.bool_] | None:
    """Mark what has the tone of the skin seen round the nose, else of the forehead; fill included.

    Args:
        crop_rgb: uint8 [128, 128, 3].
        known: bool [128, 128], true pixels of the photograph; the tone is taken from them.
        framing: float64 [2, 3], canonical crop pixels to those of this crop.

    Returns:
        bool [128, 128], or None where too little of the face is seen.
    """
    ycc = np.asarray(cv2.cvtColor(crop_rgb, cv2.COLOR_RGB2YCrCb), dtype=np.uint8)
    tone = skin_tone(ycc, known, framing)
    return None if tone is None else of_tone(ycc, tone)


def skin_tone(
    ycc: NDArray[np.uint8],
    known: NDArray[np.bool_],
    framing: NDArray[np.float64] = CANONICAL,
) -> NDArray[np.float64] | None:
    """The tone of the skin seen round the nose, else of the forehead.

    Args:
        ycc: uint8 [128, 128, 3], the crop as luma, Cr and Cb.
        known: bool [128, 128], true pixels of the photograph; only they count.
        framing: float64 [2, 3], canonical crop pixels to those of this crop.

    Returns:
        float64 [3], luma, Cr, Cb, or None where too little of the face is seen.
    """
    seen = None
    for seeds in _SEEDS:
        place = ycc[in_crop(seeds, framing) & known][:, None]
        if len(place) >= _LEAST_SEEN_PX and (seen is None or _warmth(place) > _warmth(seen)):
            seen = place
    if seen is None:
        return None
    tone = _median(seen)
    near = _within(seen, tone, _TONE_LUMA, _TONE_CHROMA)
    return _median(seen[near]) if np.count_nonzero(near) >= _LEAST_SEEN_PX else tone


def of_tone(ycc: NDArray[np.uint8], tone: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Mark what counts as skin of that tone, bool [h, w]; both as luma, Cr and Cb."""
    return _within(ycc, tone, _LIKE_LUMA, _LIKE_CHROMA)


def known_skin(
    like: NDArray[np.bool_],
    known: NDArray[np.bool_],
    margin_px: int = 2,
    framing: NDArray[np.float64] = CANONICAL,
) -> NDArray[np.bool_]:
    """Narrow skin-like pixels to bare skin of the upper face, off the hole's rim and off eyes and hair.

    Args:
        like: bool [128, 128], from `skin_like`.
        known: bool [128, 128].
        margin_px: how far to stay away from the hole.
        framing: float64 [2, 3], canonical crop pixels to those of this crop.

    Returns:
        bool [128, 128].
    """
    return eroded(like & in_crop(_UPPER_FACE, framing), 2) & eroded(known, margin_px)


def _warmth(place: NDArray[np.uint8]) -> float:
    """How much redder than blue a place is, up to where it is skin: glasses and dark hair are not."""
    _, red, blue = _median(place)
    return float(min(red - blue, _WARM))


def _median(place: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The median of each channel, float64 [3], of uint8 [..., 3] by counting, for a tenth of the time."""
    pixels = place.reshape(-1, 3)
    middle = (len(pixels) - 1) // 2, len(pixels) // 2
    counts = (np.cumsum(np.bincount(channel, minlength=256)) for channel in pixels.T)
    return np.array([np.searchsorted(below, middle, side="right").mean() for below in counts])


def _within(
    ycc: NDArray[np.uint8], tone: NDArray[np.float64], luma: int, chroma: int
) -> NDArray[np.bool_]:
    """Compare colours [h, w, 3] with one, brightness and both colour differences apart."""
    reach = np.array([luma, chroma, chroma])
    return cv2.inRange(ycc, np.rint(tone - reach), np.rint(tone + reach)) > 0

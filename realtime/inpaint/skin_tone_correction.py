"""Keeps the filled skin in the tone of the skin that is seen: no green, yellow or grey patches."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.align.canonical_crop import CROP_SIZE
from realtime.align.crop_window import CANONICAL, in_crop
from realtime.imaging.colour_distance import mean_near, unlike_round
from realtime.imaging.mask_regions import padded_box
from realtime.inpaint.skin import of_tone, skin_tone

# Cheeks, mouth and chin of a canonical crop; beside them may be background.
_FACE_CENTRE, _FACE_AXES, _FACE_SOFT_PX = (64, 76), (27, 34), 6.0
_PATCH_SIGMA_PX, _MARGIN_PX = 4.0, 8
# How far the local mean of filled skin may stray from the tone seen, Cr and Cb in levels of 0..255: lips
# and cheeks are redder, little is greener or yellower.
_LEAST, _MOST = (-3.0, -5.0), (12.0, 5.0)
_FURTHEST = 26.0  # what is further off in colour is no skin: a beard, a collar, the background
_COLOURLESS = 10.0  # levels between Cr and Cb: no skin was seen, or no colours
_DARKEST = 0.5  # of the tone's luma
# What was filled like the background seen near it is background, as before a face in profile.
_NEAR_SIGMA_PX, _LEAST_NEAR, _LIKE_BACKGROUND = 8.0, 0.01, 30.0


def _make_face() -> NDArray[np.float32]:
    oval = np.zeros((CROP_SIZE, CROP_SIZE), np.float32)
    cv2.ellipse(oval, _FACE_CENTRE, _FACE_AXES, 0, 0, 360, 1, -1)
    return np.asarray(cv2.GaussianBlur(oval, (0, 0), _FACE_SOFT_PX), np.float32)


_FACE = _make_face()


def correct_skin_tone(
    filled_rgb: NDArray[np.uint8],
    hole: NDArray[np.bool_],
    known: NDArray[np.bool_],
    framing: NDArray[np.float64] = CANONICAL,
) -> NDArray[np.uint8]:
    """Pull patches of filled skin that stray in colour back to the skin seen; brightness stays.

    Args:
        filled_rgb: uint8 [128, 128, 3], composited.
        hole: bool [128, 128], the filled pixels.
        known: bool [128, 128], true pixels of the photograph (never inside the hole).
        framing: float64 [2, 3], canonical crop pixels to those of this crop.

    Returns:
        uint8 [128, 128, 3]; equal to `filled_rgb` outside the hole.
    """
    ycc = np.asarray(cv2.cvtColor(filled_rgb, cv2.COLOR_RGB2YCrCb), dtype=np.uint8)
    tone, face = skin_tone(ycc, known, framing), in_crop(_FACE, framing)
    box = padded_box(hole & (face > 0.01), _MARGIN_PX)
    if tone is None or tone[1] - tone[2] < _COLOURLESS or box is None:
        return filled_rgb
    background = _background(filled_rgb[box], ycc[box], known[box], tone)
    bent = _bent(ycc[box], hole[box], face[box] * (1 - background), tone)
    if bent is None:
        return filled_rgb
    out = filled_rgb.copy()
    cv2.copyTo(cv2.cvtColor(bent, cv2.COLOR_YCrCb2RGB), hole[box].view(np.uint8), out[box])
    return out


def _background(
    filled_rgb: NDArray[np.uint8],
    ycc: NDArray[np.uint8],
    known: NDArray[np.bool_],
    tone: NDArray[np.float64],
) -> NDArray[np.float32]:
    """How much of each place is like what is seen near it and no skin: float32 [h, w], 0..1."""
    seen = known & ~of_tone(ycc, tone)
    usual, share = mean_near(filled_rgb, seen, _NEAR_SIGMA_PX)
    alike = (share > _LEAST_NEAR) & (unlike_round(filled_rgb, usual) < _LIKE_BACKGROUND)
    return np.asarray(cv2.blur(alike.astype(np.float32), (3, 3)), np.float32)


def _bent(
    ycc: NDArray[np.uint8],
    hole: NDArray[np.bool_],
    face: NDArray[np.float32],
    tone: NDArray[np.float64],
) -> NDArray[np.uint8] | None:
    """Do it for a part of the crop, uint8 [h, w, 3]; None where nothing strays."""
    furthest = np.array([255, _FURTHEST, _FURTHEST])
    low, high = tone - furthest, tone + furthest
    low[0] = tone[0] * _DARKEST
    skin = hole & (face > 0)
    counted = cv2.bitwise_and(cv2.inRange(ycc, np.ceil(low), np.floor(high)), skin.view(np.uint8))
    weight = cv2.GaussianBlur(counted.astype(np.float32), (0, 0), _PATCH_SIGMA_PX)
    share = face * np.minimum(weight * 2, 1)
    luma, *chroma = cv2.split(ycc)
    shifts = []
    for plane, usual, least, most in zip(chroma, tone[1:], _LEAST, _MOST, strict=True):
        stray = cv2.subtract(plane, float(usual), dtype=cv2.CV_32F)
        patch = cv2.GaussianBlur(stray * counted, (0, 0), _PATCH_SIGMA_PX)
        patch /= np.maximum(weight, 1e-3)
        shifts.append((np.clip(patch, least, most) - patch) * share)
    strongest = max(float(np.abs(shift * hole).max()) for shift in shifts)
    if strongest < 0.5:
        return None
    moved = [cv2.add(c, s, dtype=cv2.CV_8U) for c, s in zip(chroma, shifts, strict=True)]
    return np.asarray(cv2.merge([luma, *moved]), dtype=np.uint8)

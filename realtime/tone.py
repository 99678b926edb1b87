"""Keeps the filled skin in the tone of the skin that is seen: no green, yellow or grey patches."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.alignment import CROP_SIZE
from realtime.skin import skin_tone

# Cheeks, mouth and chin of a canonical crop; beside them may be background.
_FACE_CENTRE, _FACE_AXES, _FACE_SOFT_PX = (64, 76), (27, 34), 6.0
_PATCH_SIGMA_PX = 4.0
# How far the local mean of filled skin may stray from the tone seen, Cr and Cb in levels of 0..255: lips
# and cheeks are redder, little is greener or yellower.
_LEAST, _MOST = np.array([-3.0, -5.0], np.float32), np.array([12.0, 5.0], np.float32)
_FURTHEST = 26.0  # what is further off in colour is no skin: a beard, a collar, the background
_COLOURLESS = 6.0  # levels between Cr and Cb: no skin was seen, or no colours
_DARKEST = 0.5  # of the tone's luma


def _make_face() -> NDArray[np.float32]:
    oval = np.zeros((CROP_SIZE, CROP_SIZE), np.float32)
    cv2.ellipse(oval, _FACE_CENTRE, _FACE_AXES, 0, 0, 360, 1, -1)
    return np.asarray(cv2.GaussianBlur(oval, (0, 0), _FACE_SOFT_PX), np.float32)


_FACE = _make_face()


def even_tone(
    filled_rgb: NDArray[np.uint8], hole: NDArray[np.bool_], known: NDArray[np.bool_]
) -> NDArray[np.uint8]:
    """Pull patches of filled skin that stray in colour back to the skin seen; brightness stays.

    Args:
        filled_rgb: uint8 [128, 128, 3], composited.
        hole: bool [128, 128], the filled pixels.
        known: bool [128, 128], true pixels of the photograph (never inside the hole).

    Returns:
        uint8 [128, 128, 3]; equal to `filled_rgb` outside the hole.
    """
    ycc = np.asarray(cv2.cvtColor(filled_rgb, cv2.COLOR_RGB2YCrCb), dtype=np.uint8)
    tone = skin_tone(ycc, known)
    if tone is None or tone[1] - tone[2] < _COLOURLESS or not hole.any():
        return filled_rgb
    stray = ycc[..., 1:].astype(np.float32) - tone[1:].astype(np.float32)
    is_skin = (np.abs(stray).max(2) < _FURTHEST) & (ycc[..., 0] > _DARKEST * tone[0]) & hole
    counted = is_skin.astype(np.float32)
    weight = cv2.GaussianBlur(counted, (0, 0), _PATCH_SIGMA_PX)
    patch = cv2.GaussianBlur(stray * counted[..., None], (0, 0), _PATCH_SIGMA_PX)
    patch /= np.maximum(weight, 1e-3)[..., None]
    shift = np.clip(patch, _LEAST, _MOST) - patch
    shift *= (_FACE * np.minimum(weight * 2, 1))[..., None]
    if not np.abs(shift[hole]).max() >= 0.5:
        return filled_rgb
    ycc[..., 1:] = np.clip(np.rint(ycc[..., 1:] + shift), 0, 255).astype(np.uint8)
    out = filled_rgb.copy()
    cv2.copyTo(cv2.cvtColor(ycc, cv2.COLOR_YCrCb2RGB), hole.view(np.uint8), out)
    return out

"""Pulls the colour of filled skin back to the tone of the skin that is seen.

No green, yellow or grey patches.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.align.face_regions import LOWER_FACE
from realtime.frames import FaceContext, Fill
from realtime.imaging.colour_distance import colour_distance_3x3, local_mean_half_size
from realtime.imaging.mask_regions import padded_bounding_box
from realtime.imaging.skin import has_tone, to_ycc
from realtime.inpaint.appearance import AppearanceStep

_PATCH_SIGMA_PX, _MARGIN_PX = 4.0, 8  # of the Gaussian that averages a patch; room round the face
# How far the local mean of filled skin may stray from the tone seen, Cr and Cb in levels of 0..255: lips
# and cheeks are redder, little is greener or yellower.
_LEAST, _MOST = (-3.0, -5.0), (12.0, 5.0)
_FURTHEST = (
    26.0  # levels of Cr or Cb: what is further off is no skin but a beard, a collar, the background
)
_COLOURLESS = (
    10.0  # levels between Cr and Cb: less than this on skin means that the picture has no colours
)
_DARKEST = 0.5  # of the tone's luma; what is darker is no skin
# What was filled like the background that is seen near it is background, as before a face in profile.
_NEAR_SIGMA_PX, _LEAST_NEAR, _LIKE_BACKGROUND = 8.0, 0.01, 30.0


class SkinToneCorrection(AppearanceStep):
    """Limits how far patches of filled skin stray in colour from the skin that is seen.

    Brightness stays.
    """

    name = "skin tone"

    def __call__(self, fill: Fill, context: FaceContext) -> Fill:
        """Correct the chroma of the fill; see `AppearanceStep`."""
        tone, face = context.skin_tone, context.face
        weight = face.window.show(LOWER_FACE)
        box = padded_bounding_box(face.hole & (weight > 0.01), _MARGIN_PX)
        if tone is None or tone[1] - tone[2] < _COLOURLESS or box is None:
            return fill
        ycc = to_ycc(fill.rgb)[box]
        background = _background(fill.rgb[box], ycc, face.known[box], tone)
        corrected = _corrected(ycc, face.hole[box], weight[box] * (1 - background), tone)
        if corrected is None:
            return fill
        out = fill.rgb.copy()
        hole = face.hole[box].view(np.uint8)
        cv2.copyTo(cv2.cvtColor(corrected, cv2.COLOR_YCrCb2RGB), hole, out[box])
        return replace(fill, rgb=out)


def _background(
    filled_rgb: NDArray[np.uint8],
    ycc: NDArray[np.uint8],
    known: NDArray[np.bool_],
    tone: NDArray[np.float64],
) -> NDArray[np.float32]:
    """How much each place is like what is seen near it and is no skin: float32 [h, w], 0..1."""
    seen = known & ~has_tone(ycc, tone)
    usual, share = local_mean_half_size(filled_rgb, seen, _NEAR_SIGMA_PX)
    alike = (share > _LEAST_NEAR) & (colour_distance_3x3(filled_rgb, usual) < _LIKE_BACKGROUND)
    return np.asarray(cv2.blur(alike.astype(np.float32), (3, 3)), np.float32)


def _corrected(
    ycc: NDArray[np.uint8],
    hole: NDArray[np.bool_],
    face: NDArray[np.float32],
    tone: NDArray[np.float64],
) -> NDArray[np.uint8] | None:
    """Correct a part of the crop, uint8 [h, w, 3]; None where no patch strays."""
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

"""Sharpens the contour of a filled face: a network that is unsure where it runs fades to the background."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from realtime.align.face_regions import BESIDE_FACE
from realtime.frames import FaceContext, Fill
from realtime.imaging.colour_distance import local_mean
from realtime.imaging.mask_regions import components_with, padded_bounding_box
from realtime.imaging.skin import has_tone, to_ycc
from realtime.inpaint.appearance import AppearanceStep

# Sigmas of the Gaussians that average the background near a pixel, else further off, and the skin.
_NEAR_PX, _FAR_PX, _SKIN_PX = 8.0, 20.0, 6.0
_LEAST_SHARE = 0.01  # of marked pixels in such an average
_WEIGHTS = np.array(
    [0.04, 1.0, 1.0], np.float32
)  # of luma, Cr and Cb, squared: skin has its shades
_APART = 12.0  # levels, so weighted: colours closer than that have no contour between them
_MIXED = 30.0  # levels by which a fading pixel may stray from a mixture of both colours
_PLAIN = 6.0  # levels: a background whose luma deviates less is shown as it is
_STEEPER = 2.5  # the slope of the sharpened contour over the slope before
_BESIDE = cv2.getStructuringElement(
    cv2.MORPH_ELLIPSE, (17, 17)
)  # reach of a contour from background
_SOFT_PX, _FAINT = 1.5, 0.01  # sigma of the soft selection; a weight below which nothing is drawn


class _Near(NamedTuple):
    """Some pixels near each pixel: mean colour [h, w, 3], deviation of luma [h, w], share [h, w]."""

    colour: NDArray[np.float32]
    deviation: NDArray[np.float32]
    share: NDArray[np.float32]

    def or_else(self, colour: ArrayLike, deviation: ArrayLike, share: ArrayLike) -> _Near:
        """Take others where there is none of them near."""
        there = self.share > _LEAST_SHARE
        return _Near(
            np.where(there[..., None], self.colour, colour).astype(np.float32),
            np.where(there, self.deviation, deviation).astype(np.float32),
            np.maximum(self.share, share).astype(np.float32),
        )


class ContourSharpening(AppearanceStep):
    """Steepens the contour where filled skin fades to the background that is seen beside it."""

    name = "contour"

    def __call__(self, fill: Fill, context: FaceContext) -> Fill:
        """Sharpen the contour of the fill; see `AppearanceStep`."""
        face, tone = context.face, context.skin_tone
        box = padded_bounding_box(face.hole, _BESIDE.shape[0])
        if tone is None or box is None:
            return fill
        ycc = to_ycc(fill.rgb)
        skin_like = has_tone(ycc, tone)
        behind = face.known & ~skin_like & face.window.show(BESIDE_FACE)
        if not behind[box].any():
            return fill
        near, far, skin = (
            _near(ycc, where, sigma, box)
            for where, sigma in ((behind, _NEAR_PX), (behind, _FAR_PX), (skin_like, _SKIN_PX))
        )
        background = near.or_else(*far)
        skin = skin.or_else(tone, 0.0, 1.0)
        changed, at = _steepened(ycc[box], face.hole[box], behind[box], skin, background)
        out = fill.rgb.copy()
        cv2.copyTo(cv2.cvtColor(changed, cv2.COLOR_YCrCb2RGB), at.view(np.uint8), out[box])
        return replace(fill, rgb=out)


def _near(
    ycc: NDArray[np.uint8], where: NDArray[np.bool_], sigma_px: float, box: tuple[slice, slice]
) -> _Near:
    """Average the marked pixels, at half the size; cut out the box."""
    half = ycc[::2, ::2].astype(np.float32)
    squares = np.dstack([half, half[..., 0] ** 2])
    mean, share = local_mean(squares, where[::2, ::2], sigma_px / 2)
    deviation = np.sqrt(np.maximum(mean[..., 3] - mean[..., 0] ** 2, 0))
    whole = cv2.resize(np.dstack([mean[..., :3], deviation, share]), where.shape[::-1])[box]
    return _Near(whole[..., :3], whole[..., 3], whole[..., 4])


def _steepened(
    ycc: NDArray[np.uint8],
    hole: NDArray[np.bool_],
    behind: NDArray[np.bool_],
    skin: _Near,
    background: _Near,
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Do it for a part of the crop, luma, Cr and Cb, uint8 [h, w, 3]; say where, bool [h, w]."""
    fill, across = ycc.astype(np.float32), skin.colour - background.colour
    apart = (across * across) @ _WEIGHTS
    share = ((fill - background.colour) * across) @ _WEIGHTS / np.maximum(apart, 1)
    share = _softened(np.clip(share, 0, 1))  # how much of each pixel is skin
    mixed = background.colour + share[..., None] * across
    stray = cv2.split(cv2.absdiff(mixed, fill))
    clear = (hole | behind) & (background.share > _LEAST_SHARE)
    clear &= apart > np.maximum(background.deviation, _APART) ** 2
    clear &= cv2.max(cv2.max(*stray[:2]), stray[2]) < _MIXED
    shown = components_with(behind, behind | (clear & (share < 0.5)))
    beside = cv2.dilate(shown.view(np.uint8), _BESIDE) > 0
    weight = _softened(_softened(clear & beside))
    at = hole & (weight > _FAINT)
    out = ycc.copy()
    out[at] = _drawn(
        fill[at],
        share[at, None],
        weight[at, None],
        skin.colour[at],
        background.colour[at],
        background.deviation[at, None],
    )
    return out, at


def _drawn(
    fill: NDArray[np.float32],
    share: NDArray[np.float32],
    weight: NDArray[np.float32],
    skin: NDArray[np.float32],
    background: NDArray[np.float32],
    deviation: NDArray[np.float32],
) -> NDArray[np.uint8]:
    """Draw pixels [n, 3] of which a share [n, 1] is skin and the rest background, steeper by `weight`."""
    steeper = np.clip((share - 0.5) * _STEEPER + 0.5, 0, 1)
    change = (steeper - share) * weight
    towards = np.where(change > 0, skin, background)
    out = fill + change * (skin - background)
    out = np.clip(out, np.minimum(fill, towards), np.maximum(fill, towards))
    plain = weight * (1 - steeper) * np.clip(_PLAIN - deviation, 0, 1)
    return np.rint(out + plain * (background - out)).astype(np.uint8)


def _softened(where: NDArray) -> NDArray[np.float32]:
    return np.asarray(cv2.GaussianBlur(where.astype(np.float32), (0, 0), _SOFT_PX), np.float32)

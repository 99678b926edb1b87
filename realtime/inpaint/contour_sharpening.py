"""Draws the outline of a filled face crisply: unsure where it runs, a network fades to the background."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from realtime.align.canonical_crop import CROP_SIZE, EYE_LINE_Y
from realtime.align.crop_window import CANONICAL, in_crop
from realtime.imaging.colour_distance import local_mean
from realtime.imaging.mask_regions import connected_to, padded_box
from realtime.inpaint.skin import of_tone, skin_tone

# Of Gaussians: where the background's colour is taken from, or else, and where the skin's.
_NEAR_PX, _FAR_PX, _SKIN_PX = 8.0, 20.0, 6.0
_LEAST_SHARE = 0.01
_WEIGHTS = np.array(
    [0.04, 1.0, 1.0], np.float32
)  # of luma, Cr and Cb, squared: skin has its shades
_APART = 12.0  # so weighed: colours closer than that have no outline between them
_MIXED = 30.0  # levels by which what fades may stray from a mixture of both colours
_PLAIN = 6.0  # levels: a background whose luma deviates less is shown as it is
_STEEPER = 2.5
_BESIDE = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (17, 17))  # an outline is no further from it
_SOFT_PX, _FAINT = 1.5, 0.01
# Eyes, brows and lips are darker than skin too, but no background.
_FACE_CENTRE, _FACE_AXES = (64, 70), (25, 30)


def _make_outside() -> NDArray[np.bool_]:
    outside = np.ones((CROP_SIZE, CROP_SIZE), np.uint8)
    outside[: int(EYE_LINE_Y)] = 0
    cv2.ellipse(outside, _FACE_CENTRE, _FACE_AXES, 0, 0, 360, 0, -1)
    return outside > 0


_OUTSIDE = _make_outside()


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


def sharpen_contour(
    filled_rgb: NDArray[np.uint8],
    hole: NDArray[np.bool_],
    known: NDArray[np.bool_],
    framing: NDArray[np.float64] = CANONICAL,
) -> NDArray[np.uint8]:
    """Steepen what fades from filled skin to the background seen beside it, along where it is half each.

    Args:
        filled_rgb: uint8 [128, 128, 3], composited.
        hole: bool [128, 128], the filled pixels.
        known: bool [128, 128], true pixels of the photograph (never inside the hole).
        framing: float64 [2, 3], canonical crop pixels to those of this crop.

    Returns:
        uint8 [128, 128, 3]; equal to `filled_rgb` outside the hole.
    """
    ycc = np.asarray(cv2.cvtColor(filled_rgb, cv2.COLOR_RGB2YCrCb), dtype=np.uint8)
    tone, box = skin_tone(ycc, known, framing), padded_box(hole, _BESIDE.shape[0])
    if tone is None or box is None:
        return filled_rgb
    like = of_tone(ycc, tone)
    behind = known & ~like & in_crop(_OUTSIDE, framing)
    if not behind[box].any():
        return filled_rgb
    near, far, skin = (
        _near(ycc, where, sigma, box)
        for where, sigma in ((behind, _NEAR_PX), (behind, _FAR_PX), (like, _SKIN_PX))
    )
    background = near.or_else(*far)
    skin = skin.or_else(tone, 0.0, 1.0)
    changed, at = _steepened(ycc[box], hole[box], behind[box], skin, background)
    out = filled_rgb.copy()
    cv2.copyTo(cv2.cvtColor(changed, cv2.COLOR_YCrCb2RGB), at.view(np.uint8), out[box])
    return out


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
    shown = connected_to(behind, behind | (clear & (share < 0.5)))
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

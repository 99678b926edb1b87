"""Unsharp mask: sharpens a fill by what it lacks against the known part of its face, without halos."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.frames import FaceContext, Fill
from realtime.imaging.mask_regions import eroded, padded_bounding_box
from realtime.inpaint.appearance import AppearanceStep

_UPPER_FACE = slice(24, 84), slice(26, 102)  # rows and columns of the crop
_LOWER_FACE = slice(60, 118), slice(26, 102)
# Mean fine contrast of the lower face over the upper face: 0.87 in held-out bare faces (0.65 to 1.15).
_NATURAL_SHARE = 0.85
_CONTRAST_SIGMA_PX = 1.25  # of the blur whose residual is fine contrast
# Of the unsharp mask; of the blur against noise before it.
_SHARPEN_SIGMA_PX, _CALM_SIGMA_PX = 1.5, 0.4
_MOST, _FAINT = 0.6, 1.0  # largest amount: more gives contours corners; levels of noise left out
_LEAST_SEEN_PX = 400  # pixels of either half of the face that must be seen
_MARGIN_PX = 6


class UnsharpMask(AppearanceStep):
    """Sharpens a fill until lower and upper face relate as in bare faces.

    The result stays between the darkest and the brightest neighbour: edges become steeper, and nothing
    overshoots. A fill as sharp as its face is left as it is.
    """

    name = "unsharp mask"

    def __call__(self, fill: Fill, context: FaceContext) -> Fill:
        """Sharpen the fill; see `AppearanceStep`."""
        hole = context.face.hole
        amount, box = (
            _lacking(fill.rgb, hole, context.face.known),
            padded_bounding_box(hole, _MARGIN_PX),
        )
        if amount <= 0 or box is None:
            return fill
        calm = cv2.GaussianBlur(fill.rgb[box].astype(np.float32), (0, 0), _CALM_SIGMA_PX)
        kernel = cv2.getStructuringElement(cv2.MORPH_RECT, (3, 3))
        darkest, brightest = cv2.erode(calm, kernel), cv2.dilate(calm, kernel)
        fine = calm - cv2.GaussianBlur(calm, (0, 0), _SHARPEN_SIGMA_PX)
        fine -= np.clip(fine, -_FAINT, _FAINT)  # faint steps are the generator's noise
        sharp = np.clip(calm + np.float32(amount) * fine, darkest, brightest)
        out = fill.rgb.copy()
        cv2.copyTo(np.rint(sharp).astype(np.uint8), hole[box].view(np.uint8), out[box])
        return replace(fill, rgb=out)


def _lacking(
    filled_rgb: NDArray[np.uint8], hole: NDArray[np.bool_], known: NDArray[np.bool_]
) -> float:
    """The share of fine contrast to add, so that lower and upper face relate as in bare faces."""
    seen, filled = eroded(known, 1)[_UPPER_FACE], eroded(hole, 3)[_LOWER_FACE]
    if min(np.count_nonzero(seen), np.count_nonzero(filled)) < _LEAST_SEEN_PX:
        return 0.0
    luma = cv2.cvtColor(filled_rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)
    fine = np.abs(luma - cv2.GaussianBlur(luma, (0, 0), _CONTRAST_SIGMA_PX))
    share = fine[_LOWER_FACE][filled].mean() / max(float(fine[_UPPER_FACE][seen].mean()), 1e-3)
    return float(np.clip(_NATURAL_SHARE / max(float(share), 1e-3) - 1, 0, _MOST))

"""Unsharp mask: sharpens a fill until its contrast fits the known part of its face, without halos."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.frames import Fill, SegmentedFace
from realtime.imaging.mask_regions import eroded, padded_bounding_box
from realtime.inpaint.appearance import FillStep
from realtime.settings import COMPOSITE

_UPPER_FACE = slice(24, 84), slice(26, 102)  # rows and columns of the crop
_LOWER_FACE = slice(60, 118), slice(26, 102)  # the same
_CONTRAST_SIGMA_PX = 1.25  # of the blur whose residual is fine contrast, crop px
_SHARPEN_SIGMA_PX = 1.5  # of the unsharp mask's blur, crop px
_DENOISE_SIGMA_PX = 0.4  # of the blur against noise before it, crop px
_MARGIN_PX = 6  # of the crop round the hole that is worked on, crop px


class UnsharpMask(FillStep):
    """Sharpens a fill until lower and upper face have the contrast ratio of bare faces.

    The result stays between the darkest and the brightest neighbour: edges become steeper, and nothing
    overshoots. A fill as sharp as its face is left as it is.
    """

    name = "unsharp mask"

    def __call__(self, fill: Fill, face: SegmentedFace) -> Fill:
        """Sharpen the fill; see `FillStep`."""
        hole = face.hole
        amount = _amount(fill.rgb, hole, face.known)
        box = padded_bounding_box(hole, _MARGIN_PX)
        if amount <= 0 or box is None:
            return fill
        denoised = cv2.GaussianBlur(fill.rgb[box].astype(np.float32), (0, 0), _DENOISE_SIGMA_PX)
        kernel = cv2.getStructuringElement(cv2.MORPH_RECT, (3, 3))
        darkest, brightest = cv2.erode(denoised, kernel), cv2.dilate(denoised, kernel)
        fine = denoised - cv2.GaussianBlur(denoised, (0, 0), _SHARPEN_SIGMA_PX)
        fine -= np.clip(fine, -COMPOSITE.noise_levels, COMPOSITE.noise_levels)
        sharp = np.clip(denoised + np.float32(amount) * fine, darkest, brightest)
        out = fill.rgb.copy()
        cv2.copyTo(np.rint(sharp).astype(np.uint8), hole[box].view(np.uint8), out[box])
        return replace(fill, rgb=out)


def _amount(
    filled_rgb: NDArray[np.uint8], hole: NDArray[np.bool_], known: NDArray[np.bool_]
) -> float:
    """The amount of the unsharp mask that gives lower and upper face the contrast ratio of bare faces."""
    seen, filled = eroded(known, 1)[_UPPER_FACE], eroded(hole, 3)[_LOWER_FACE]
    if min(np.count_nonzero(seen), np.count_nonzero(filled)) < COMPOSITE.least_contrast_px:
        return 0.0
    luma = cv2.cvtColor(filled_rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)
    fine = np.abs(luma - cv2.GaussianBlur(luma, (0, 0), _CONTRAST_SIGMA_PX))
    share = fine[_LOWER_FACE][filled].mean() / max(float(fine[_UPPER_FACE][seen].mean()), 1e-3)
    amount = COMPOSITE.natural_contrast / max(float(share), 1e-3) - 1
    return float(np.clip(amount, 0, COMPOSITE.most_sharpening))

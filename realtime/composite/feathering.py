"""Draws the opacity of a fill: full on the mask, falling off to the hole's rim."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.imaging.colour_distance import colour_distance_3x3, local_mean_half_size
from realtime.imaging.mask_regions import padded_bounding_box, without_thin_parts

# How far from the mask the fill is seen at most, crop pixels: usually, and where a fringe surely shows.
_REVEALED_PX, _FRINGE_PX = 2.0, 3.5
_ALIKE, _UNLIKE = 12.0, 36.0  # levels between crop and fill: not seen, surely seen
_MARGIN_PX = 12  # of the crop round the hole
_RING_SIGMA_PX = 3.0  # of the Gaussian that averages what is beyond the hole
_BESIDE = np.ones((3, 3), np.uint8)
_BESIDE_LOOPS = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))


def feather(
    mask: NDArray[np.bool_],
    hole: NDArray[np.bool_],
    crop_rgb: NDArray[np.uint8],
    filled_rgb: NDArray[np.uint8],
) -> NDArray[np.float32]:
    """Opacity of the fill: 1 on the mask, and round it only where the picture is not as the fill is.

    Beside the mask the fill falls off to the hole's rim. Where crop and fill agree there, on skin, the
    crop stays; where they do not, the mask's fringe or its shadow still shows and is covered, further
    out where the crop is not as it is beyond the hole either.

    Args:
        mask: bool [128, 128], mask pixels.
        hole: bool [128, 128], the mask widened.
        crop_rgb: uint8 [128, 128, 3], before filling.
        filled_rgb: uint8 [128, 128, 3], filled in the whole hole.

    Returns:
        float32 [128, 128], 0..1, 0 outside the hole.
    """
    opacity, box = np.zeros(hole.shape, np.float32), padded_bounding_box(hole, _MARGIN_PX)
    if box is not None:
        opacity[box] = _opacity(mask[box], hole[box], crop_rgb[box], filled_rgb[box])
    return opacity


def _opacity(
    mask: NDArray[np.bool_],
    hole: NDArray[np.bool_],
    crop_rgb: NDArray[np.uint8],
    filled_rgb: NDArray[np.uint8],
) -> NDArray[np.float32]:
    """Do it for a part of the crop, [h, w]."""
    to_mask = cv2.distanceTransform((~mask).view(np.uint8), cv2.DIST_L2, 5)
    unlike = colour_distance_3x3(crop_rgb, filled_rgb)
    beyond, _ = local_mean_half_size(crop_rgb, ~hole, _RING_SIGMA_PX)
    odd = np.minimum(unlike, colour_distance_3x3(crop_rgb, beyond))
    reach = _REVEALED_PX + (_FRINGE_PX - _REVEALED_PX) * np.clip(odd / _UNLIKE - 1, 0, 1)
    ramp = np.clip(reach - to_mask, 0, 1)
    needed = np.clip((unlike - _ALIKE) / (_UNLIKE - _ALIKE), 0, 1)
    needed[mask] = 1
    needed[_beside_loops(mask)] = 1
    return np.asarray(ramp * ramp * (3 - 2 * ramp) * needed * hole, dtype=np.float32)


def _beside_loops(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Mark the mask's thin parts and two pixels round them, bool [h, w]: their light falls there too."""
    loops = cv2.subtract(mask.view(np.uint8), cv2.dilate(without_thin_parts(mask), _BESIDE))
    return cv2.dilate(loops, _BESIDE_LOOPS) > 0

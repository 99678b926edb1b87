"""Adds to the mask the pixels beside it that have its colour: edges, knots and prints that were missed."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.imaging.colour_distance import colour_distance, local_mean_half_size
from realtime.imaging.mask_regions import components_with, padded_bounding_box
from realtime.settings import SEGMENT

_SHELL_PX = 6  # depth of the mask's outer pixels whose colour is taken, crop px
_BEYOND_PX = 6  # distance from the mask from which the other colour is taken, crop px
_SIGMA_PX = 3.0  # of the Gaussian for the local means of both colours, crop px
_LEAST_WEIGHT = 0.01  # share of pixels under that Gaussian from which a mean counts
_MARGIN_PX = 12  # of the crop round the mask that is worked on, crop px


def grow_mask(mask: NDArray[np.bool_], crop_rgb: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Grow a mask by the pixels beside it that are nearer to its colour than to the colour beyond.

    Both colours are local means: of the mask's outer pixels, and of the pixels a little away from it.
    Where the two colours are alike nothing is added.

    Args:
        mask: bool [128, 128].
        crop_rgb: uint8 [128, 128, 3].

    Returns:
        bool [128, 128], `mask` and the added pixels, which are connected to it.
    """
    box = padded_bounding_box(mask, _MARGIN_PX)
    if box is None:
        return mask
    out = mask.copy()
    out[box] = _grown(mask[box], crop_rgb[box])
    return out


def _grown(mask: NDArray[np.bool_], crop_rgb: NDArray[np.uint8]) -> NDArray[np.bool_]:
    outside_px = cv2.distanceTransform((~mask).view(np.uint8), cv2.DIST_L2, 3)
    inside_px = cv2.distanceTransform(mask.view(np.uint8), cv2.DIST_L2, 3)
    band = (outside_px > 0) & (outside_px <= SEGMENT.grown_px)
    beyond = outside_px > _BEYOND_PX
    # What lies beyond shines into the outermost pixels.
    shell = (inside_px > 1) & (inside_px <= _SHELL_PX)
    mask_colour, mask_weight = local_mean_half_size(crop_rgb, shell, _SIGMA_PX)
    other_colour, other_weight = local_mean_half_size(crop_rgb, beyond, _SIGMA_PX)
    known = (mask_weight > _LEAST_WEIGHT) & (other_weight > _LEAST_WEIGHT)
    contrast = colour_distance(mask_colour, other_colour)
    from_mask = colour_distance(crop_rgb, mask_colour)
    from_other = colour_distance(crop_rgb, other_colour)
    added = band & known & (contrast > SEGMENT.grown_contrast_levels)
    added &= from_mask < SEGMENT.grown_nearness * from_other
    return components_with(mask, added | mask)

"""Takes into the mask what lies beside it in its own colours: rims, knots and prints that were missed."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.imaging.colour_distance import colour_distance, local_mean_half_size
from realtime.imaging.mask_regions import components_with, padded_bounding_box

_FURTHEST_PX, _SHELL_PX = 5, 5  # how far beside the mask to look, and how deep in it is its colour
_SIGMA_PX, _SEEN = 3.0, 0.01
_APART = 40.0  # levels by which the mask must differ from what lies beyond
_NEARER = 0.6  # a pixel counts as mask where it is so much nearer to the mask's colour
_MARGIN_PX = 12


def grow_mask(mask: NDArray[np.bool_], crop_rgb: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Widen a mask by the pixels beside it that have its colour there, and not that of what lies beyond.

    Both colours are local means: of the mask's outermost pixels, and of those a little away from it.
    Where they are alike nothing is added.

    Args:
        mask: bool [128, 128].
        crop_rgb: uint8 [128, 128, 3].

    Returns:
        bool [128, 128], all of `mask` and what hangs on to it.
    """
    box = padded_bounding_box(mask, _MARGIN_PX)
    if box is None:
        return mask
    out = mask.copy()
    out[box] = _widened(mask[box], crop_rgb[box])
    return out


def _widened(mask: NDArray[np.bool_], crop_rgb: NDArray[np.uint8]) -> NDArray[np.bool_]:
    off = cv2.distanceTransform((~mask).view(np.uint8), cv2.DIST_L2, 3)
    deep = cv2.distanceTransform(mask.view(np.uint8), cv2.DIST_L2, 3)
    band, beyond = (off > 0) & (off <= _FURTHEST_PX), off > _FURTHEST_PX + 1
    shell = (deep > 1) & (deep <= _SHELL_PX + 1)
    own, owned = local_mean_half_size(crop_rgb, shell, _SIGMA_PX)
    other, seen = local_mean_half_size(crop_rgb, beyond, _SIGMA_PX)
    may_be = band & (owned > _SEEN) & (seen > _SEEN) & (colour_distance(own, other) > _APART)
    found = may_be & (colour_distance(crop_rgb, own) < _NEARER * colour_distance(crop_rgb, other))
    return components_with(mask, found | mask)

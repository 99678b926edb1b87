"""Feathering: the opacity of a fill, full on the mask and falling off to the hole's edge."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.imaging.colour_distance import colour_distance_3x3, local_mean_half_size
from realtime.imaging.mask_regions import padded_bounding_box, without_thin_parts
from realtime.settings import COMPOSITE

_MARGIN_PX = 12  # of the crop round the hole that is worked on, crop px
_RING_SIGMA_PX = 3.0  # of the Gaussian that averages the colour beyond the hole, crop px
# Dilates the wide parts by one crop px, so that their edge is no loop.
_ONE_PX = np.ones((3, 3), np.uint8)
# Dilates the loops by two crop px.
_LOOP_PX = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))


def feather(
    mask: NDArray[np.bool_],
    hole: NDArray[np.bool_],
    crop_rgb: NDArray[np.uint8],
    filled_rgb: NDArray[np.uint8],
) -> NDArray[np.float32]:
    """Opacity of the fill: 1 on the mask, and beside it only where the crop differs from the fill.

    Beside the mask the opacity falls off to the hole's edge. Where crop and fill agree, on skin, the crop
    stays. Where they differ, the mask's fringe or shadow still shows there and is covered, farther out
    where the crop also differs from its colour beyond the hole.

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
    """`feather` for a part of the crop, [h, w]."""
    to_mask_px = cv2.distanceTransform((~mask).view(np.uint8), cv2.DIST_L2, 5)
    unlike = colour_distance_3x3(crop_rgb, filled_rgb)
    beyond, _ = local_mean_half_size(crop_rgb, ~hole, _RING_SIGMA_PX)
    foreign = np.minimum(unlike, colour_distance_3x3(crop_rgb, beyond))
    fringe = np.clip(foreign / COMPOSITE.unlike_levels - 1, 0, 1)
    reach_px = COMPOSITE.feather_px + (COMPOSITE.fringe_px - COMPOSITE.feather_px) * fringe
    ramp = np.clip(reach_px - to_mask_px, 0, 1)
    alike, surely = COMPOSITE.alike_levels, COMPOSITE.unlike_levels
    needed = np.clip((unlike - alike) / (surely - alike), 0, 1)
    needed[mask] = 1
    needed[_near_loops(mask)] = 1
    return np.asarray(ramp * ramp * (3 - 2 * ramp) * needed * hole, dtype=np.float32)


def _near_loops(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Mark the mask's thin parts and two pixels round them, bool [h, w]: their blur reaches so far."""
    loops = cv2.subtract(mask.view(np.uint8), cv2.dilate(without_thin_parts(mask), _ONE_PX))
    return cv2.dilate(loops, _LOOP_PX) > 0

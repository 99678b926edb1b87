"""Feathering: the opacity of a fill, full in the hole and falling off at the hole's edge."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.settings import COMPOSITE


def feather(hole: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return the opacity of a fill: smooth from 0 outside the hole to 1 within `feather_px`.

    The hole is wider than the mask by the mask's edge and its shadow. A fill that covers less leaves an
    outline of the mask.

    Args:
        hole: bool [128, 128].

    Returns:
        float32 [128, 128], 0..1.
    """
    to_edge_px = cv2.distanceTransform(hole.view(np.uint8), cv2.DIST_L2, 5)
    ramp = np.clip(to_edge_px / COMPOSITE.feather_px, 0, 1)
    return np.asarray(ramp * ramp * (3 - 2 * ramp), np.float32)

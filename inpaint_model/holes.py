"""What each pixel of a hole says: keep it, fill it, or fill it with what lies beside the face."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

BESIDE_FACE = 2
"""A pixel to fill that is known to lie beside the face. 0 is kept; any other number is filled."""


def mark_beside_face(hole: NDArray[np.bool_], silhouette: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Mark the pixels of a hole that lie outside a face's silhouette.

    Args:
        hole: bool [..., 128, 128], where to fill.
        silhouette: bool of that shape, the face's pixels.

    Returns:
        uint8 of that shape: 0 outside the hole, 1 inside it, `BESIDE_FACE` beside the face.
    """
    return np.where(silhouette, np.uint8(1), np.uint8(BESIDE_FACE)) * hole.view(np.uint8)

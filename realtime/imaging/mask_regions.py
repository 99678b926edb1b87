"""Mask regions: padded bounding box, morphological opening, components connected to confident pixels."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

# Wider than ear loops, crop px: the opening removes them.
_OPENING_PX = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (9, 9))


def padded_bounding_box(mask: NDArray[np.bool_], margin_px: int) -> tuple[slice, slice] | None:
    """The bounding box of a mask, bool [h, w], with a margin, as rows and columns; None if it is empty."""
    x, y, width, height = cv2.boundingRect(mask.view(np.uint8))
    if not width:
        return None
    rows = slice(max(y - margin_px, 0), min(y + height + margin_px, mask.shape[0]))
    return rows, slice(max(x - margin_px, 0), min(x + width + margin_px, mask.shape[1]))


def without_thin_parts(mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Remove ear loops and other thin parts of a mask, bool [h, w], by opening; uint8 [h, w], 0 or 1."""
    opened = cv2.morphologyEx(mask.view(np.uint8), cv2.MORPH_OPEN, _OPENING_PX)
    return np.asarray(opened, dtype=np.uint8)


def components_with(
    sure: NDArray[np.bool_], candidates: NDArray[np.bool_], least_px: float = 1
) -> NDArray[np.bool_]:
    """Keep the connected components that hold enough sure pixels (hysteresis thresholding).

    Args:
        sure, candidates: bool [h, w].
        least_px: a component of `candidates` must hold this many pixels of `sure`.

    Returns:
        bool [h, w].
    """
    count, labels = cv2.connectedComponents(candidates.view(np.uint8), connectivity=8)
    keep = np.bincount(labels[sure], minlength=count) >= least_px
    keep[0] = False
    return keep[labels]


def dilated(region: NDArray[np.bool_], radius_px: int) -> NDArray[np.bool_]:
    """Dilate a region, bool [h, w], by a disc."""
    return cv2.dilate(region.view(np.uint8), _disc(radius_px)) > 0


def eroded(region: NDArray[np.bool_], radius_px: int) -> NDArray[np.bool_]:
    """Erode a region, bool [h, w], by a disc; the border of the crop does not erode it."""
    return cv2.erode(region.view(np.uint8), _disc(radius_px)) > 0


def _disc(radius_px: int) -> NDArray[np.uint8]:
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius_px + 1,) * 2)
    return np.asarray(disc, np.uint8)

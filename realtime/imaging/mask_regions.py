"""Parts of a mask: its box, its body without what is thin, what hangs on to what is sure."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

_WIDER_THAN_LOOPS = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (9, 9))


def padded_box(mask: NDArray[np.bool_], margin_px: int) -> tuple[slice, slice] | None:
    """The rows and columns of a mask, bool [h, w], with room round it; None where there is none."""
    x, y, width, height = cv2.boundingRect(mask.view(np.uint8))
    if not width:
        return None
    rows = slice(max(y - margin_px, 0), min(y + height + margin_px, mask.shape[0]))
    return rows, slice(max(x - margin_px, 0), min(x + width + margin_px, mask.shape[1]))


def body_of(mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """A mask, bool [h, w], without ear loops and other thin parts; uint8 [h, w], 0 or 1."""
    opened = cv2.morphologyEx(mask.view(np.uint8), cv2.MORPH_OPEN, _WIDER_THAN_LOOPS)
    return np.asarray(opened, dtype=np.uint8)


def connected_to(
    sure: NDArray[np.bool_], parts: NDArray[np.bool_], least_px: float = 1
) -> NDArray[np.bool_]:
    """Keep the connected parts that hold enough sure pixels.

    Args:
        sure, parts: bool [h, w].
        least_px: so many of `sure` a part must hold.

    Returns:
        bool [h, w].
    """
    count, labels = cv2.connectedComponents(parts.view(np.uint8), connectivity=8)
    keep = np.bincount(labels[sure], minlength=count) >= least_px
    keep[0] = False
    return keep[labels]


def eroded(where: NDArray[np.bool_], radius_px: int) -> NDArray[np.bool_]:
    """Shrink a marked area, bool [h, w]; what lies outside the crop does not shrink it."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius_px + 1,) * 2)
    return cv2.erode(where.view(np.uint8), kernel) > 0

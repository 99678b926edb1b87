"""The badge: a label in the picture that says that a face in it is synthetic."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from realtime.imaging.text import LabelStyle, paste, render_label

_TEXT = "synthetic face"
_SHARE = 1 / 32  # font size as a share of the picture's shorter side
_MIN_TEXT_PX = 9


def badge_text_px(image_bgr: NDArray[np.uint8]) -> int:
    """Return the font's size for a picture, uint8 [H, W, 3], pixels."""
    return max(round(min(image_bgr.shape[:2]) * _SHARE), _MIN_TEXT_PX)


def paste_badge(image_bgr: NDArray[np.uint8], text_px: int | None = None) -> tuple[slice, slice]:
    """Draw the badge in the lower left corner.

    Args:
        image_bgr: uint8 [H, W, 3], BGR; it is changed.
        text_px: the font's size, pixels; that of `badge_text_px` where not given.

    Returns:
        The rows and columns that are changed.
    """
    text_px = badge_text_px(image_bgr) if text_px is None else text_px
    label, margin = render_label(((_TEXT,),), LabelStyle(text_px)), text_px // 2
    width, height = label.size
    top = max(image_bgr.shape[0] - height - margin, 0)
    paste(image_bgr, label, margin, top)
    return slice(top, top + height), slice(margin, margin + width)

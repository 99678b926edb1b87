"""Chooses the window of a face's crop: the one that shows the face largest and holds the whole mask."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from realtime.align.crop_window import CANONICAL, CropWindow, touched_sides
from realtime.settings import SEGMENT


@dataclass(frozen=True, eq=False)
class SegmentedCrop:
    """A face's crop in one window, segmented.

    Attributes:
        window: which part of the face's surroundings the crop shows.
        crop_rgb: uint8 [128, 128, 3], RGB.
        valid: bool [128, 128], which crop pixels lie inside the picture.
        probability: float32 [128, 128], mask probability, 0..1.
        mask: bool [128, 128], mask pixels.
        shows_mask: whether this crop shows a worn mask.
    """

    window: CropWindow
    crop_rgb: NDArray[np.uint8]
    valid: NDArray[np.bool_]
    probability: NDArray[np.float32]
    mask: NDArray[np.bool_]
    shows_mask: bool

    @property
    def cut_sides(self) -> tuple[bool, bool, bool]:
        """Which sides of the crop cut the mask off: left, right and lower side."""
        return touched_sides(self.mask, self.valid, loops=self.window == CANONICAL)

    @property
    def mask_area_px(self) -> float:
        """Area of the mask inside the picture, canonical crop px."""
        return np.count_nonzero(self.mask & self.valid) / self.window.scale**2

    @property
    def holds_mask(self) -> bool:
        """Whether a worn mask lies inside the crop as a whole."""
        return self.shows_mask and not any(self.cut_sides)


def fit_window(
    segment: Callable[[CropWindow], SegmentedCrop], window: CropWindow, *, closer: bool
) -> tuple[SegmentedCrop, bool]:
    """Choose the window of a face's crop, and segment the crop in it.

    The window is widened while it cuts a worn mask off. Then closer windows are tried: the canonical one,
    unless it was the first one or would hardly differ, and the closest one that has room for the mask as
    the wider window shows it. One of them is taken if it holds the mask.

    Args:
        segment: cuts out the crop of a window, and segments it.
        window: the window to begin with.
        closer: try closer windows although this window holds the mask.

    Returns:
        The crop, and whether a worn mask was seen in any window.
    """
    found = segment(window)
    if not found.shows_mask:
        return found, False
    while (wider := found.window.widened(found.cut_sides)) is not None:
        found = segment(wider)
    if any(found.cut_sides) or (found.window == window and not closer):
        return found, True
    if window != CANONICAL and not found.window.is_nearly_canonical:
        canonical = segment(CANONICAL)
        if canonical.holds_mask:
            return canonical, True
    closest = found.window.fitted(found.mask, found.valid)
    if closest is not None:
        fitted = segment(closest)
        least_px = SEGMENT.kept_area_share * found.mask_area_px
        if fitted.holds_mask and fitted.mask_area_px >= least_px:
            return fitted, True
    return found, True

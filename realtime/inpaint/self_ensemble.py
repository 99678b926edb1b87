"""Fills crops in several poses and takes the mean: what a network gets wrong differs from pose to pose."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.align.canonical_crop import CROP_SIZE

# Fills crops, uint8 [N, 128, 128, 3], in holes, bool [N, 128, 128]: `inpaint_model.Inpainter` and alike.
Fill = Callable[[NDArray[np.uint8], NDArray[np.bool_]], NDArray[np.uint8]]

_CENTRE = (CROP_SIZE - 1) / 2
_SHAPE = (CROP_SIZE, CROP_SIZE)
_TOUCHED = 8  # of 255; a pixel that holds so much of the hole is hole in a turned crop
# The mean is softer than one fill: fine detail is raised by so much, of what a blur of 1 px takes away.
_SHARPEN, _FINE_PX = 0.5, 1.0


@dataclass(frozen=True)
class Pose:
    """How a crop is shown to the network.

    Attributes:
        turned_deg: turned about its centre.
        mirrored: left and right exchanged, after that.
    """

    turned_deg: float = 0.0
    mirrored: bool = False

    def shown(
        self, crops: NDArray[np.uint8], holes: NDArray[np.bool_]
    ) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        """Bring crops and holes into this pose; what comes in from outside the crop is hole."""
        if self.turned_deg:
            crops = np.stack([_turned(crop, self.turned_deg) for crop in crops])
            holes = np.stack([_turned_hole(hole, self.turned_deg) for hole in holes])
        return (crops[:, :, ::-1], holes[:, :, ::-1]) if self.mirrored else (crops, holes)

    def back(self, filled: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Bring what was filled in this pose back."""
        filled = filled[:, :, ::-1] if self.mirrored else filled
        if not self.turned_deg:
            return filled
        return np.stack([_turned(one, -self.turned_deg) for one in filled])


# Each pose costs as much as one fill. More of them, and turned further, make outlines softer.
MIRRORED = (Pose(), Pose(mirrored=True))
THOROUGH = (*MIRRORED, Pose(-3.0), Pose(3.0, mirrored=True))


def self_ensemble(
    fill: Fill,
    crops: NDArray[np.uint8],
    holes: NDArray[np.bool_],
    poses: Sequence[Pose] = THOROUGH,
) -> NDArray[np.uint8]:
    """Fill crops in several poses, all in one batch, and return the mean, a little sharpened.

    Known as self-ensemble (Lim et al., "Enhanced deep residual networks", CVPRW 2017). Ragged outlines and
    blots, which come out differently in each pose, go; what all agree on stays.

    Args:
        fill: the generator.
        crops: uint8 [N, 128, 128, 3], RGB; not changed.
        holes: bool [N, 128, 128], True where to fill.
        poses: at least one; with one alone its fill is returned as it is.

    Returns:
        A new uint8 [N, 128, 128, 3], RGB; outside the holes equal to `crops`.
    """
    if len(crops) == 0:
        return np.empty_like(crops)
    shown = [pose.shown(crops, holes) for pose in poses]
    together = np.concatenate([seen for seen, _ in shown])
    filled = fill(together, np.concatenate([hole for _, hole in shown]))
    each = [pose.back(part) for pose, part in zip(poses, np.split(filled, len(poses)), strict=True)]
    if len(each) == 1:
        return np.where(holes[..., None], each[0], crops)
    mean = np.asarray(np.mean(each, axis=0, dtype=np.float32))
    sharp = np.stack([_sharpened(one) for one in mean])
    return np.where(holes[..., None], np.rint(np.clip(sharp, 0, 255)).astype(np.uint8), crops)


def _sharpened(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    soft = cv2.GaussianBlur(picture, (0, 0), _FINE_PX)
    return np.asarray(cv2.addWeighted(picture, 1 + _SHARPEN, soft, -_SHARPEN, 0), np.float32)


def _turned(crop: NDArray[np.uint8], degrees: float) -> NDArray[np.uint8]:
    """Turn a crop; what comes in repeats its border."""
    way, border = cv2.INTER_CUBIC, cv2.BORDER_REPLICATE
    crop = np.ascontiguousarray(crop)
    turned = cv2.warpAffine(crop, _turn(degrees), _SHAPE, flags=way, borderMode=border)
    return np.asarray(turned, np.uint8)


def _turned_hole(hole: NDArray[np.bool_], degrees: float) -> NDArray[np.bool_]:
    """Turn a hole; what comes in is hole."""
    flags = hole.astype(np.uint8) * 255
    turned = cv2.warpAffine(flags, _turn(degrees), _SHAPE, borderValue=(255.0,))
    return np.asarray(turned) > _TOUCHED


def _turn(degrees: float) -> NDArray[np.float64]:
    return np.asarray(cv2.getRotationMatrix2D((_CENTRE, _CENTRE), degrees, 1.0), np.float64)

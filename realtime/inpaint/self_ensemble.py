"""Self-ensemble (test-time augmentation): the mean of several fills, whose errors average out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from inpaint_model.holes import BESIDE_FACE, mark_beside_face
from realtime.align.canonical_crop import CROP_SIZE

Generator = Callable[[NDArray[np.uint8], NDArray[np.uint8]], NDArray[np.uint8]]
"""Fills crops, uint8 [N, 128, 128, 3], in holes, uint8 [N, 128, 128] (`inpaint_model.holes`).

`inpaint_model.Inpainter` and the like.
"""

_CENTRE = 63.5  # of the crop, x and y in crop px
_SIZE = (CROP_SIZE, CROP_SIZE)
_HOLE_LEVEL = 8  # of 255: a pixel of a rotated hole mask above this belongs to the hole
# Averaging several fills blurs fine detail; this unsharp mask restores it.
_SHARPEN_AMOUNT, _SHARPEN_SIGMA_PX = 0.5, 1.0  # of the residual of a Gaussian blur; crop px


@dataclass(frozen=True)
class Augmentation:
    """How a crop is shown to the network.

    Attributes:
        rotation_deg: the crop is rotated about its centre.
        mirrored: left and right are exchanged after that.
    """

    rotation_deg: float = 0.0
    mirrored: bool = False

    def apply(
        self, crops: NDArray[np.uint8], holes: NDArray[np.uint8]
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Augment crops and holes; pixels from outside the crop belong to the hole."""
        if self.rotation_deg:
            crops = np.stack([_rotated(crop, self.rotation_deg) for crop in crops])
            holes = np.stack([_rotated_hole(hole, self.rotation_deg) for hole in holes])
        return (crops[:, :, ::-1], holes[:, :, ::-1]) if self.mirrored else (crops, holes)

    def undo(self, filled: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Invert the augmentation of filled crops, uint8 [N, 128, 128, 3]."""
        filled = filled[:, :, ::-1] if self.mirrored else filled
        if not self.rotation_deg:
            return filled
        return np.stack([_rotated(one, -self.rotation_deg) for one in filled])


# Each augmentation costs as much as one fill. More of them, or larger rotations, make contours softer.
ENSEMBLE_OF_2 = (Augmentation(), Augmentation(mirrored=True))
ENSEMBLE_OF_4 = (*ENSEMBLE_OF_2, Augmentation(-3.0), Augmentation(3.0, mirrored=True))


def self_ensemble(
    generator: Generator,
    crops: NDArray[np.uint8],
    holes: NDArray[np.uint8],
    augmentations: Sequence[Augmentation] = ENSEMBLE_OF_4,
) -> NDArray[np.uint8]:
    """Fill crops under several augmentations in one batch; return the mean after an unsharp mask.

    Source: Lim et al., "Enhanced deep residual networks", CVPRW 2017 (geometric self-ensemble).

    Args:
        generator: fills crops.
        crops: uint8 [N, 128, 128, 3], RGB; not changed.
        holes: uint8 [N, 128, 128], nonzero where to fill.
        augmentations: at least one; with a single one its fill is returned as it is.

    Returns:
        A new uint8 [N, 128, 128, 3], RGB; outside the holes equal to `crops`.
    """
    if len(crops) == 0:
        return np.empty_like(crops)
    augmented = [augmentation.apply(crops, holes) for augmentation in augmentations]
    batch = np.concatenate([some for some, _ in augmented])
    filled = generator(batch, np.concatenate([some for _, some in augmented]))
    parts = np.split(filled, len(augmentations))
    each = [one.undo(part) for one, part in zip(augmentations, parts, strict=True)]
    if len(each) == 1:
        return np.where(holes[..., None] != 0, each[0], crops)
    mean = np.asarray(np.mean(each, axis=0, dtype=np.float32))
    sharp = np.stack([_sharpened(one) for one in mean])
    return np.where(holes[..., None] != 0, np.rint(np.clip(sharp, 0, 255)).astype(np.uint8), crops)


def _sharpened(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    soft = cv2.GaussianBlur(picture, (0, 0), _SHARPEN_SIGMA_PX)
    return np.asarray(
        cv2.addWeighted(picture, 1 + _SHARPEN_AMOUNT, soft, -_SHARPEN_AMOUNT, 0), np.float32
    )


def _rotated(crop: NDArray[np.uint8], degrees: float) -> NDArray[np.uint8]:
    """Rotate a crop; its border pixels are repeated outside it."""
    way, border = cv2.INTER_CUBIC, cv2.BORDER_REPLICATE
    crop = np.ascontiguousarray(crop)
    rotated = cv2.warpAffine(crop, _rotation(degrees), _SIZE, flags=way, borderMode=border)
    return np.asarray(rotated, np.uint8)


def _rotated_hole(hole: NDArray[np.uint8], degrees: float) -> NDArray[np.uint8]:
    """Rotate a hole; pixels from outside the crop belong to the hole."""
    flags = np.stack([hole != 0, hole == BESIDE_FACE], -1) * np.uint8(255)
    rotated = cv2.warpAffine(flags, _rotation(degrees), _SIZE, borderValue=(255.0, 0.0))
    filled, beside = np.moveaxis(np.asarray(rotated), -1, 0)
    return mark_beside_face(filled > _HOLE_LEVEL, beside < 128)


def _rotation(degrees: float) -> NDArray[np.float64]:
    return np.asarray(cv2.getRotationMatrix2D((_CENTRE, _CENTRE), degrees, 1.0), np.float64)

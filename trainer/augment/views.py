"""Views of a face for training: as photographed, with the head rotated, or in a wider crop."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from realtime.align.affine import compose, scale_of
from realtime.align.canonical_crop import level_of, similarity_from_landmarks
from realtime.align.crop_window import MOST_ASIDE_PX, MOST_UP_PX, CropWindow
from realtime.detect.face_geometry import scaled_and_shifted
from trainer.augment.head_rotation import random_head_rotation
from trainer.data.face_set import FaceSet

# The product moves and widens a crop that would cut a mask off (`realtime.align.crop_window`). So does
# training: share of the faces, smallest scale, and least share of the margin inside the photograph.
_WIDE_SHARE, _MIN_SCALE, _MIN_CONTEXT = 0.45, 0.6, 0.85
_MAX_ENLARGEMENT = 1.35  # of a rotated head against its photograph


@dataclass(frozen=True)
class View:
    """A face as photographed, or with the head rotated.

    Attributes:
        crop: uint8 [128 + 2M, 128 + 2M, 3], RGB.
        valid: bool [128 + 2M, 128 + 2M], False outside the photograph.
        landmarks: float32 [478, 2], pixels of `crop`.
        to_canonical: float64 [2, 3], pixels of `crop` to those of the canonical crop.
    """

    crop: NDArray[np.uint8]
    valid: NDArray[np.bool_]
    landmarks: NDArray[np.float32]
    to_canonical: NDArray[np.float64]


def view_of(faces: FaceSet, index: int) -> View:
    """Return a face as photographed."""
    margin = faces.margin_px
    at = faces.landmarks[index] + margin
    return View(
        faces.crops[index], faces.valid[index], at, scaled_and_shifted(1.0, -margin, -margin)
    )


def rotated_view(view: View, rng: np.random.Generator, profiles: float = 0.0) -> View:
    """Rotate a face's head at random and align its canonical crop anew; see `random_head_rotation`.

    The roll of the crop is that of the head before: in profile the landmarks do not determine it. They
    do not determine the scale of a bowed profile either, so the enlargement is limited.
    """
    level = level_of(view.landmarks)
    flags = view.valid[..., None].astype(np.uint8) * 255
    crop, flags, landmarks = random_head_rotation(view.crop, flags, view.landmarks, rng, profiles)
    to_canonical = similarity_from_landmarks(landmarks, level)
    enlarged = scale_of(to_canonical)
    if enlarged > _MAX_ENLARGEMENT:
        to_canonical = compose(CropWindow(_MAX_ENLARGEMENT / enlarged).matrix, to_canonical)
    return View(crop, flags[..., 0] > 127, landmarks, to_canonical)


def has_surroundings(valid: NDArray[np.bool_]) -> bool:
    """Whether the photograph goes on around the crop; `valid` is bool [128 + 2M, 128 + 2M]."""
    return bool(valid.mean() >= _MIN_CONTEXT)


def random_wider_crop(
    valid: NDArray[np.bool_], margin: int, rng: np.random.Generator
) -> NDArray[np.float64] | None:
    """Draw the map from canonical crop pixels to those of a wider crop, [2, 3]; None keeps the crop.

    Args:
        valid: bool [128 + 2M, 128 + 2M]: crops are widened only where the photograph goes on.
        margin: M, pixels.
        rng: random generator; not used without a margin.
    """
    if not margin or not has_surroundings(valid) or rng.random() >= _WIDE_SHARE:
        return None
    scale, aside = rng.uniform(_MIN_SCALE, 1.0), rng.uniform(-MOST_ASIDE_PX, MOST_ASIDE_PX)
    up = max(rng.uniform(-MOST_UP_PX, MOST_UP_PX), 0.0)
    return CropWindow(scale, (aside, -up)).matrix

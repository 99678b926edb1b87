"""How a face is shown: as its photograph has it, turned to a side, or smaller in its surroundings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from realtime.align.affine import compose, scale_of
from realtime.align.canonical_crop import level_of, similarity_from_landmarks
from realtime.align.crop_window import MOST_ASIDE_PX, MOST_UP_PX, CropWindow
from realtime.detect.face_geometry import placed
from trainer.augment.head_turns import turned
from trainer.data.face_set import FaceSet

# Where a crop cuts a mask off the product moves it (`realtime.align.crop_window`) and shows the face
# smaller. So are faces shown of whose margin the photograph has at least so much.
_WIDE_SHARE, _WIDEST, _LEAST_CONTEXT = 0.45, 0.6, 0.85
_MOST_ENLARGED = 1.35


@dataclass(frozen=True)
class View:
    """A face as its photograph shows it, or turned.

    Attributes:
        crop: uint8 [128 + 2M, 128 + 2M, 3], RGB.
        valid: bool [128 + 2M, 128 + 2M].
        landmarks: float32 [478, 2], pixels of `crop`.
        to_canonical: float64 [2, 3], pixels of `crop` to those of the canonical crop.
    """

    crop: NDArray[np.uint8]
    valid: NDArray[np.bool_]
    landmarks: NDArray[np.float32]
    to_canonical: NDArray[np.float64]


def view_of(faces: FaceSet, index: int) -> View:
    """Take a face as it is."""
    margin = faces.margin_px
    at = faces.landmarks[index] + margin
    return View(faces.crops[index], faces.valid[index], at, placed(-margin, -margin))


def turned_view(view: View, rng: np.random.Generator, profiles: float = 0.0) -> View:
    """Turn a face's head (`trainer.augment.head_turns`); where it then is decides of the canonical crop.

    Of the heads a share of `profiles` is turned to a profile or nearly so, the others to any side. What
    is level on a head stays so: in profile its landmarks would not say it. Of its size they say little
    where it is bowed too: it is never shown larger than `_MOST_ENLARGED`.
    """
    level = level_of(view.landmarks)
    flags = view.valid[..., None].astype(np.uint8) * 255
    crop, flags, landmarks = turned(view.crop, flags, view.landmarks, rng, profiles)
    to_canonical = similarity_from_landmarks(landmarks, level)
    enlarged = scale_of(to_canonical)
    if enlarged > _MOST_ENLARGED:
        to_canonical = compose(CropWindow(_MOST_ENLARGED / enlarged).matrix, to_canonical)
    return View(crop, flags[..., 0] > 127, landmarks, to_canonical)


def has_surroundings(valid: NDArray[np.bool_]) -> bool:
    """Whether the photograph goes on round the crop; `valid` is bool [128 + 2M, 128 + 2M]."""
    return bool(valid.mean() >= _LEAST_CONTEXT)


def wider_view(
    valid: NDArray[np.bool_], margin: int, rng: np.random.Generator
) -> NDArray[np.float64] | None:
    """Draw what takes canonical crop pixels to those of a wider crop, [2, 3]; None leaves the crop.

    Args:
        valid: bool [128 + 2M, 128 + 2M]: only faces are widened that have real surroundings.
        margin: M.
        rng: the draw; not touched where there is no margin.
    """
    if not margin or not has_surroundings(valid) or rng.random() >= _WIDE_SHARE:
        return None
    scale, aside = rng.uniform(_WIDEST, 1.0), rng.uniform(-MOST_ASIDE_PX, MOST_ASIDE_PX)
    up = max(rng.uniform(-MOST_UP_PX, MOST_UP_PX), 0.0)
    return CropWindow(scale, (aside, -up)).matrix

"""Views of a face for training, in the pixels of its crop with a margin: rotated heads, headgear, holes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from realtime.align.affine import compose, scale_of
from realtime.align.canonical_crop import level_of, similarity_from_landmarks
from realtime.align.crop_window import MOST_ASIDE_PX, MOST_UP_PX, CropWindow
from realtime.detect.face_geometry import scaled_and_shifted
from realtime.synthetic.pose import fit_pose
from trainer.augment.background_replacement import replace_background
from trainer.augment.degradation import add_noise, degrade
from trainer.augment.head_rotation import random_head_rotation
from trainer.augment.headgear import wear_headgear
from trainer.augment.holes import extend_hole_forward, random_beside, random_hole
from trainer.augment.lighting import change_light
from trainer.augment.side_light import cast_side_light
from trainer.data.face_set import FaceSet, margin_of

# The product moves and widens a crop that would cut a mask off (`realtime.align.crop_window`). So does
# training: share of the faces, smallest scale, and least share of the margin inside the photograph.
_WIDE_SHARE, _MIN_SCALE, _MIN_CONTEXT = 0.45, 0.6, 0.85
_MAX_ENLARGEMENT = 1.35  # of a rotated head against its photograph
# Shares: of heads that are rotated, of profiles among them, of holes extended in front of these.
_ROTATED_SHARE, _PROFILES, _FORWARD_SHARE = 0.5, 0.55, 0.7
# Shares: of pictures blurred, coarse or coded as on ordinary footage, and of those with noise.
_DEGRADED_SHARE, _NOISY_SHARE = 0.45, 0.25


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
    """Whether a crop, [128 + 2M, 128 + 2M], has a margin and the photograph goes on in it."""
    return margin_of(len(valid)) > 0 and bool(valid.mean() >= _MIN_CONTEXT)


def random_crop_windows(
    surrounded: NDArray[np.bool_], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Draw the maps from canonical crop pixels to those of wider crops, float64 [N, 2, 3].

    Args:
        surrounded: bool [N]; the other crops are kept, as are some of these.
        rng: random generator.
    """
    wide = surrounded & (rng.random(len(surrounded)) < _WIDE_SHARE)
    scale, aside, up = rng.uniform(
        (_MIN_SCALE, -MOST_ASIDE_PX, -MOST_UP_PX), (1, MOST_ASIDE_PX, MOST_UP_PX), (len(wide), 3)
    ).T
    scale = np.where(wide, scale, 1.0)[:, None, None]
    windows = scale * CropWindow(1.0).matrix + (1 - scale) * CropWindow(0.0).matrix
    windows[:, :, 2] += np.stack([aside, -np.maximum(up, 0.0)], 1) * wide[:, None]
    return windows


@dataclass(frozen=True)
class DrawnView:
    """A view with all that needs OpenCV to draw it: rotation, headgear, light, and the complete hole.

    Attributes:
        crop: uint8 [128 + 2M, 128 + 2M, 3], RGB.
        valid: bool [128 + 2M, 128 + 2M], False outside the photograph.
        hole: bool [128 + 2M, 128 + 2M], to be filled.
        to_canonical: float64 [2, 3], pixels of `crop` to those of the canonical crop.
        rotated: whether the head was rotated.
        beside: bool [128 + 2M, 128 + 2M], what the generator is told to lie beside the face; None if it is
            told nothing.
    """

    crop: NDArray[np.uint8]
    valid: NDArray[np.bool_]
    hole: NDArray[np.bool_]
    to_canonical: NDArray[np.float64]
    rotated: bool = False
    beside: NDArray[np.bool_] | None = None


# What the finish needs to know of a view; see `DrawnView` and `has_surroundings`.
VIEW_RECORD = np.dtype([("to_canonical", "f8", (2, 3)), ("rotated", "?"), ("surrounded", "?")])


def records_of(views: Sequence[DrawnView]) -> NDArray[np.void]:
    """Return what the finish needs to know of each view, `VIEW_RECORD` [N]."""
    rows = [(view.to_canonical, view.rotated, has_surroundings(view.valid)) for view in views]
    return np.array(rows, VIEW_RECORD)


def draw_view(faces: FaceSet, index: int, rng: np.random.Generator) -> DrawnView:
    """Draw a view of a face with its hole: some rotated, with a cap or sunglasses, in poor light, degraded.

    A face without a margin is not rotated: a rotated head needs its surroundings. Noise lies round the
    hole alone: the truth has none, because the program adds grain itself.
    """
    margin, view = faces.margin_px, view_of(faces, index)
    if faces.matte is not None:
        view = replace(view, crop=replace_background(view.crop, faces.matte[index], rng))
    rotated = bool(margin and rng.random() < _ROTATED_SHARE)
    if rotated:
        view = rotated_view(view, rng, _PROFILES)
    crop = wear_headgear(view.crop, view.landmarks, rng)
    crop = cast_side_light(crop, view.landmarks, rng)
    crop = change_light(crop, rng, noise=False)
    if rng.random() < _DEGRADED_SHARE:
        crop = degrade(crop, rng, noise_share=0.0)
    beside = random_beside(view.landmarks, rng, view.valid.shape)
    hole = random_hole(view.landmarks - margin, rng, margin, loose=beside is not None)
    if rotated and rng.random() < _FORWARD_SHARE:
        hole = extend_hole_forward(hole, fit_pose(view.landmarks).yaw, rng)
    if rng.random() < _NOISY_SHARE:
        crop = add_noise(crop, ~hole, rng)
    return DrawnView(crop, view.valid, hole, view.to_canonical, rotated, beside)


def bare_view(faces: FaceSet, index: int) -> DrawnView:
    """Return a face as photographed, without a hole."""
    view = view_of(faces, index)
    return DrawnView(view.crop, view.valid, np.zeros_like(view.valid), view.to_canonical)

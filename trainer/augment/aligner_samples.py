"""Draws the face aligner's batches: drawn faces placed anew, and squares without a face."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from inpaint_model.networks.face_aligner import SIDE_PX, UNIT_PX
from realtime.align.affine import compose
from realtime.align.canonical_crop import CROP_SIZE
from trainer.augment.batch_augment import HOLE
from trainer.augment.degradation import blur_by_motion, degrade
from trainer.augment.finish import random_colours, recolour
from trainer.augment.patterns import random_pattern
from trainer.augment.place_parts import placed, random_part, warp_part

# Shares: of parts of faces, and of places beside them, among the samples without a face; of patterns among
# the others of these.
_PART_SHARE, _PATTERN_SHARE = 0.24, 0.3
# A face's place in the square. The canonical crop just fills it at size 1. Shares of faces of any size,
# place and angle, and the ranges of size and of place in sides; the others lie nearly as they should.
_ANY_SIZE_SHARE, _SIZES, _SIZE_DEVIATION = 0.6, (0.7, 1.6), 0.07
_ANY_PLACE_SHARE, _MOST_SHIFT, _SHIFT_DEVIATION = 0.5, 0.24, 0.04
_ANY_ANGLE_SHARE, _ANGLE_DEVIATION = 0.5, np.deg2rad(18.0)
# What is no face: parts as much larger, shifted by up to so many sides; or a face so far off the middle,
# as a share of its own size.
_PART_SIZES, _PART_SHIFT = (2.0, 4.5), 1.2
_BESIDE_SIZES, _BESIDE = (0.8, 2.0), (0.48, 0.9)
# Of the samples.
_MIRRORED_SHARE, _COARSE_SHARE, _MOTION_SHARE, _GREY_SHARE = 0.5, 0.45, 0.15, 0.15
# What lies outside a drawn face, and how often.
_BORDERS = (cv2.BORDER_REPLICATE, cv2.BORDER_REFLECT_101, cv2.BORDER_CONSTANT)
_BORDER_SHARES = (0.6, 0.3, 0.1)

_MIDDLE = np.full(2, (SIDE_PX - 1) / 2)
_CROP_MIDDLE = np.full(2, (CROP_SIZE - 1) / 2)
_MIRROR = np.array([[-1.0, 0.0, CROP_SIZE - 1], [0.0, 1.0, 0.0]])  # of the canonical crop


@dataclass(frozen=True)
class AlignerBatch:
    """Samples for the face aligner.

    Attributes:
        squares: uint8 [N, 64, 64, 3], RGB.
        wanted: float32 [N, 6], as `FaceAlignerNet` gives them, with 1 or 0 in place of both logits; all 0
            where there is no face.
    """

    squares: NDArray[np.uint8]
    wanted: NDArray[np.float32]


def draw_aligner_batch(
    views: NDArray[np.uint8],
    to_canonical: NDArray[np.float64],
    places: Sequence[NDArray[np.uint8]],
    rng: np.random.Generator,
    colour: float,
    face_share: float = 0.5,
) -> AlignerBatch:
    """Draw a batch from drawn faces, one sample a view.

    Args:
        views: uint8 [N, 4, S, S], packed views of `AlignerViews`; the masks are their holes.
        to_canonical: float64 [N, 2, 3], pixels of the views to those of the canonical crop.
        places: photographs without people, uint8 [H, W, 3] RGB; patterns alone if empty.
        rng: random generator.
        colour: strength of the changes of colour, as `Jitter.colour`.
        face_share: share of the samples that show a face, 0..1.
    """
    squares = np.empty((len(views), SIDE_PX, SIDE_PX, 3), np.uint8)
    wanted = np.zeros((len(views), 6), np.float32)
    colours = random_colours(colour, rng, len(views), _GREY_SHARE)
    for index, (view, matrix) in enumerate(zip(views, to_canonical, strict=True)):
        if rng.random() < _MIRRORED_SHARE:
            matrix = compose(_MIRROR, matrix)
        if rng.random() < face_share:
            placing = _place_face(rng)
            square = _shown(view, compose(placing, matrix), rng)
            wanted[index] = _labels(placing, masked=bool((view[3] & HOLE).any()))
        elif rng.random() < _PART_SHARE:
            square = _shown(view, compose(_place_part(rng), matrix), rng)
        else:
            square = _without_face(places, rng)
        if rng.random() < _MOTION_SHARE:
            square = blur_by_motion(square, rng)
        squares[index] = degrade(recolour(square, colours[index]), rng, _COARSE_SHARE)
    return AlignerBatch(squares, wanted)


def _place_face(rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw where a face lies: canonical crop pixels to pixels of the square, float64 [2, 3]."""
    angle = rng.normal(0, _ANGLE_DEVIATION)
    if rng.random() < _ANY_ANGLE_SHARE:
        angle = rng.uniform(-np.pi, np.pi)
    size = np.exp(rng.normal(0, _SIZE_DEVIATION))
    if rng.random() < _ANY_SIZE_SHARE:
        size = _log_uniform(_SIZES, rng)
    shift = rng.normal(0, _SHIFT_DEVIATION, 2)
    if rng.random() < _ANY_PLACE_SHARE:
        shift = rng.uniform(-_MOST_SHIFT, _MOST_SHIFT, 2)
    return _placed(size, angle, _MIDDLE + shift * SIDE_PX)


def _place_part(rng: np.random.Generator) -> NDArray[np.float64]:
    """Likewise, so that the square shows a part of the face, or mostly what is beside it."""
    angle = rng.uniform(-np.pi, np.pi)
    if rng.random() < 0.5:
        size, shift = _log_uniform(_PART_SIZES, rng), rng.uniform(-_PART_SHIFT, _PART_SHIFT, 2)
    else:
        size, towards = _log_uniform(_BESIDE_SIZES, rng), rng.uniform(-np.pi, np.pi)
        shift = size * rng.uniform(*_BESIDE) * np.array([np.cos(towards), np.sin(towards)])
    return _placed(size, angle, _MIDDLE + shift * SIDE_PX)


def _placed(size: float, angle: float, centre: NDArray[np.float64]) -> NDArray[np.float64]:
    return placed(size * SIDE_PX / CROP_SIZE, angle, _CROP_MIDDLE, centre)


def _log_uniform(limits: tuple[float, float], rng: np.random.Generator) -> float:
    return float(np.exp(rng.uniform(*np.log(limits))))


def _labels(placing: NDArray[np.float64], *, masked: bool) -> list[float]:
    """Return what the network should give of a face that lies so."""
    centre = placing[:, :2] @ _CROP_MIDDLE + placing[:, 2]
    return [1.0, float(masked), *(centre / SIDE_PX - 0.5), *(placing[:, 0] * UNIT_PX / SIDE_PX)]


def _shown(
    view: NDArray[np.uint8], matrix: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.uint8]:
    picture = np.ascontiguousarray(view[:3].transpose(1, 2, 0))
    border = _BORDERS[rng.choice(len(_BORDERS), p=_BORDER_SHARES)]
    return warp_part(picture, matrix, SIDE_PX, border)


def _without_face(
    places: Sequence[NDArray[np.uint8]], rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Show a part of a place or of a drawn pattern at any angle."""
    if not places or rng.random() < _PATTERN_SHARE:
        picture = random_pattern(rng)
    else:
        picture = places[int(rng.integers(len(places)))]
    matrix = random_part(picture.shape, SIDE_PX, rng.uniform(-np.pi, np.pi), rng)
    return warp_part(picture, matrix, SIDE_PX)

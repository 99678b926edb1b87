"""Fills of faces by a generator, as the product makes them: what the refiner is validated on."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from inpaint_model.holes import mark_beside_face
from realtime.align.canonical_crop import CROP_SIZE
from realtime.align.face_silhouette import face_silhouette
from realtime.composite.edge_warp import EdgeWarp
from realtime.frames import Fill, SegmentedFace
from realtime.inpaint.layered_fill import (
    PICTURE_PASSES,
    STREAM_PASSES,
    Generator,
    fill_in_layers,
)
from trainer.augment.holes import mask_hole
from trainer.data.face_set import FaceSet

_AT_A_TIME = 16  # faces that are filled in one batch
_LEAST_DILATION_PX, _MOST_DILATION_PX = 2, 5  # of a mask's silhouette, crop px


@dataclass(frozen=True)
class FillBank:
    """Faces wearing masks, filled.

    Attributes:
        rgb: uint8 [N, 128, 128, 3], RGB, the crops with their holes filled and their contours narrowed.
        holes: bool [N, 128, 128].
    """

    rgb: NDArray[np.uint8]
    holes: NDArray[np.bool_]


def fill_faces(faces: FaceSet, generator: Generator, rng: np.random.Generator) -> FillBank:
    """Let every face wear a mask, and fill it, in turns in the passes of pictures and of streams.

    Args:
        faces: without a margin, of any scale.
        generator: fills crops.
        rng: random generator.
    """
    pictures, holes = [], []
    for number, first in enumerate(range(0, len(faces), _AT_A_TIME)):
        some = range(first, min(first + _AT_A_TIME, len(faces)))
        crops = np.stack([reduced(faces.crops[index]) for index in some])
        worn = [random_mask_hole(faces.landmarks[index], rng) for index in some]
        told = [
            _marked(hole, faces.landmarks[index], faces.valid[index])
            for hole, index in zip(worn, some, strict=True)
        ]
        passes = STREAM_PASSES if number % 2 else PICTURE_PASSES
        filled = fill_in_layers(generator, crops, np.stack(told), passes)
        pictures += [
            _narrowed(rgb, crop, marks != 0)
            for rgb, crop, marks in zip(filled, crops, told, strict=True)
        ]
        holes += worn
    return FillBank(np.stack(pictures), np.stack(holes))


def random_mask_hole(landmarks: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.bool_]:
    """Draw the hole of a worn mask: bool [128, 128]."""
    dilation_px = int(rng.integers(_LEAST_DILATION_PX, _MOST_DILATION_PX + 1))
    return mask_hole(landmarks, rng, dilation_px)


def reduced(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Reduce a crop of any scale to uint8 [128, 128, 3]."""
    small = cv2.resize(picture, (CROP_SIZE, CROP_SIZE), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8)


def _marked(
    hole: NDArray[np.bool_], landmarks: NDArray[np.float32], valid: NDArray[np.bool_]
) -> NDArray[np.uint8]:
    """Mark what to fill, also outside the photograph, and what of it lies beside the face."""
    step = len(valid) // CROP_SIZE
    return mark_beside_face(hole | ~valid[::step, ::step], face_silhouette(landmarks, hole.shape))


def _narrowed(
    rgb: NDArray[np.uint8], crop: NDArray[np.uint8], hole: NDArray[np.bool_]
) -> NDArray[np.uint8]:
    """Narrow the contours of a fill, as the product does before it refines it."""
    return EdgeWarp()(Fill(rgb), SegmentedFace.of_crop(crop, hole)).rgb

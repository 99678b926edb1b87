"""Draws augmented training samples for the generator: crops and their holes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from realtime.align.affine import compose
from realtime.align.crop_window import CropWindow
from trainer.augment.finish import Jitter, finish_view, random_finish, warp, warp_flags
from trainer.augment.holes import protocol_mask_hole
from trainer.augment.views import (
    bare_view,
    draw_view,
    has_surroundings,
    records_of,
    rotated_view,
    view_of,
)
from trainer.data.face_set import FaceSet


@dataclass(frozen=True)
class GeneratorBatch:
    """Samples for the generator.

    Attributes:
        crops: uint8 [N, 128, 128, 3], RGB.
        holes: bool [N, 128, 128], to be filled.
        valid_holes: bool [N, 128, 128], hole pixels whose truth is known (inside the photograph).
        shift: y and x, 0..3 px: offset of the recogniser's input, so that its strides leave no pattern
            in what is trained against it.
        rotated: bool [N], samples with a rotated head (`trainer.augment.head_rotation`); may be empty.
        beside: bool [N, 128, 128], what the generator is told to lie beside the face; may be empty.
    """

    crops: NDArray[np.uint8]
    holes: NDArray[np.bool_]
    valid_holes: NDArray[np.bool_]
    shift: tuple[int, int] = (0, 0)
    rotated: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, bool))
    beside: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, bool))


def draw_generator_batch(
    faces: FaceSet,
    indices: Sequence[int],
    rng: np.random.Generator,
    jitter: Jitter,
    kind: str = "masks",
) -> GeneratorBatch:
    """Draw an augmented batch for the generator.

    With `kind` "masks" the holes are silhouettes of worn masks and some squares; with "squares" they are
    the paper's squares alone, not rotated. Crops with masks may be cut off by the edge of a picture and
    show caps or sunglasses; faces with a margin may be shown in a wider crop or with a rotated head.
    Pixels outside the photograph are hole too, as in the product, and never count in a loss.

    Args:
        faces: the faces.
        indices: which of them.
        rng: random generator.
        jitter: strength of the augmentation.
        kind: "masks" or "squares".
    """
    if kind == "squares":
        faces = faces.canonical()
        views = [bare_view(faces, index) for index in indices]
    else:
        views = [draw_view(faces, index, rng) for index in indices]
    finish = random_finish(records_of(views), jitter, rng, kind)
    samples = [finish_view(view, finish, index) for index, view in enumerate(views)]
    crops, holes, valid, beside = (np.stack(part) for part in zip(*samples, strict=True))
    rotated = np.array([view.rotated for view in views])
    return GeneratorBatch(crops, holes | ~valid, holes & valid, finish.shift, rotated, beside)


def draw_wider_protocol(faces: FaceSet, *, rotate: bool, seed: int = 0) -> GeneratorBatch:
    """Draw the fixed samples of the face-mask protocol in widened crops.

    Faces have 0.8 and 0.64 of their size in turns (`CropWindow.widened` of `realtime.align`). Faces whose
    photograph ends near the crop are left out.

    Args:
        faces: prepared with a margin.
        rotate: rotate the heads (`trainer.augment.head_rotation`).
        seed: random seed.
    """
    margin, rng = faces.margin_px, np.random.default_rng(seed)
    views = [CropWindow(scale).matrix for scale in (0.8, 0.64)]
    crops, holes, valid_holes = [], [], []
    for index in range(len(faces)):
        if not has_surroundings(faces.valid[index]):
            continue
        view = rotated_view(view_of(faces, index), rng) if rotate else view_of(faces, index)
        hole = protocol_mask_hole(view.landmarks - margin, rng, margin=margin)
        matrix = compose(views[len(crops) % 2], view.to_canonical)
        crops.append(warp(view.crop, matrix))
        valid, hole = warp_flags(view.valid, matrix), warp_flags(hole, matrix)
        valid_holes.append(hole & valid)
        holes.append(hole | ~valid)
    return GeneratorBatch(np.stack(crops), np.stack(holes), np.stack(valid_holes))

"""Draws augmented training samples for the generator: crops and their holes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.align.affine import compose
from realtime.align.canonical_crop import CROP_SIZE
from realtime.align.crop_window import CropWindow
from realtime.synthetic.pose import fit_pose
from trainer.augment.headgear import wear_headgear
from trainer.augment.holes import extend_hole_forward, protocol_mask_hole, random_hole, square_hole
from trainer.augment.views import has_surroundings, random_wider_crop, rotated_view, view_of
from trainer.data.face_set import FaceSet

_SHAPE = (CROP_SIZE, CROP_SIZE)
_CENTRE = (CROP_SIZE - 1) / 2
FRAME_CUT_SHARE = 0.3  # of the samples are cut off by the edge of a picture
# For each edge the share of these samples that it cuts, and the range of its place in pixels, [low, high).
FRAME_EDGES = {
    "x0": (0.4, 0, 36),
    "y0": (0.3, 0, 34),
    "x1": (0.4, 92, CROP_SIZE),
    "y1": (0.7, 88, CROP_SIZE),
}
# Shares: of heads that are rotated, of profiles among them, of holes extended in front of these.
_ROTATED_SHARE, _PROFILES, _FORWARD_SHARE = 0.5, 0.55, 0.7
# Factor on the jitter of a rotated head: the detector sees three of five points in profile, so that
# crops are aligned less exactly.
_ROTATED_JITTER = 2.0


@dataclass(frozen=True)
class Jitter:
    """Strength of the data augmentation: random affine and colour jitter.

    Attributes:
        rotation_deg, scale, shift_px: standard deviations of normal draws, clipped at two of them:
            degrees, natural logarithm of a factor, pixels.
        colour: strength of the changes of gamma, contrast, saturation and colour cast, 0..1.
    """

    rotation_deg: float = 3.0
    scale: float = 0.04
    shift_px: float = 2.0
    colour: float = 0.3

    def scaled(self, factor: float) -> Jitter:
        """Return the jitter with `factor` times the rotation and shift."""
        return replace(
            self, rotation_deg=self.rotation_deg * factor, shift_px=self.shift_px * factor
        )


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
    """

    crops: NDArray[np.uint8]
    holes: NDArray[np.bool_]
    valid_holes: NDArray[np.bool_]
    shift: tuple[int, int] = (0, 0)
    rotated: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, bool))


def random_frame_edges(rng: np.random.Generator) -> tuple[int, int, int, int]:
    """Draw the edges of a picture that cut a crop off: x0, y0, x1, y1 in crop pixels."""
    part: dict[str, int] = dict(zip(FRAME_EDGES, (0, 0, CROP_SIZE, CROP_SIZE), strict=True))
    for edge, (share, low, high) in FRAME_EDGES.items():
        if rng.random() < share:
            part[edge] = int(rng.integers(low, high))
    return part["x0"], part["y0"], part["x1"], part["y1"]


def random_affine(jitter: Jitter, rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw a random affine about the crop's centre (a similarity, mirrored half the time); [2, 3]."""
    draw = np.clip(rng.standard_normal(4), -2, 2)
    angle = np.deg2rad(draw[0] * jitter.rotation_deg)
    scale = np.exp(draw[1] * jitter.scale)
    flip = -1.0 if rng.random() < 0.5 else 1.0
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    linear = np.array([[cos * flip, -sin], [sin * flip, cos]])
    centre = np.array([_CENTRE, _CENTRE])
    return np.column_stack([linear, centre + draw[2:] * jitter.shift_px - linear @ centre])


def _warp(image: NDArray, matrix: NDArray[np.float64], border: int = cv2.BORDER_REPLICATE):
    return cv2.warpAffine(image, matrix, _SHAPE, flags=cv2.INTER_LINEAR, borderMode=border)


def _warp_flags(flags: NDArray[np.bool_], matrix: NDArray[np.float64]) -> NDArray[np.bool_]:
    return _warp(flags.astype(np.uint8) * 255, matrix, cv2.BORDER_CONSTANT) > 127


def recolour(
    crop: NDArray[np.uint8], strength: float, rng: np.random.Generator, grey_share: float = 0.05
) -> NDArray[np.uint8]:
    """Colour jitter: change gamma, contrast, saturation and colour cast; make some crops grey."""
    draw = np.clip(rng.standard_normal(6), -2, 2) * strength
    level = np.arange(256, dtype=np.float32) / 255
    table = np.stack([level ** np.exp(0.4 * draw[0] + 0.15 * d) for d in draw[1:4]], -1)
    table = (table - 0.5) * np.exp(0.15 * draw[4]) + 0.5
    table = np.clip(table * 255, 0, 255).astype(np.uint8)
    out = cv2.LUT(crop, table[:, None, :].transpose(1, 0, 2))
    grey = cv2.cvtColor(cv2.cvtColor(out, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    keep = 0.0 if rng.random() < grey_share * (strength > 0) else float(np.exp(0.5 * draw[5]))
    return np.asarray(cv2.addWeighted(out, keep, grey, 1 - keep, 0), dtype=np.uint8)


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
    faces = faces.canonical() if kind == "squares" else faces
    crops, holes, valid_holes, rotated = [], [], [], []
    for index in indices:
        rotate = False
        if kind == "squares":
            matrix = random_affine(jitter, rng)
            crop, valid = _warp(faces.crops[index], matrix), _warp_flags(faces.valid[index], matrix)
            hole = square_hole(rng)
        else:
            rotate = bool(faces.margin_px and rng.random() < _ROTATED_SHARE)
            crop, valid, hole = _mask_sample(faces, index, jitter, rng, rotate=rotate)
            if rng.random() < FRAME_CUT_SHARE:
                x0, y0, x1, y1 = random_frame_edges(rng)
                shown = np.zeros_like(valid)
                shown[y0:y1, x0:x1] = True
                valid = valid & shown
        crops.append(recolour(crop, jitter.colour, rng))
        valid_holes.append(hole & valid)
        holes.append(hole | ~valid)
        rotated.append(rotate)
    shift = int(rng.integers(4)), int(rng.integers(4))
    stacked = np.stack(crops), np.stack(holes), np.stack(valid_holes)
    return GeneratorBatch(*stacked, shift, np.array(rotated))


def _mask_sample(
    faces: FaceSet, index: int, jitter: Jitter, rng: np.random.Generator, *, rotate: bool
) -> tuple[NDArray[np.uint8], NDArray[np.bool_], NDArray[np.bool_]]:
    """Draw a crop, its pixels inside the photograph, and its hole, all warped alike."""
    margin, view = faces.margin_px, view_of(faces, index)
    if rotate:
        view = rotated_view(view, rng, _PROFILES)
    crop = wear_headgear(view.crop, view.landmarks, rng)
    hole = random_hole(view.landmarks - margin, rng, margin)
    if rotate and rng.random() < _FORWARD_SHARE:
        hole = extend_hole_forward(hole, fit_pose(view.landmarks).yaw, rng)
    wider = random_wider_crop(view.valid, margin, rng)
    matrix = random_affine(jitter.scaled(_ROTATED_JITTER) if rotate else jitter, rng)
    matrix = matrix if wider is None else compose(wider, matrix)
    matrix = compose(matrix, view.to_canonical)
    return _warp(crop, matrix), _warp_flags(view.valid, matrix), _warp_flags(hole, matrix)


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
        crops.append(_warp(view.crop, matrix))
        valid, hole = _warp_flags(view.valid, matrix), _warp_flags(hole, matrix)
        valid_holes.append(hole & valid)
        holes.append(hole | ~valid)
    return GeneratorBatch(np.stack(crops), np.stack(holes), np.stack(valid_holes))

"""Draws training samples for the generator: faces moved, cut off and recoloured, and their holes."""

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
from trainer.augment.holes import protocol_mask_hole, random_hole, reach_ahead, square_hole
from trainer.augment.views import has_surroundings, turned_view, view_of, wider_view
from trainer.data.face_set import FaceSet

_SHAPE = (CROP_SIZE, CROP_SIZE)
_CENTRE = (CROP_SIZE - 1) / 2
CUT_SHARE = 0.3  # of the samples end at a picture's edge
# How often each edge does so, and where: from the first pixel on to before the last.
CUTS = {
    "x0": (0.4, 0, 36),
    "y0": (0.3, 0, 34),
    "x1": (0.4, 92, CROP_SIZE),
    "y1": (0.7, 88, CROP_SIZE),
}
_TURN_SHARE, _PROFILES, _AHEAD_SHARE = 0.5, 0.55, 0.7
# A head in profile is found by five points of which two are hidden: its crop lies less exactly.
_LOOSER = 2.0


@dataclass(frozen=True)
class Jitter:
    """How far a sample is moved from its canonical place.

    Attributes:
        rotation_deg, scale, shift_px: standard deviations of a normal draw, clipped at two.
        colour: strength of gamma, saturation and colour-cast changes, 0..1.
    """

    rotation_deg: float = 3.0
    scale: float = 0.04
    shift_px: float = 2.0
    colour: float = 0.3

    def looser(self, factor: float) -> Jitter:
        """Turn and shift samples `factor` times as far."""
        return replace(
            self, rotation_deg=self.rotation_deg * factor, shift_px=self.shift_px * factor
        )


@dataclass(frozen=True)
class HoleBatch:
    """Samples for the generator.

    Attributes:
        crops: uint8 [N, 128, 128, 3], RGB.
        holes: bool [N, 128, 128], to be filled.
        counted: bool [N, 128, 128], hole pixels whose truth is known (inside the photograph).
        shift: y and x, 0..3 px: where a network of large strides is to begin to look, so that its
            grid leaves no pattern in what is trained against it.
        turned: bool [N], whose head was turned (`trainer.augment.head_turns`); empty where none was.
    """

    crops: NDArray[np.uint8]
    holes: NDArray[np.bool_]
    counted: NDArray[np.bool_]
    shift: tuple[int, int] = (0, 0)
    turned: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, bool))


def visible_part(rng: np.random.Generator) -> tuple[int, int, int, int]:
    """Draw what a picture shows that cuts the crop off below, above or at a side: x0, y0, x1, y1."""
    part: dict[str, int] = dict(zip(CUTS, (0, 0, CROP_SIZE, CROP_SIZE), strict=True))
    for edge, (share, low, high) in CUTS.items():
        if rng.random() < share:
            part[edge] = int(rng.integers(low, high))
    return part["x0"], part["y0"], part["x1"], part["y1"]


def random_affine(jitter: Jitter, rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw a random similarity about the crop's centre, flipped half the time; [2, 3]."""
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
    """Change gamma, contrast, saturation and colour cast at random; some become grey altogether."""
    draw = np.clip(rng.standard_normal(6), -2, 2) * strength
    level = np.arange(256, dtype=np.float32) / 255
    table = np.stack([level ** np.exp(0.4 * draw[0] + 0.15 * d) for d in draw[1:4]], -1)
    table = (table - 0.5) * np.exp(0.15 * draw[4]) + 0.5
    table = np.clip(table * 255, 0, 255).astype(np.uint8)
    out = cv2.LUT(crop, table[:, None, :].transpose(1, 0, 2))
    grey = cv2.cvtColor(cv2.cvtColor(out, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    keep = 0.0 if rng.random() < grey_share * (strength > 0) else float(np.exp(0.5 * draw[5]))
    return np.asarray(cv2.addWeighted(out, keep, grey, 1 - keep, 0), dtype=np.uint8)


def draw_hole_batch(
    faces: FaceSet,
    indices: Sequence[int],
    rng: np.random.Generator,
    jitter: Jitter,
    kind: str = "masks",
) -> HoleBatch:
    """Draw one augmented generator batch of the faces at `indices`.

    With `kind` "masks" the holes are silhouettes of worn masks and some squares; with "squares" they
    are the paper's squares alone, exactly square. Of the crops with masks some are cut off as a
    picture's edge does, and in some a cap or sunglasses are worn. Faces with a margin are shown smaller
    too, and some of them turned. What lies outside the photograph is hole too, as in the product, and
    never counts in the loss.
    """
    faces = faces.canonical() if kind == "squares" else faces
    crops, holes, counted, turned = [], [], [], []
    for index in indices:
        turn = False
        if kind == "squares":
            matrix = random_affine(jitter, rng)
            crop, valid = _warp(faces.crops[index], matrix), _warp_flags(faces.valid[index], matrix)
            hole = square_hole(rng)
        else:
            turn = bool(faces.margin_px and rng.random() < _TURN_SHARE)
            crop, valid, hole = _with_mask_hole(faces, index, jitter, rng, turn=turn)
            if rng.random() < CUT_SHARE:
                x0, y0, x1, y1 = visible_part(rng)
                shown = np.zeros_like(valid)
                shown[y0:y1, x0:x1] = True
                valid = valid & shown
        crops.append(recolour(crop, jitter.colour, rng))
        counted.append(hole & valid)
        holes.append(hole | ~valid)
        turned.append(turn)
    shift = int(rng.integers(4)), int(rng.integers(4))
    stacked = np.stack(crops), np.stack(holes), np.stack(counted)
    return HoleBatch(*stacked, shift, np.array(turned))


def _with_mask_hole(
    faces: FaceSet, index: int, jitter: Jitter, rng: np.random.Generator, *, turn: bool
) -> tuple[NDArray[np.uint8], NDArray[np.bool_], NDArray[np.bool_]]:
    """A crop, what of it is inside the photograph, and a hole in it; all moved."""
    margin, view = faces.margin_px, view_of(faces, index)
    if turn:
        view = turned_view(view, rng, _PROFILES)
    crop = wear_headgear(view.crop, view.landmarks, rng)
    hole = random_hole(view.landmarks - margin, rng, margin)
    if turn and rng.random() < _AHEAD_SHARE:
        hole = reach_ahead(hole, fit_pose(view.landmarks).yaw, rng)
    wider = wider_view(view.valid, margin, rng)
    matrix = random_affine(jitter.looser(_LOOSER) if turn else jitter, rng)
    matrix = matrix if wider is None else compose(wider, matrix)
    matrix = compose(matrix, view.to_canonical)
    return _warp(crop, matrix), _warp_flags(view.valid, matrix), _warp_flags(hole, matrix)


def draw_wider_protocol(faces: FaceSet, *, turn: bool, seed: int = 0) -> HoleBatch:
    """Draw fixed samples as crops that are widened for a mask show them.

    The hole is the face-mask protocol's; faces are shown at 0.8 and 0.64 of their size
    (`realtime.align.crop_window.CropWindow.widened`), in turns, and those are left out whose photograph
    does not go on round the crop.

    Args:
        faces: prepared with a margin.
        turn: turn the heads too (`trainer.augment.head_turns`).
        seed: the draw's seed.
    """
    margin, rng = faces.margin_px, np.random.default_rng(seed)
    views = [CropWindow(scale).matrix for scale in (0.8, 0.64)]
    crops, holes, counted = [], [], []
    for index in range(len(faces)):
        if not has_surroundings(faces.valid[index]):
            continue
        view = turned_view(view_of(faces, index), rng) if turn else view_of(faces, index)
        hole = protocol_mask_hole(view.landmarks - margin, rng, margin=margin)
        matrix = compose(views[len(crops) % 2], view.to_canonical)
        crops.append(_warp(view.crop, matrix))
        valid, hole = _warp_flags(view.valid, matrix), _warp_flags(hole, matrix)
        counted.append(hole & valid)
        holes.append(hole | ~valid)
    return HoleBatch(np.stack(crops), np.stack(holes), np.stack(counted))

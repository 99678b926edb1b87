"""Draws training samples for the generator: faces and holes (numpy, OpenCV)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.alignment import CROP_SIZE
from realtime.maskwear import random_style, silhouette
from trainer.faceset import FaceSet
from trainer.headgear import wear_headgear

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


@dataclass(frozen=True)
class HoleBatch:
    """Samples for the generator.

    Attributes:
        crops: uint8 [N, 128, 128, 3], RGB.
        holes: bool [N, 128, 128], to be filled.
        counted: bool [N, 128, 128], hole pixels whose truth is known (inside the photograph).
        shift: y and x, 0..3 px: where a network of large strides is to begin to look, so that its
            grid leaves no pattern in what is trained against it.
    """

    crops: NDArray[np.uint8]
    holes: NDArray[np.bool_]
    counted: NDArray[np.bool_]
    shift: tuple[int, int] = (0, 0)


def mask_hole(
    landmarks: NDArray[np.float32], rng: np.random.Generator, dilate_px: int
) -> NDArray[np.bool_]:
    """Draw the silhouette of a random worn mask, dilated; bool [128, 128]."""
    alpha = silhouette(landmarks, random_style(rng), _SHAPE)
    if dilate_px:
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * dilate_px + 1,) * 2)
        alpha = cv2.dilate(alpha, kernel)
    return alpha > 0


def square_hole(rng: np.random.Generator, low: int = 24, high: int = 48) -> NDArray[np.bool_]:
    """Draw one square of side `low`..`high` anywhere (the paper's training holes); bool [128, 128]."""
    side = int(rng.integers(low, high + 1))
    y, x = rng.integers(0, CROP_SIZE - side + 1, 2)
    hole = np.zeros(_SHAPE, dtype=bool)
    hole[y : y + side, x : x + side] = True
    return hole


def protocol_mask_hole(
    landmarks: NDArray[np.float32], rng: np.random.Generator, dilate_px: int = 3
) -> NDArray[np.bool_]:
    """Draw a hole of the face-mask protocol: a dilated silhouette covering 20-45 % of the crop."""
    hole = np.zeros(_SHAPE, dtype=bool)
    for _ in range(100):
        hole = mask_hole(landmarks, rng, dilate_px)
        if 0.20 <= hole.mean() <= 0.45:
            break
    return hole


def _random_hole(landmarks: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.bool_]:
    """Draw a training hole: mostly masks, sometimes pushed aside, some squares."""
    if rng.random() < 0.15:
        return square_hole(rng)
    hole = mask_hole(landmarks, rng, int(rng.integers(1, 7)))
    if rng.random() < 0.25:
        dx, dy = rng.integers(-10, 11), rng.integers(-4, 11)
        moved = np.roll(hole, (dy, dx), (0, 1))
        hole = moved if rng.random() < 0.5 else hole | moved
    return hole


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
    picture's edge does, and in some a cap or sunglasses are worn. What lies outside the photograph is
    marked as hole half the time and left as repeated border else; it never counts in the loss.
    """
    crops, holes, counted = [], [], []
    for index in indices:
        matrix = random_affine(jitter, rng)
        crop = faces.crops[index]
        if kind != "squares":
            crop = wear_headgear(crop, faces.landmarks[index], rng)
        crop = _warp(crop, matrix)
        valid = _warp_flags(faces.valid[index], matrix)
        if kind == "squares":
            hole = square_hole(rng)
        else:
            hole = _warp_flags(_random_hole(faces.landmarks[index], rng), matrix)
        outside = ~valid & (rng.random() < 0.5)
        if kind != "squares" and rng.random() < CUT_SHARE:
            x0, y0, x1, y1 = visible_part(rng)
            outside = np.ones_like(valid)
            outside[y0:y1, x0:x1] = ~valid[y0:y1, x0:x1]
            valid = ~outside
        crops.append(recolour(crop, jitter.colour, rng))
        counted.append(hole & valid)
        holes.append(hole | outside)
    shift = int(rng.integers(4)), int(rng.integers(4))
    return HoleBatch(np.stack(crops), np.stack(holes), np.stack(counted), shift)


def draw_protocol(
    faces: FaceSet, kind: str, seed: int = 0
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Draw the fixed holes of a named protocol.

    Args:
        faces: the faces to be evaluated, in order.
        kind: "face-mask" (dilated mask silhouette, 20-45 % of the crop) or "paper-squares" (one
            square of side 24-48 anywhere inside the photograph).
        seed: the draw's seed.

    Returns:
        holes and counted, bool [N, 128, 128]; counted are the hole pixels inside the photograph.
    """
    rng = np.random.default_rng(seed)
    draw = {
        "face-mask": lambda index: protocol_mask_hole(faces.landmarks[index], rng),
        "paper-squares": lambda _: square_hole(rng),
    }[kind]
    holes = np.stack([draw(index) for index in range(len(faces))])
    return holes, holes & faces.valid

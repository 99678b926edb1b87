"""Draws holes (inpainting masks): silhouettes of worn masks, the paper's squares, protocols."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.align.canonical_crop import CROP_SIZE
from realtime.align.face_silhouette import face_silhouette
from realtime.imaging.mask_regions import dilated
from realtime.synthetic import random_style, silhouette
from trainer.data.face_set import FaceSet

_SHAPE = (CROP_SIZE, CROP_SIZE)
_FORWARD_PX = 20.0  # how far a hole reaches out in front of a face in profile, at most
_LOOSE_SHARE = 0.7  # of holes that are wider than the face, as those of loose masks are
_LOOSE_PX, _LOOSE_DOWN_PX = 14, 6  # how far such a hole reaches to either side and down, at most
# Share of the samples in which the generator is told the face's silhouette. Its errors: mean and standard
# deviation of the logarithm of a factor on width and height; standard deviation of a shift, crop px. They
# are small: a silhouette that errs more teaches the generator to paint a soft jaw line.
_SILHOUETTE_SHARE = 0.75
_SILHOUETTE_INWARDS, _SILHOUETTE_STRETCH, _SILHOUETTE_PX = -0.01, 0.01, 0.5


def mask_hole(
    landmarks: NDArray[np.float32],
    rng: np.random.Generator,
    dilate_px: int,
    shape: tuple[int, int] = _SHAPE,
) -> NDArray[np.bool_]:
    """Draw the silhouette of a random worn mask, dilated; bool [H, W]."""
    return dilated(silhouette(landmarks, random_style(rng), shape) > 0, dilate_px)


def random_square(
    rng: np.random.Generator, low: int = 24, high: int = 48
) -> tuple[int, int, int, int]:
    """Draw a square of side `low`..`high` px anywhere (the paper's holes): x0, y0, x1, y1 in pixels."""
    side = int(rng.integers(low, high + 1))
    y, x = (int(at) for at in rng.integers(0, CROP_SIZE - side + 1, 2))
    return x, y, x + side, y + side


def square_hole(rng: np.random.Generator, low: int = 24, high: int = 48) -> NDArray[np.bool_]:
    """Draw one of the paper's holes; bool [128, 128]."""
    x0, y0, x1, y1 = random_square(rng, low, high)
    hole = np.zeros(_SHAPE, dtype=bool)
    hole[y0:y1, x0:x1] = True
    return hole


def protocol_mask_hole(
    landmarks: NDArray[np.float32], rng: np.random.Generator, dilate_px: int = 3, margin: int = 0
) -> NDArray[np.bool_]:
    """Draw a hole of the face-mask protocol: a dilated silhouette covering 20-45 % of the crop.

    Args:
        landmarks: float32 [478, 2], canonical crop pixels.
        rng: random generator.
        dilate_px: radius of the silhouette's dilation.
        margin: margin around the canonical crop in pixels, M.

    Returns:
        bool [128 + 2M, 128 + 2M].
    """
    side = CROP_SIZE + 2 * margin
    hole = np.zeros((side, side), dtype=bool)
    for _ in range(100):
        hole = mask_hole(landmarks + margin, rng, dilate_px, hole.shape)
        if 0.20 <= hole.sum() / CROP_SIZE**2 <= 0.45:
            break
    return hole


def random_hole(
    landmarks: NDArray[np.float32], rng: np.random.Generator, margin: int, *, loose: bool
) -> NDArray[np.bool_]:
    """Draw a training hole in a crop with a margin: masks, some shifted or loose, and some squares."""
    if rng.random() < 0.15:
        return np.pad(square_hole(rng), margin)
    side = CROP_SIZE + 2 * margin
    hole = mask_hole(landmarks + margin, rng, int(rng.integers(1, 7)), (side, side))
    if loose and rng.random() < _LOOSE_SHARE:
        hole = loosen(hole, rng)
    if rng.random() < 0.25:
        dx, dy = rng.integers(-10, 11), rng.integers(-4, 11)
        moved = np.roll(hole, (dy, dx), (0, 1))
        hole = moved if rng.random() < 0.5 else hole | moved
    return hole


def random_beside(
    landmarks: NDArray[np.float32], rng: np.random.Generator, shape: tuple[int, int]
) -> NDArray[np.bool_] | None:
    """Draw what the generator is told to lie beside the face: bool [H, W], or None in some samples.

    The silhouette of the true landmarks is moved and stretched at random, because landmarks of masked
    faces err, and lie a little too far inside.

    Args:
        landmarks: float32 [478, 2], pixels.
        rng: random generator.
        shape: height and width.
    """
    if rng.random() >= _SILHOUETTE_SHARE:
        return None
    centre = landmarks.mean(0)
    stretch = np.exp(rng.normal(_SILHOUETTE_INWARDS, _SILHOUETTE_STRETCH, 2))
    moved = (landmarks - centre) * stretch + centre + rng.normal(0, _SILHOUETTE_PX, 2)
    return ~face_silhouette(moved, shape)


def loosen(hole: NDArray[np.bool_], rng: np.random.Generator) -> NDArray[np.bool_]:
    """Widen a hole, bool [H, W], to both sides and down, each by a length of its own.

    The edge of a hole that fits the face is the jaw line, and a fill would learn to paint skin up to it.
    """
    left, right = (int(reach) for reach in rng.integers(0, _LOOSE_PX + 1, 2))
    down = int(rng.integers(0, _LOOSE_DOWN_PX + 1))
    kernel = np.ones((down + 1, left + right + 1), np.uint8)
    # Dilation mirrors its kernel: a hole reaches as far to the right and down as the anchor lies.
    return cv2.dilate(hole.astype(np.uint8), kernel, anchor=(right, down)) > 0


def extend_hole_forward(
    hole: NDArray[np.bool_], yaw: float, rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Extend a hole in front of a rotated face, as a cup-shaped or loose mask does.

    A hole that ends at the face's outline reveals it, and a fill would learn to follow the hole.

    Args:
        hole: bool [H, W].
        yaw: rotation of the head in radians, positive to the right of the picture.
        rng: draws the extension, up to 20 px in profile and a little down.
    """
    dx, dy = round(np.sin(yaw) * rng.uniform(0, _FORWARD_PX)), int(rng.integers(-2, 6))
    reach = max(abs(dx), abs(dy))
    kernel = np.zeros((2 * reach + 1,) * 2, np.uint8)
    cv2.line(kernel, (reach, reach), (reach - dx, reach - dy), 1)  # dilation mirrors its kernel
    return cv2.dilate(hole.astype(np.uint8), kernel) > 0


def draw_protocol(
    faces: FaceSet, kind: str, seed: int = 0
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Draw the fixed holes of a named protocol.

    Args:
        faces: the faces to evaluate, in order.
        kind: "face-mask" (dilated mask silhouette, 20-45 % of the crop) or "paper-squares" (one
            square of side 24-48 anywhere inside the photograph).
        seed: random seed.

    Returns:
        Holes, and the hole pixels inside the photograph (valid holes); both bool [N, 128, 128].
    """
    rng = np.random.default_rng(seed)
    draw = {
        "face-mask": lambda index: protocol_mask_hole(faces.landmarks[index], rng),
        "paper-squares": lambda _: square_hole(rng),
    }[kind]
    holes = np.stack([draw(index) for index in range(len(faces))])
    return holes, holes & faces.valid

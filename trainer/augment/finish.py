"""The finish of a sample: what is drawn at random after its view, and how NumPy and OpenCV apply it.

A view is drawn in the pixels of a crop with its margin (`trainer.augment.views`). Its finish places it in
the canonical crop, changes its colours and lets the edges of a picture cut it off. The random numbers of a
finish come from here alone; `finish_view` applies them on the CPU, `trainer.augment.batch_augment` on any
device.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.align.canonical_crop import CROP_SIZE
from trainer.augment.holes import random_square
from trainer.augment.views import DrawnView, random_crop_windows

HOLES = ("squares", "masks")

_SHAPE = (CROP_SIZE, CROP_SIZE)
_CENTRE = (CROP_SIZE - 1) / 2
_FRAME_CUT_SHARE = 0.3  # of the samples are cut off by the edge of a picture
# For each edge the share of these samples that it cuts, and the range of its place in pixels, [low, high).
_FRAME_EDGES = {
    "x0": (0.4, 0, 36),
    "y0": (0.3, 0, 34),
    "x1": (0.4, 92, CROP_SIZE),
    "y1": (0.7, 88, CROP_SIZE),
}
# Factor on the jitter of a rotated head: the detector sees three of five points in profile, so that
# crops are aligned less exactly.
_ROTATED_JITTER = 2.0
_GREY_SHARE = 0.05  # of the generator's samples


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


@dataclass(frozen=True)
class Finish:
    """The finishes of N samples.

    Attributes:
        matrices: float64 [N, 2, 3], pixels of the view to those of the crop.
        colours: float64 [N, 5], as `recolour` takes them.
        frames: int64 [N, 4], the part of the crop inside the picture: x0, y0, x1, y1 in pixels.
        squares: int64 [N, 4], likewise a square hole; empty (all 0) where the view has its hole.
        shift: y and x, 0..3 px: offset of the recogniser's input, so that its strides leave no pattern
            in what is trained against it.
    """

    matrices: NDArray[np.float64]
    colours: NDArray[np.float64]
    frames: NDArray[np.int64]
    squares: NDArray[np.int64]
    shift: tuple[int, int]


def random_finish(
    records: NDArray[np.void], jitter: Jitter, rng: np.random.Generator, kind: str
) -> Finish:
    """Draw the finishes of a batch.

    Rotated heads have twice the rotation and shift. Where the photograph goes on, some crops are wider,
    as in the product. With `kind` "squares" there are neither wider crops nor edges of pictures.

    Args:
        records: `VIEW_RECORD` [N], the batch's views.
        jitter: strength of the augmentation.
        rng: random generator.
        kind: "masks" or "squares".
    """
    count = len(records)
    matrices = random_affines(jitter, rng, np.where(records["rotated"], _ROTATED_JITTER, 1.0))
    frames = np.tile(np.array([0, 0, CROP_SIZE, CROP_SIZE]), (count, 1))
    squares = np.zeros((count, 4), np.int64)
    if kind == "squares":
        squares[:] = [random_square(rng) for _ in range(count)]
    else:
        matrices = compose_all(random_crop_windows(records["surrounded"], rng), matrices)
        frames = random_frames(rng, count)
    matrices = compose_all(matrices, records["to_canonical"])
    colours = random_colours(jitter.colour, rng, count)
    shift = int(rng.integers(4)), int(rng.integers(4))
    return Finish(matrices, colours, frames, squares, shift)


def random_affines(
    jitter: Jitter, rng: np.random.Generator, spread: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Draw affines about the crop's centre (similarities, mirrored half the time).

    Args:
        jitter: standard deviations.
        rng: random generator.
        spread: [N], factors on rotation and shift.

    Returns:
        float64 [N, 2, 3].
    """
    draw = np.clip(rng.standard_normal((len(spread), 4)), -2, 2)
    flip = np.where(rng.random(len(spread)) < 0.5, -1.0, 1.0)
    angle = np.deg2rad(draw[:, 0] * jitter.rotation_deg * spread)
    scale = np.exp(draw[:, 1] * jitter.scale)
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    linear = np.stack([cos * flip, -sin, sin * flip, cos], -1).reshape(-1, 2, 2)
    shift = draw[:, 2:] * jitter.shift_px * spread[:, None] + _CENTRE - _CENTRE * linear.sum(2)
    return np.concatenate([linear, shift[:, :, None]], 2)


def compose_all(after: NDArray[np.float64], before: NDArray[np.float64]) -> NDArray[np.float64]:
    """Join affine transforms pairwise, float64 [N, 2, 3] each, `before` done first."""
    linear = after[:, :, :2] @ before[:, :, :2]
    shift = after[:, :, :2] @ before[:, :, 2:] + after[:, :, 2:]
    return np.concatenate([linear, shift], 2)


def random_frames(rng: np.random.Generator, count: int) -> NDArray[np.int64]:
    """Draw what the edges of a picture leave of each crop: x0, y0, x1, y1 in pixels; int64 [N, 4]."""
    frames = np.tile(np.array([0, 0, CROP_SIZE, CROP_SIZE]), (count, 1))
    cut = rng.random(count) < _FRAME_CUT_SHARE
    for place, (share, low, high) in zip(frames.T, _FRAME_EDGES.values(), strict=True):
        here = cut & (rng.random(count) < share)
        place[here] = rng.integers(low, high, count)[here]
    return frames


def random_colours(
    strength: float, rng: np.random.Generator, count: int, grey_share: float = _GREY_SHARE
) -> NDArray[np.float64]:
    """Draw the colour jitter of N crops.

    Returns:
        float64 [N, 5]: exponents of red, green and blue, contrast about mid-grey, saturation (0: grey).
    """
    draw = np.clip(rng.standard_normal((count, 6)), -2, 2) * strength
    exponents = np.exp(0.4 * draw[:, :1] + 0.15 * draw[:, 1:4])
    grey = rng.random(count) < grey_share * (strength > 0)
    contrast, saturation = np.exp(0.15 * draw[:, 4]), np.where(grey, 0.0, np.exp(0.5 * draw[:, 5]))
    return np.column_stack([exponents, contrast, saturation])


def recolour(crop: NDArray[np.uint8], colours: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Change gamma, contrast, saturation and colour cast of a crop.

    Args:
        crop: uint8 [H, W, 3], RGB.
        colours: float64 [5], of `random_colours`.
    """
    level = np.arange(256)[:, None] / 255
    table = (level ** colours[:3] - 0.5) * colours[3] + 0.5
    table = np.clip(np.rint(table * 255), 0, 255).astype(np.uint8)
    out = cv2.LUT(crop, table[:, None])
    grey = cv2.cvtColor(cv2.cvtColor(out, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    keep = float(colours[4])
    return np.asarray(cv2.addWeighted(out, keep, grey, 1 - keep, 0), dtype=np.uint8)


def warp(image: NDArray, matrix: NDArray[np.float64], border: int = cv2.BORDER_REPLICATE):
    """Warp a picture to the crop bilinearly; the border is repeated outside."""
    return cv2.warpAffine(image, matrix, _SHAPE, flags=cv2.INTER_LINEAR, borderMode=border)


def warp_flags(flags: NDArray[np.bool_], matrix: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Warp flags to the crop bilinearly, thresholded at one half; False outside."""
    return warp(flags.astype(np.uint8) * 255, matrix, cv2.BORDER_CONSTANT) > 127


def finish_view(
    view: DrawnView, finish: Finish, index: int
) -> tuple[NDArray[np.uint8], NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]:
    """Apply one of the finishes to its view.

    Returns:
        Crop uint8 [128, 128, 3]; hole, pixels inside the photograph and what lies beside the face, bool
        [128, 128].
    """
    matrix = finish.matrices[index]
    hole, valid = warp_flags(view.hole, matrix), warp_flags(view.valid, matrix)
    hole |= _inside(finish.squares[index])
    valid &= _inside(finish.frames[index])
    beside = np.zeros_like(hole) if view.beside is None else warp_flags(view.beside, matrix)
    return recolour(warp(view.crop, matrix), finish.colours[index]), hole, valid, beside


def _inside(box: NDArray[np.int64]) -> NDArray[np.bool_]:
    x0, y0, x1, y1 = box
    flags = np.zeros(_SHAPE, dtype=bool)
    flags[y0:y1, x0:x1] = True
    return flags

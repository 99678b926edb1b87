"""Draws training samples for the refiner: blurred mouths to restore, at twice the crop's resolution."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from inpaint_model.networks.refiner import SIDE_PX
from trainer.augment.degradation import degrade, sensor_noise
from trainer.augment.fill_bank import FillBank, random_mask_hole, reduced
from trainer.data.face_set import FaceSet

_BLUR_SIGMA_PX = 0.3, 3.0  # of the blur that stands for a generator's, crop px
# Share of holes that show two copies, as means of fills do; standard deviation of their distance.
_DOUBLE_SHARE, _DOUBLE_PX = 0.6, 1.0
# Most noise of a generator, its standard deviation; range of its blur in x and in y, crop px.
_ROUGH_LEVELS, _ROUGH_SIGMA_PX = 2.5, (0.1, 1.5)
# Share of holes with its grids, their most amplitude, and their period.
_RIPPLE_SHARE, _RIPPLE_LEVELS, _RIPPLE_PX = 0.5, 3.5, (2.0, 5.0)
_PATCHES = 5  # in each direction, in which its noise is strong or weak
_EDGE_SIGMA_PX = 0.8  # of the edge between what is blurred and the photograph round it, crop px
_COARSE_SHARE = 0.3  # of photographs that are scaled down and up again
_NOISY_SHARE = 0.4  # of photographs with a sensor's noise round the fill
_CENTRE_PX, _SPREAD_PX = (128.0, 190.0), (14.0, 16.0)  # of the square in the face, px, x and y
_TURN_DEG, _SCALE = 6.0, 0.1  # standard deviations of its angle and of the logarithm of its scale
_GAIN = 0.85, 1.15  # range of a channel's factor
_LIGHT = -0.25, 0.3  # mean and standard deviation of the logarithm of a factor on all three
_LEAST_VALID, _LEAST_HOLE = 0.75, 0.3  # shares of the square
_TRIES = 20


@dataclass(frozen=True)
class RefinerBatch:
    """Samples for the refiner.

    Attributes:
        patches: float32 [N, 128, 128, 4], as the network takes them. Where the photograph is not known, the
            opacity is 0.
        real: float32 [N, 128, 128, 3], RGB, 0..255: the photograph.
    """

    patches: NDArray[np.float32]
    real: NDArray[np.float32]


def draw_refiner_batch(
    faces: FaceSet,
    indices: Sequence[int],
    rng: np.random.Generator,
    bank: FillBank | None = None,
) -> RefinerBatch:
    """Draw augmented samples.

    Args:
        faces: of scale 2, without a margin.
        indices: which of them.
        rng: random generator.
        bank: what fills their masks. By default each photograph itself, blurred as softly as fills are: its
            truth is known.
    """
    samples = [_draw(faces, index, rng, bank) for index in indices]
    patches, real = (np.stack(part) for part in zip(*samples, strict=True))
    return RefinerBatch(patches, real)


def lay_over(
    fill_rgb: NDArray[np.uint8] | NDArray[np.float32],
    hole: NDArray[np.bool_],
    around: NDArray[np.float32],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Lay an enlarged fill over its photograph.

    Args:
        fill_rgb: [128, 128, 3], RGB, 0..255.
        hole: bool [128, 128].
        around: float32 [256, 256, 3], the photograph.

    Returns:
        float32 [256, 256, 3], and the fill's opacity, float32 [256, 256].
    """
    size = around.shape[1::-1]
    opacity = cv2.resize(hole.astype(np.float32), size, interpolation=cv2.INTER_LINEAR)
    fill = cv2.resize(fill_rgb.astype(np.float32), size, interpolation=cv2.INTER_CUBIC)
    mixed = cv2.blendLinear(fill, around, opacity, 1 - opacity)
    return np.asarray(mixed, np.float32), np.asarray(opacity, np.float32)


def _draw(
    faces: FaceSet, index: int, rng: np.random.Generator, bank: FillBank | None
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Draw one sample: patch and truth."""
    real = degrade(faces.crops[index], rng, _COARSE_SHARE, noise_share=0.0)
    if bank is None:
        hole = random_mask_hole(faces.landmarks[index], rng)
        fill = _blurred(reduced(real), hole, rng)
    else:
        hole, fill = bank.holes[index], bank.rgb[index]
    filled, opacity = lay_over(fill, hole, _noisy(real, rng))
    known = faces.valid[index].astype(np.float32)
    matrix, shown = _random_square(known, opacity, rng)
    pictures = np.dstack([_cut(filled, matrix), _cut(real.astype(np.float32), matrix)])
    gains = rng.uniform(*_GAIN, 3) * np.exp(rng.normal(*_LIGHT))
    pictures = np.clip(pictures * np.tile(gains, 2).astype(np.float32), 0, 255)
    return np.dstack([pictures[..., :3], shown]), pictures[..., 3:]


def _blurred(
    picture: NDArray[np.uint8], hole: NDArray[np.bool_], rng: np.random.Generator
) -> NDArray[np.float32]:
    """Blur a crop in its hole, as soft as fills are; float32 [128, 128, 3]."""
    sharp = picture.astype(np.float32)
    soft = cv2.GaussianBlur(sharp, (0, 0), rng.uniform(*_BLUR_SIGMA_PX))
    if rng.random() < _DOUBLE_SHARE:
        x, y = rng.normal(0, _DOUBLE_PX, 2)
        shift = np.array([[1, 0, x], [0, 1, y]])
        other = cv2.warpAffine(soft, shift, soft.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)
        soft = (soft + other) / 2
    soft += _artefacts(soft.shape[:2], rng)[..., None]
    share = cv2.GaussianBlur(hole.astype(np.float32), (0, 0), _EDGE_SIGMA_PX)
    return np.asarray(cv2.blendLinear(soft, sharp, share, 1 - share), np.float32)


def _artefacts(size: tuple[int, int], rng: np.random.Generator) -> NDArray[np.float32]:
    """Draw what generators leave on parts of fills, noise, streaks, grids, in levels: float32 [H, W]."""
    sigma_x, sigma_y = rng.uniform(*_ROUGH_SIGMA_PX, 2)
    noise = cv2.GaussianBlur(rng.standard_normal(size, np.float32), (0, 0), sigma_x, sigmaY=sigma_y)
    drawn = noise * np.float32(rng.uniform(0, _ROUGH_LEVELS) / noise.std())
    if rng.random() < _RIPPLE_SHARE:
        waves = [
            np.sin(np.arange(length) * (2 * np.pi / rng.uniform(*_RIPPLE_PX)) + rng.uniform(0, 6))
            for length in size
        ]
        flat = rng.integers(3)  # 2: a grid, else stripes in one direction
        if flat < 2:
            waves[flat][:] = 1
        drawn += rng.uniform(0, _RIPPLE_LEVELS) * np.outer(*waves).astype(np.float32)
    strength = cv2.resize(rng.random((_PATCHES, _PATCHES), np.float32), size[::-1])
    return np.asarray(drawn * strength, np.float32)


def _noisy(picture: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.float32]:
    """Add a sensor's noise to some photographs; float32 [256, 256, 3]. A fill has none of it yet."""
    out = picture.astype(np.float32)
    if rng.random() >= _NOISY_SHARE:
        return out
    return out + sensor_noise(picture.shape, rng)


def _random_square(
    known: NDArray[np.float32], opacity: NDArray[np.float32], rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """Draw a square about nose and mouth that shows enough of the photograph and of the fill.

    Args:
        known: float32 [256, 256], 1 inside the photograph.
        opacity: float32 [256, 256], of the fill.
        rng: random generator.

    Returns:
        float64 [2, 3], pixels of the face to those of the square; and the fill's opacity in the square
        where the photograph is known, float32 [128, 128].
    """
    for left in reversed(range(_TRIES)):
        matrix = _square_about(rng)
        inside = _cut(known, matrix)
        shown = _cut(opacity, matrix) * (inside > 0.99)
        if not left or (inside.mean() >= _LEAST_VALID and shown.mean() >= _LEAST_HOLE):
            return matrix, shown
    raise AssertionError("the last try returns")


def _square_about(rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw a square about nose and mouth; see `_random_square`."""
    centre = rng.normal(_CENTRE_PX, _SPREAD_PX)
    scale = float(np.exp(rng.normal(0, _SCALE)))
    matrix = cv2.getRotationMatrix2D(tuple(centre), float(rng.normal(0, _TURN_DEG)), scale)
    matrix[:, 2] += SIDE_PX / 2 - centre
    if rng.random() < 0.5:  # mirrored
        matrix[0] = -matrix[0]
        matrix[0, 2] += SIDE_PX - 1
    return np.asarray(matrix, np.float64)


def _cut(picture: NDArray[np.float32], matrix: NDArray[np.float64]) -> NDArray[np.float32]:
    cut = cv2.warpAffine(
        picture, matrix, (SIDE_PX, SIDE_PX), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
    )
    return np.asarray(cut, np.float32)

"""A fill as grainy as the face round it: no less, no more, the same every time."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from realtime.align.warp_crop import warp_crop
from realtime.composite.feathering import feather
from realtime.composite.grain_synthesis import GrainSynthesis
from realtime.composite.paste_back import Patch, paste
from realtime.frames import FaceContext, Fill, Grain
from realtime.segment.mask_cleaning import hole_from_mask

SCALE = 3.0
SIDE = int(128 * SCALE)


@pytest.fixture(scope="module")
def hole() -> np.ndarray:
    mask = np.zeros((128, 128), np.uint8)
    cv2.ellipse(mask, (64, 88), (30, 22), 0, 0, 360, 1, -1)
    return hole_from_mask(mask > 0)


@pytest.fixture(scope="module")
def matrix() -> np.ndarray:
    return np.array([[1 / SCALE, 0, -0.3], [0, 1 / SCALE, 0.2]])


def _skin(noise: float = 0.0, seed: int = 0) -> np.ndarray:
    """A frame of evenly lit skin with noise of this strength, BGR."""
    frame = np.full((SIDE, SIDE, 3), (120, 145, 190), np.float32)
    frame += noise * np.random.default_rng(seed).standard_normal((SIDE, SIDE, 1))
    return np.clip(np.rint(frame), 0, 255).astype(np.uint8)


def grain_for(
    frame: np.ndarray,
    crop: np.ndarray,
    hole: np.ndarray,
    matrix: np.ndarray,
    valid: np.ndarray | None = None,
) -> Grain | None:
    context = FaceContext.of_crop(crop, hole, valid).shown_in(frame, matrix)
    return GrainSynthesis()(Fill(crop), context).grain


def _filled(frame: np.ndarray, hole: np.ndarray, matrix: np.ndarray) -> Patch:
    """Fill the hole with a smooth skin, as a generator does, and paste it with the frame's grain."""
    crop, _ = warp_crop(np.ascontiguousarray(frame[:, :, ::-1]), matrix)
    crop[hole] = (190, 145, 120)
    fill = Fill(crop, grain=grain_for(frame, crop, hole, matrix))
    patch = paste(frame, fill, feather(hole), matrix)
    assert patch is not None
    return patch


def _fine(image: np.ndarray) -> np.ndarray:
    luma = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY).astype(np.float32)
    return cv2.Laplacian(cv2.GaussianBlur(luma, (0, 0), 1.0), cv2.CV_32F)


def _middle(patch: Patch) -> np.ndarray:
    return cv2.erode(patch.replaced.astype(np.uint8), np.ones((25, 25), np.uint8)) > 0


@pytest.mark.parametrize("noise", [2.0, 3.5])
def test_grain_noisy_face_gets_its_own_strength(hole, matrix, noise):
    frame = _skin(noise)
    patch = _filled(frame, hole, matrix)
    inside = np.abs(_fine(patch.image)[_middle(patch)]).mean()
    assert inside / np.abs(_fine(frame)).mean() == pytest.approx(1, abs=0.2)


def test_grain_has_the_spectrum_of_the_skin(hole, matrix):
    frame = _skin(12.0)
    soft = cv2.GaussianBlur(frame, (0, 0), 1.2)
    ratios = []
    for source in (frame, soft):
        patch = _filled(source, hole, matrix)
        luma = cv2.cvtColor(patch.image, cv2.COLOR_BGR2GRAY).astype(np.float32)
        fine = np.diff(luma, axis=1)[_middle(patch)[:, 1:]].std()
        ratios.append(fine / luma[_middle(patch)].std())
    assert ratios[0] > 1.6 * ratios[1]


def test_grain_smooth_face_gets_none(hole, matrix):
    patch = _filled(_skin(), hole, matrix)
    assert _fine(patch.image)[_middle(patch)].std() < 0.2


def test_grain_small_face_gets_none(hole):
    frame = _skin(8.0)
    crop = np.full((128, 128, 3), (190, 145, 120), np.uint8)
    assert grain_for(frame, crop, hole, np.array([[1.2, 0, 0], [0, 1.2, 0]])) is None


def test_grain_without_bare_skin_is_none(hole, matrix):
    frame = _skin(8.0)
    crop = np.full((128, 128, 3), (190, 145, 120), np.uint8)
    assert grain_for(frame, crop, hole, matrix, np.zeros_like(hole)) is None


def test_grain_is_repeatable_and_only_inside_the_hole(hole, matrix):
    frame = _skin(6.0)
    one, two = (_filled(frame, hole, matrix) for _ in range(2))
    assert np.array_equal(one.image, two.image)
    height, width = one.replaced.shape
    region = frame[one.y : one.y + height, one.x : one.x + width]
    assert np.array_equal(one.image[~one.replaced], region[~one.replaced])


def test_grain_changes_exactly_as_the_skin_does(hole, matrix):
    still = _skin(6.0)
    moved = np.roll(still, (5, 3), (0, 1))
    shifted = matrix.copy()
    shifted[:, 2] -= matrix[:, :2] @ (3, 5)
    here, there = _filled(still, hole, matrix), _filled(moved, hole, shifted)
    middle = _middle(here)
    one, two = _fine(here.image)[middle], _fine(there.image)[middle]
    assert (here.x + 3, here.y + 5) == (there.x, there.y)
    assert np.corrcoef(one, two)[0, 1] > 0.9  # grain of the skin goes with it
    fresh = _fine(_filled(_skin(6.0, seed=1), hole, matrix).image)[middle]
    assert abs(np.corrcoef(one, fresh)[0, 1]) < 0.2  # fresh noise, fresh grain

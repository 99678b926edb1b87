"""A fill as crisp and as grainy as the face round it: no less, no more, the same every time."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from realtime.align import warp_crop
from realtime.composite.feathering import feather
from realtime.composite.grain_synthesis import grain_for, skin_of
from realtime.composite.paste_back import Patch, paste
from realtime.composite.unsharp_mask import sharpen
from realtime.frames import Face
from realtime.imaging.mask_regions import eroded
from realtime.segment.mask_cleaning import hole_of

SCALE = 3.0
SIDE = int(128 * SCALE)


@pytest.fixture(scope="module")
def hole() -> np.ndarray:
    mask = np.zeros((128, 128), np.uint8)
    cv2.ellipse(mask, (64, 88), (30, 22), 0, 0, 360, 1, -1)
    return hole_of(mask > 0)


@pytest.fixture(scope="module")
def matrix() -> np.ndarray:
    return np.array([[1 / SCALE, 0, -0.3], [0, 1 / SCALE, 0.2]])


def _skin(noise: float = 0.0, seed: int = 0) -> np.ndarray:
    """A frame of evenly lit skin with noise of this strength, BGR."""
    frame = np.full((SIDE, SIDE, 3), (120, 145, 190), np.float32)
    frame += noise * np.random.default_rng(seed).standard_normal((SIDE, SIDE, 1))
    return np.clip(np.rint(frame), 0, 255).astype(np.uint8)


def _filled(frame: np.ndarray, hole: np.ndarray, matrix: np.ndarray) -> Patch:
    """Fill the hole with a smooth skin, as a generator does, and paste it with the frame's grain."""
    crop, _ = warp_crop.warp_crop(np.ascontiguousarray(frame[:, :, ::-1]), matrix)
    crop[hole] = (190, 145, 120)
    grain = grain_for(frame, skin_of(crop, hole, ~hole), matrix)
    patch = paste(frame, crop, feather(eroded(hole, 3), hole, crop, crop), matrix, grain)
    assert patch is not None
    return patch


def _fine(image: np.ndarray) -> np.ndarray:
    luma = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY).astype(np.float32)
    return cv2.Laplacian(cv2.GaussianBlur(luma, (0, 0), 1.0), cv2.CV_32F)


def _middle(patch: Patch) -> np.ndarray:
    return cv2.erode(patch.replaced.astype(np.uint8), np.ones((25, 25), np.uint8)) > 0


@pytest.mark.parametrize("noise", [2.0, 3.5])
def test_a_noisy_face_gets_grain_of_its_own_strength(hole, matrix, noise):
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


def test_a_smooth_face_gets_none(hole, matrix):
    patch = _filled(_skin(), hole, matrix)
    assert _fine(patch.image)[_middle(patch)].std() < 0.2


def test_a_small_face_gets_none(hole):
    frame = _skin(8.0)
    crop = np.full((128, 128, 3), (190, 145, 120), np.uint8)
    assert (
        grain_for(frame, skin_of(crop, hole, ~hole), np.array([[1.2, 0, 0], [0, 1.2, 0]])) is None
    )


def test_without_bare_skin_there_is_none(hole, matrix):
    frame = _skin(8.0)
    crop = np.full((128, 128, 3), (190, 145, 120), np.uint8)
    assert grain_for(frame, skin_of(crop, hole, np.zeros_like(hole)), matrix) is None


def test_grain_is_the_same_every_time_and_only_inside(hole, matrix):
    frame = _skin(6.0)
    one, two = (_filled(frame, hole, matrix) for _ in range(2))
    assert np.array_equal(one.image, two.image)
    height, width = one.replaced.shape
    region = frame[one.y : one.y + height, one.x : one.x + width]
    assert np.array_equal(one.image[~one.replaced], region[~one.replaced])


def test_grain_is_as_still_or_alive_as_the_skins(hole, matrix):
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


def test_a_blurred_fill_is_sharpened_a_little_and_without_halo(
    astronaut_rgb, astronaut_face: Face, hole
):
    crop, valid = warp_crop.warp_crop(astronaut_rgb, astronaut_face.matrix)
    blurred = cv2.GaussianBlur(crop, (0, 0), 2.0)
    fill = np.where(hole[..., None], blurred, crop)
    crisp = sharpen(fill, hole, valid & ~hole)
    assert np.array_equal(crisp[~hole], fill[~hole])
    core = eroded(hole, 3)

    def contrast(image: np.ndarray) -> float:
        luma = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
        return float(np.abs(luma - cv2.GaussianBlur(luma, (0, 0), 1.25))[core].mean())

    # More than a fifth drew mouths and chins with corners (looked at, on photographs of masked people).
    assert contrast(fill) * 1.05 < contrast(crisp) < 1.2 * contrast(fill)
    kernel = np.ones((5, 5), np.uint8)
    assert (crisp <= cv2.dilate(fill, kernel).astype(int) + 1).all()
    assert (crisp >= cv2.erode(fill, kernel).astype(int) - 1).all()


def test_a_crisp_fill_is_left_alone(astronaut_rgb, astronaut_face: Face, hole):
    crop, valid = warp_crop.warp_crop(astronaut_rgb, astronaut_face.matrix)
    dull = np.where(hole[..., None], crop, cv2.GaussianBlur(crop, (0, 0), 2.5))
    assert np.array_equal(sharpen(dull, hole, valid & ~hole), dull)

"""A fill as grainy as the face round it: no less, no more, the same every time."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from realtime.align.warp_crop import warp_crop
from realtime.composite.feathering import feather
from realtime.composite.grain_synthesis import GrainSynthesis
from realtime.composite.paste_back import Patch, paste
from realtime.frames import Fill, Grain, SegmentedFace
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


def _skin(noise: float = 0.0, seed: int = 0, side: int = SIDE) -> np.ndarray:
    """A frame of evenly lit skin with noise of this strength, BGR."""
    frame = np.full((side, side, 3), (120, 145, 190), np.float32)
    frame += noise * np.random.default_rng(seed).standard_normal((side, side, 1))
    return np.clip(np.rint(frame), 0, 255).astype(np.uint8)


def grain_for(
    frame: np.ndarray,
    crop: np.ndarray,
    hole: np.ndarray,
    matrix: np.ndarray,
    valid: np.ndarray | None = None,
) -> Grain | None:
    face = SegmentedFace.of_crop(crop, hole, valid)
    return GrainSynthesis()(Fill(crop), face, frame, matrix).grain


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
    assert np.abs(patch.image - np.array((120.0, 145, 190))).max() < 5.5 * noise  # at the rim too


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


def test_grain_of_softer_noise_is_as_strong_as_it(hole, matrix):
    frame = cv2.GaussianBlur(_skin(14.0), (0, 0), 1.6)
    inside = _fine(_filled(frame, hole, matrix).image)
    patch = _filled(frame, hole, matrix)
    assert inside[_middle(patch)].std() / _fine(frame).std() == pytest.approx(1, abs=0.15)


def test_grain_of_a_fringe_or_wrinkles_is_that_of_plain_skin(hole, matrix):
    """Hair over the forehead adds nothing, and detail in one direction leaves no streaks."""
    fringe = _skin(3.0)
    fringe[20:150:12, 100:280] = (60, 70, 95)
    with_hair, without = (_filled(frame, hole, matrix) for frame in (fringe, _skin(3.0)))
    middle = _middle(without)
    assert _fine(with_hair.image)[middle].std() < 1.15 * _fine(without.image)[middle].std()
    for axis, sigmas in enumerate(((3, 0.3), (0.3, 3))):
        furrowed = cv2.GaussianBlur(_skin(14.0), (0, 0), sigmaX=sigmas[0], sigmaY=sigmas[1])
        (over, along), (skin_over, skin_along) = (
            [np.diff(one[20:-20, 20:-20, 1].astype(float), axis=n).std() for n in (axis, 1 - axis)]
            for one in (_filled(furrowed, hole, matrix).image, furrowed)
        )
        assert over / along < 0.45 * skin_over / skin_along


def test_grain_of_a_face_before_a_plain_or_rough_wall_is_its_own(hole, matrix):
    face = np.zeros((SIDE, SIDE, 1), np.uint8)
    cv2.ellipse(face, (191, 190), (110, 150), 0, 0, 360, 1, -1)
    strengths = []
    for wall in (0.0, 3.0, 20.0):
        frame = np.where(face, _skin(3.0), _skin(wall, seed=1))
        patch = _filled(frame, hole, matrix)
        strengths.append((patch.image - np.array((120.0, 145, 190)))[_middle(patch)].std())
    assert strengths == pytest.approx([strengths[1]] * 3, rel=0.1)


def test_grain_grows_with_the_face_and_stays_below_stubble(hole, matrix):
    strengths = []
    for scale in (1.0, 1.1, 1.2, 1.3, 1.4, 1.5):
        frame = _skin(3.0, side=int(128 * scale))
        patch = _filled(frame, hole, np.array([[1 / scale, 0, 0], [0, 1 / scale, 0]]))
        strengths.append((patch.image - np.array((120.0, 145, 190)))[_middle(patch)].std())
    assert strengths[0] == 0 and strengths[-1] == pytest.approx(3, abs=0.4)
    assert 0.2 < np.diff(strengths).min() < np.diff(strengths).max() < 1  # it does not pop up
    rough = _filled(_skin(16.0), hole, matrix)
    assert 3 < (rough.image - np.array((120.0, 145, 190)))[_middle(rough)].std() < 6


def test_grain_fill_of_other_colour_or_detail_gets_less(hole, matrix):
    frame = _skin(4.0)
    crop, _ = warp_crop(np.ascontiguousarray(frame[:, :, ::-1]), matrix)
    place = (slice(80, 96), slice(50, 78))

    def gain(colour: tuple[int, int, int], detail: float = 0.0) -> float:
        noise = detail * np.random.default_rng(3).standard_normal((128, 128, 1))
        fill = np.where(hole[..., None], np.clip(np.array(colour) + noise, 0, 255), crop)
        grain = grain_for(frame, fill.round().astype(np.uint8), hole, matrix)
        return 0.0 if grain is None else float(grain.gain[place].mean())

    skin = gain((190, 145, 120))
    lips, dark, bright = gain((200, 100, 120)), gain((95, 72, 60)), gain((230, 185, 160))
    assert 0.2 * skin < lips < 0.5 * skin
    assert 0.05 * skin < dark < 0.6 * skin
    assert skin < bright < 1.2 * skin
    assert 0.8 * skin < gain((190, 145, 120), detail=2.0) < 0.98 * skin
    assert gain((190, 145, 120), detail=6.0) < 0.2 * skin


def test_grain_of_a_new_fill_fits_that_fill(hole, matrix):
    frame = _skin(4.0)
    crop, _ = warp_crop(np.ascontiguousarray(frame[:, :, ::-1]), matrix)
    noise = 8 * np.random.default_rng(3).standard_normal((128, 128, 1))
    rough = np.where(hole[..., None], np.clip(crop + noise, 0, 255), crop).astype(np.uint8)
    smooth = np.where(hole[..., None], np.array((190, 145, 120), np.uint8), crop)
    step = GrainSynthesis()
    gains = []
    for version, fill in enumerate((rough, smooth)):
        face = SegmentedFace.of_crop(fill, hole)
        grain = step(Fill(fill, version), face, frame, matrix).grain
        gains.append(0.0 if grain is None else float(grain.gain[80:96, 50:78].mean()))
    assert gains[0] < 0.5 * gains[1]


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

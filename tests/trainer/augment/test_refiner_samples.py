"""The refiner's samples: truths to restore, and fills as the product makes them."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from trainer.augment.fill_bank import FillBank, fill_faces, reduced
from trainer.augment.refiner_samples import draw_refiner_batch, lay_over
from trainer.data.face_set import FaceSet


@pytest.fixture(scope="module")
def bank(fine_faces: FaceSet) -> FillBank:
    def paint_green(crops: NDArray[np.uint8], holes: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return np.where(holes[..., None] > 0, np.array([0, 200, 0], np.uint8), crops)

    return fill_faces(fine_faces, paint_green, np.random.default_rng(0))


def test_fills_replace_what_masks_cover(fine_faces: FaceSet, bank: FillBank):
    assert bank.rgb.shape == (len(fine_faces), 128, 128, 3)
    assert 0.15 < bank.holes.mean() < 0.5
    for rgb, hole, face in zip(bank.rgb, bank.holes, fine_faces.crops, strict=True):
        known = ~hole & (rgb != [0, 200, 0]).any(
            -1
        )  # what lies outside the photograph is filled too
        assert np.array_equal(rgb[known], reduced(face)[known])
        assert (np.abs(rgb[hole].astype(int) - [0, 200, 0]).max(-1) < 40).mean() > 0.9


def test_samples_of_fills_show_them(fine_faces: FaceSet, bank: FillBank):
    rng = np.random.default_rng(1)
    indices = (np.arange(40) % len(fine_faces)).tolist()
    batch = draw_refiner_batch(fine_faces, indices, rng, bank)
    assert batch.patches.shape == (40, 128, 128, 4) and batch.real.shape == (40, 128, 128, 3)
    shown = batch.patches[..., 3] > 0.99
    assert 0.3 < shown.mean() < 0.95
    green = batch.patches[..., 1] - batch.patches[..., 0] > 80
    assert green[shown].mean() > 0.8


def test_samples_to_learn_from_are_soft_where_masks_were(fine_faces: FaceSet):
    rng = np.random.default_rng(1)
    indices = (np.arange(60) % len(fine_faces)).tolist()
    batch = draw_refiner_batch(fine_faces, indices, rng)
    opacity = batch.patches[..., 3]
    shown = opacity > 0.99
    assert 0.3 < shown.mean() < 0.95
    # A blurred truth has the colours of its photograph, and less contrast.
    soft, sharp = batch.patches[..., :3], batch.real
    assert np.abs(soft - sharp)[shown].mean() < 6
    steps, wanted = (np.abs(np.diff(x, axis=1))[shown[:, 1:]].mean() for x in (soft, sharp))
    assert steps < 0.9 * wanted
    # Beside it some photographs are noisy, and the truth never is.
    beside = opacity < 0.01
    noise = [np.abs(a - b)[where].mean() for a, b, where in zip(soft, sharp, beside, strict=True)]
    assert 0.2 < np.mean(np.array(noise) > 1) < 0.6


def test_samples_are_drawn_again_alike(fine_faces: FaceSet):
    one, other, third = (
        draw_refiner_batch(fine_faces, [0, 1, 2], np.random.default_rng(seed)) for seed in (3, 3, 4)
    )
    assert np.array_equal(one.patches, other.patches)
    assert not np.array_equal(one.patches, third.patches)


def test_lay_over_shows_the_fill_in_its_hole_alone():
    around = np.full((256, 256, 3), 40, np.float32)
    hole = np.zeros((128, 128), bool)
    hole[32:96, 48:80] = True
    mixed, opacity = lay_over(np.full((128, 128, 3), 200, np.uint8), hole, around)
    assert np.allclose(mixed[66:190, 98:158], 200, atol=0.01)
    assert np.allclose(mixed[:60], 40, atol=0.01)
    assert opacity[100, 128] == 1 and opacity[100, 20] == 0
    assert np.abs(opacity.mean() - hole.mean()) < 1e-3

"""Background replacement: a wall of one colour behind the person, whose own pixels stay."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from trainer.augment import background_replacement, lighting
from trainer.augment.background_replacement import replace_background
from trainer.augment.views import draw_view
from trainer.data.face_set import FaceSet


@pytest.fixture
def scene() -> tuple[np.ndarray, np.ndarray]:
    """A green person before a red and blue check, with a soft edge between them, and the matte."""
    across = np.arange(96)
    matte = np.broadcast_to(np.clip((across - 40) / 8, 0, 1), (96, 96)).astype(np.float32)
    check = np.zeros((96, 96, 3), np.float32)
    check[..., 0] = 200 * ((across[:, None] // 6 + across // 6) % 2)
    check[..., 2] = 200 - check[..., 0]
    person = np.array([30, 180, 40], np.float32)
    crop = check + (person - check) * matte[..., None]
    return crop.astype(np.uint8), np.rint(matte * 255).astype(np.uint8)


def test_replace_background_paints_one_wall_and_keeps_the_person(scene, monkeypatch) -> None:
    monkeypatch.setattr(background_replacement, "_SHARE", 1.0)
    crop, matte = scene
    colours = []
    for seed in range(30):
        out = replace_background(crop, matte, np.random.default_rng(seed))
        assert np.array_equal(out[matte == 255], crop[matte == 255])
        wall = out[:, :40].astype(int)
        # Neighbours differ by the light's slope alone, where the check differed by 200 levels.
        assert np.abs(np.diff(wall, axis=0)).max() <= 3 and np.abs(np.diff(wall, axis=1)).max() <= 3
        # Across the soft edge a colour lies between the wall's and the person's.
        low, high = (
            edge(np.stack([out[:, 38], out[:, 50]]), axis=0).astype(int)
            for edge in (np.min, np.max)
        )
        between = out[:, 40:50].astype(int)
        assert (between >= low[:, None] - 6).all() and (between <= high[:, None] + 6).all()
        colours.append(wall[48, 20])
    colours = np.array(colours)
    assert 0.25 < (colours.min(1) > 190).mean() < 0.8  # white walls
    assert np.ptp(colours, axis=1).max() > 60  # and coloured ones


def test_replace_background_leaves_most_photographs(scene) -> None:
    crop, matte = scene
    kept = [replace_background(crop, matte, np.random.default_rng(s)) is crop for s in range(200)]
    assert np.mean(kept) == pytest.approx(0.6, abs=0.12)
    unknown = np.full_like(matte, 255)
    assert all(
        replace_background(crop, unknown, np.random.default_rng(s)) is crop for s in range(20)
    )


def test_draw_view_shows_faces_with_a_matte_before_a_wall(
    wide_faces: FaceSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lighting, "_DARK_SHARE", 0.0)  # in the dark noise looks plain too
    crops = wide_faces.crops.copy()
    crops[:, :, :60] = np.random.default_rng(0).integers(0, 256, crops[:, :, :60].shape)
    noisy = replace(wide_faces, crops=crops)
    matte = np.zeros(crops.shape[:3], np.uint8)
    matte[:, :, 60:] = 255

    def plain_share(faces: FaceSet) -> float:
        views = [draw_view(faces, 0, np.random.default_rng(seed)) for seed in range(60)]
        return float(np.mean([view.crop[60:90, 4:24].std((0, 1)).max() < 8 for view in views]))

    assert plain_share(noisy) == 0
    assert 0.2 < plain_share(replace(noisy, matte=matte)) < 0.6

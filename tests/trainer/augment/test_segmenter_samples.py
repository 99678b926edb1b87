"""The segmenter's samples: worn masks and their exact alpha, what covers them, places without one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from inpaint_model.errors import UserError
from trainer.augment.generator_samples import Jitter
from trainer.augment.mask_styles import picture_print, training_style
from trainer.augment.occlusion import cover_up
from trainer.augment.reflections import behind_glass
from trainer.augment.segmenter_samples import Wardrobe, draw_mask_batch
from trainer.data.backgrounds import load_places
from trainer.data.face_set import FaceSet

STILL = Jitter(0, 0, 0, 0)


def test_masks_are_worn_or_not_as_asked(faces: FaceSet):
    rng = np.random.default_rng(0)
    bare = draw_mask_batch(faces, [0, 1, 2, 3], rng, STILL, bare_share=1.0)
    worn = draw_mask_batch(faces, [0, 1, 2, 3] * 4, rng, STILL, bare_share=0.0)
    assert not bare.alphas.any()
    assert np.median(worn.alphas.mean((1, 2))) > 0.1


def test_a_batch_is_repeatable(faces: FaceSet):
    one, two = (
        draw_mask_batch(faces, [0, 1, 2], np.random.default_rng(5), Jitter()) for _ in range(2)
    )
    assert np.array_equal(one.crops, two.crops)
    assert np.array_equal(one.alphas, two.alphas)


def test_what_the_picture_does_not_show_is_no_mask(faces: FaceSet):
    batch = draw_mask_batch(faces, [0] * 40, np.random.default_rng(1), Jitter(), bare_share=0.0)
    assert not (batch.alphas & ~batch.counted).any()
    assert (~batch.counted).mean((1, 2)).max() > 0.1  # some are cut by the picture's edge


def test_with_a_margin_faces_are_also_shown_smaller(wide_faces: FaceSet):
    shares = []
    for some in (wide_faces, wide_faces.canonical()):
        some = replace(some, valid=np.ones_like(some.valid))
        batch = draw_mask_batch(some, [0] * 40, np.random.default_rng(3), STILL, bare_share=0.0)
        assert batch.crops.shape == (40, 128, 128, 3)
        shares.append(np.quantile(batch.alphas.mean((1, 2)), 0.25))
    assert shares[0] < 0.85 * shares[1]


def test_any_part_of_a_place_is_bare(faces: FaceSet, photo_folder: Path):
    wardrobe = Wardrobe(places=load_places(photo_folder, limit=5))
    assert len(wardrobe.places) == 5
    batch = draw_mask_batch(
        faces, [0] * 60, np.random.default_rng(2), Jitter(), wardrobe, bare_share=1.0
    )
    assert not batch.alphas.any()
    assert batch.crops.std((1, 2, 3)).max() > 20


def test_places_need_photographs(tmp_path: Path):
    with pytest.raises(UserError, match="no such folder"):
        load_places(tmp_path / "nowhere")


def test_fingers_and_objects_take_from_the_mask_and_hair_does_not(faces: FaceSet):
    crop, alpha = faces.crops[0], np.zeros((128, 128), bool)
    alpha[70:115, 30:98] = True
    covered = hair = 0
    for seed in range(120):
        image, seen = cover_up(crop, alpha, faces.landmarks[0], np.random.default_rng(seed))
        assert not (seen & ~alpha).any()
        changed = np.abs(image.astype(int) - crop).max(-1) > 8
        lost = alpha & ~seen
        if lost.any():
            covered += 1
            assert changed[lost].mean() > 0.5
        elif changed.any():
            hair += 1
    assert covered > 5
    assert hair > 3


def test_some_faces_are_seen_through_something_that_reflects(faces: FaceSet):
    crop = faces.crops[0]
    seen = [behind_glass(crop, np.random.default_rng(seed)) for seed in range(200)]
    changed = [np.abs(one.astype(int) - crop).max(-1) > 8 for one in seen if one is not crop]
    assert 3 < len(changed) < 40
    assert 0.01 < np.median([one.mean() for one in changed]) < 0.9


def test_prints_are_parts_of_pictures(faces: FaceSet):
    one, two = (picture_print(faces.crops, np.random.default_rng(seed)) for seed in (1, 2))
    assert one.texture_rgb.shape == two.texture_rgb.shape == (208, 256, 3)
    assert one.texture_rgb.std() > 5
    assert not np.array_equal(one.texture_rgb, two.texture_rgb)


def test_styles_cover_unusual_cuts():
    rng = np.random.default_rng(0)
    styles = [training_style(rng) for _ in range(400)]
    assert any(style.valve == "both" for style in styles)
    assert any(style.fit.bottom_y < -11 and style.straps == "none" for style in styles)
    assert any(style.pattern_cm > 3 for style in styles)
    assert any(style.fit.bulge > 2.5 for style in styles)

"""The segmenter's samples: worn masks, occlusions, reflections, backgrounds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from inpaint_model.errors import UserError
from trainer.augment.generator_samples import Jitter
from trainer.augment.mask_styles import picture_print, random_training_style
from trainer.augment.reflections import add_reflections
from trainer.augment.segmenter_samples import MaskSources, draw_segmenter_batch
from trainer.data.backgrounds import load_backgrounds
from trainer.data.face_set import FaceSet

STILL = Jitter(0, 0, 0, 0)


def test_segmenter_batch_follows_bare_share(faces: FaceSet):
    rng = np.random.default_rng(0)
    bare = draw_segmenter_batch(faces, [0, 1, 2, 3], rng, STILL, bare_share=1.0)
    worn = draw_segmenter_batch(faces, [0, 1, 2, 3] * 4, rng, STILL, bare_share=0.0)
    assert not bare.masks.any()
    assert np.median(worn.masks.mean((1, 2))) > 0.1


def test_segmenter_batch_is_repeatable(faces: FaceSet):
    one, two = (
        draw_segmenter_batch(faces, [0, 1, 2], np.random.default_rng(5), Jitter()) for _ in range(2)
    )
    assert np.array_equal(one.crops, two.crops)
    assert np.array_equal(one.masks, two.masks)


def test_segmenter_batch_has_no_mask_outside_photograph(faces: FaceSet):
    batch = draw_segmenter_batch(
        faces, [0] * 40, np.random.default_rng(1), Jitter(), bare_share=0.0
    )
    assert not (batch.masks & ~batch.valid).any()
    assert (~batch.valid).mean((1, 2)).max() > 0.1  # some are cut by the picture's edge


def test_segmenter_batch_with_margin_has_wider_crops(wide_faces: FaceSet):
    shares = []
    for some in (wide_faces, wide_faces.canonical()):
        some = replace(some, valid=np.ones_like(some.valid))
        batch = draw_segmenter_batch(
            some, [0] * 40, np.random.default_rng(3), STILL, bare_share=0.0
        )
        assert batch.crops.shape == (40, 128, 128, 3)
        shares.append(np.quantile(batch.masks.mean((1, 2)), 0.25))
    assert shares[0] < 0.85 * shares[1]


def test_segmenter_batch_of_backgrounds_is_bare(faces: FaceSet, photo_folder: Path):
    sources = MaskSources(backgrounds=load_backgrounds(photo_folder, limit=5))
    assert len(sources.backgrounds) == 5
    batch = draw_segmenter_batch(
        faces, [0] * 60, np.random.default_rng(2), Jitter(), sources, bare_share=1.0
    )
    assert not batch.masks.any()
    assert batch.crops.std((1, 2, 3)).max() > 20


def test_load_backgrounds_without_folder_is_refused(tmp_path: Path):
    with pytest.raises(UserError, match="no such folder"):
        load_backgrounds(tmp_path / "nowhere")


def test_add_reflections_changes_some_crops(faces: FaceSet):
    crop = faces.crops[0]
    seen = [add_reflections(crop, np.random.default_rng(seed)) for seed in range(200)]
    changed = [np.abs(one.astype(int) - crop).max(-1) > 8 for one in seen if one is not crop]
    assert 3 < len(changed) < 40
    assert 0.01 < np.median([one.mean() for one in changed]) < 0.9


def test_picture_print_differs_by_seed(faces: FaceSet):
    one, two = (picture_print(faces.crops, np.random.default_rng(seed)) for seed in (1, 2))
    assert one.texture_rgb.shape == two.texture_rgb.shape == (208, 256, 3)
    assert one.texture_rgb.std() > 5
    assert not np.array_equal(one.texture_rgb, two.texture_rgb)


def test_random_training_style_covers_unusual_cuts():
    rng = np.random.default_rng(0)
    styles = [random_training_style(rng) for _ in range(400)]
    assert any(style.valve == "both" for style in styles)
    assert any(style.fit.bottom_y < -11 and style.straps == "none" for style in styles)
    assert any(style.pattern_cm > 3 for style in styles)
    assert any(style.fit.bulge > 2.5 for style in styles)

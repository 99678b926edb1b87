"""What faces wear and what is before them: the labels say what of a mask is in view, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import cv2
import numpy as np
import pytest

from realtime.synthetic import preset_style, silhouette
from trainer.augment import dressing
from trainer.augment.canvas import Canvas
from trainer.augment.cloth import hang_below, wear_drape, wear_hood, wear_under_chin
from trainer.augment.dressing import dressed
from trainer.augment.eyewear import add_eyewear
from trainer.augment.hands import add_hand
from trainer.augment.held_things import add_thing
from trainer.augment.lighting import change_light
from trainer.augment.mask_styles import random_training_style
from trainer.augment.overlays import add_overlay
from trainer.augment.views import view_of
from trainer.data.face_set import FaceSet

Add = Callable[[Canvas, np.random.Generator], Canvas]


@pytest.fixture
def canvas(wide_faces: FaceSet) -> Canvas:
    view = view_of(wide_faces, 0)
    return Canvas.of(view.crop, view.landmarks)


def _masked(canvas: Canvas) -> Canvas:
    """The face with a box of skin that counts as its mask."""
    alpha = np.zeros(canvas.shape, bool)
    alpha[115:165, 70:150] = True
    return replace(canvas, alpha=alpha)


def _at(canvas: Canvas, x: float, y: float, z: float) -> tuple[int, int]:
    column, row = canvas.at(x, y, z).astype(int)
    return int(row), int(column)


def test_dressed_bare_face_has_no_mask(wide_faces: FaceSet):
    view, rng = view_of(wide_faces, 0), np.random.default_rng(0)
    drawn = [dressed(view, wide_faces.crops, rng, masked=False) for _ in range(30)]
    assert not any(alpha.any() for _, alpha in drawn)
    lower = np.s_[115:165, 70:150]  # nose, mouth and chin
    changed = [np.abs(crop.astype(int) - view.crop)[lower].mean() > 15 for crop, _ in drawn]
    assert 8 <= sum(changed) <= 26


def test_dressed_masked_face_keeps_most_of_its_mask(wide_faces: FaceSet):
    view, rng = view_of(wide_faces, 0), np.random.default_rng(1)
    shares = [dressed(view, wide_faces.crops, rng, masked=True)[1].mean() for _ in range(60)]
    shape = view.valid.shape
    whole = [silhouette(view.landmarks, random_training_style(rng), shape) > 0 for _ in range(60)]
    assert np.median(shares) > 0.75 * np.median([one.mean() for one in whole])


def test_dressed_mask_holds_straps_thinner_than_a_pixel(
    wide_faces: FaceSet, monkeypatch: pytest.MonkeyPatch
):
    thin = replace(preset_style("surgical"), strap_cm=0.08)
    monkeypatch.setattr(dressing, "random_training_style", lambda *_: thin)
    view, rng = view_of(wide_faces, 0), np.random.default_rng(0)
    straps = silhouette(view.landmarks, replace(thin, strap_cm=0.25), view.valid.shape) > 0
    straps &= silhouette(view.landmarks, replace(thin, straps="none"), view.valid.shape) == 0
    assert straps.sum() > 40
    seen = [dressed(view, wide_faces.crops, rng, masked=True)[1][straps].mean() for _ in range(9)]
    assert max(seen) > 0.95  # where nothing hides them


@pytest.mark.parametrize("what", ["thing", "hand", "eyewear", "hood"])
def test_add_hides_the_mask_where_it_is(what: str, canvas: Canvas, wide_faces: FaceSet):
    adds: dict[str, Add] = {
        "thing": partial(add_thing, pictures=wide_faces.crops),
        "hand": add_hand,
        "eyewear": add_eyewear,
        "hood": partial(wear_hood, pictures=wide_faces.crops),
    }
    whole, hidden = replace(canvas, alpha=np.ones(canvas.shape, bool)), 0.0
    for seed in range(8):
        seen = adds[what](whole, np.random.default_rng(seed))
        lost = ~seen.alpha
        changed = np.abs(seen.crop.astype(int) - canvas.crop).max(-1) > 8
        assert changed[lost].mean() > 0.5 if lost.any() else True
        hidden += lost.mean()
    assert hidden / 8 > 0.01


def test_wear_drape_is_mask_down_to_the_edge(canvas: Canvas, wide_faces: FaceSet):
    worn = [wear_drape(canvas, np.random.default_rng(seed), wide_faces.crops) for seed in range(12)]
    assert all(one.alpha[_at(canvas, 0, -4, 6)] for one in worn)
    assert not any(one.alpha[_at(canvas, 0, 6, 6)] for one in worn)
    assert sum(one.alpha[-1].any() for one in worn) > 2


def test_hang_below_adds_to_the_mask_alone(canvas: Canvas):
    masked = _masked(canvas)
    for seed in range(4):
        hung = hang_below(masked, (0.5, 0.5, 0.5), np.random.default_rng(seed))
        assert hung.alpha[masked.alpha].all()
        assert hung.alpha[-1].any()
        inside = cv2.erode(masked.alpha.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
        assert np.abs(hung.crop.astype(int) - masked.crop)[inside].max() <= 1


def test_wear_under_chin_leaves_the_face(canvas: Canvas, wide_faces: FaceSet):
    masked = _masked(canvas)
    mouth = _at(canvas, 0, -4, 6)
    for seed in range(4):
        worn = wear_under_chin(canvas, np.random.default_rng(seed), wide_faces.crops)
        changed = np.abs(worn.crop.astype(int) - canvas.crop).max(-1) > 30
        assert changed[-20:].any()
        assert not changed[: mouth[0], 80:144].any()
        assert not worn.alpha.any()
    assert masked.alpha.any()


@pytest.mark.parametrize("change", [change_light, add_overlay])
def test_change_leaves_most_pictures(change: Callable, canvas: Canvas):
    picture = canvas.crop[:128, :128]
    seen = [change(picture, np.random.default_rng(seed)) for seed in range(120)]
    others = [one for one in seen if one is not picture]
    assert 2 <= len(others) <= 40
    assert all((one != picture).any() and one.dtype == np.uint8 for one in others)

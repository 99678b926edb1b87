"""Ear loops that are not behind the ears: thin lines of the strap's colour from the mask outwards."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from realtime.synthetic import MaskStyle, preset_style, render_mask
from trainer.augment.canvas import Canvas
from trainer.augment.loose_straps import add_loose_straps
from trainer.augment.views import view_of
from trainer.data.face_set import FaceSet


@pytest.fixture
def style() -> MaskStyle:
    return replace(preset_style("surgical"), straps="none", strap_rgb=(0.9, 0.1, 0.1))


@pytest.fixture
def masked(wide_faces: FaceSet, style: MaskStyle) -> Canvas:
    view = view_of(wide_faces, 0)
    worn = render_mask(view.crop, view.landmarks, style)
    canvas = Canvas.of(view.crop, view.landmarks)
    return replace(canvas, crop=worn.image_rgb, alpha=worn.alpha > 0)


def test_add_loose_straps_thin_lines_from_the_mask_outwards(masked: Canvas, style: MaskStyle):
    near = cv2.dilate(masked.alpha.view(np.uint8), np.ones((5, 5), np.uint8)) > 0
    for seed in range(12):
        canvas = add_loose_straps(masked, style, np.random.default_rng(seed))
        loops = canvas.alpha & ~masked.alpha
        assert canvas.alpha[masked.alpha].all()
        assert 20 < loops.sum() < 0.3 * masked.alpha.sum()
        assert (loops & near).any()  # they begin at the mask
        thin = cv2.erode(loops.view(np.uint8), np.ones((7, 7), np.uint8))
        assert not thin.any()


def test_add_loose_straps_are_painted_where_they_are_marked(masked: Canvas, style: MaskStyle):
    canvas = add_loose_straps(masked, style, np.random.default_rng(0))
    loops = canvas.alpha & ~masked.alpha
    red, green = (canvas.crop[..., channel].astype(int) for channel in (0, 1))
    were = (masked.crop[..., channel].astype(int) for channel in (0, 1))
    redder = (red - green) - np.subtract(*were)
    assert np.median(redder[loops]) > 25
    assert (
        np.abs(redder[~cv2.dilate(loops.view(np.uint8), np.ones((9, 9))).astype(bool)]).max() <= 4
    )

"""Fills hold still on a still face, follow what moves, and begin anew where the step does."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from realtime.frames import CropChange, Fill, SegmentedFace
from realtime.inpaint.temporal_blend import TemporalBlend

HOLE = np.zeros((128, 128), bool)
HOLE[70:120, 30:100] = True
STILL = CropChange(epoch=1, motion=0.0, interval_s=1 / 30)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def blend(
    step: TemporalBlend, filled: NDArray[np.uint8], hole: NDArray[np.bool_], change: CropChange
) -> NDArray[np.uint8]:
    return step(Fill(filled), SegmentedFace.of_crop(filled, hole, change=change)).rgb


def crop(level: int = 120) -> NDArray[np.uint8]:
    return np.full((128, 128, 3), level, np.uint8)


def test_temporal_blend_still_face_changes_only_the_hole(
    rng: np.random.Generator,
) -> None:
    step, raw, calm = TemporalBlend(), [], []
    for _ in range(30):
        filled = np.clip(crop() + rng.normal(0, 4, (128, 128, 3)), 0, 255).astype(np.uint8)
        shown = blend(step, filled, HOLE, STILL)
        assert np.array_equal(shown[~HOLE], filled[~HOLE])
        raw.append(filled[HOLE].astype(float))
        calm.append(shown[HOLE].astype(float))
    assert np.abs(np.diff(calm[5:], axis=0)).mean() < 0.4 * np.abs(np.diff(raw[5:], axis=0)).mean()


@pytest.mark.parametrize(
    "change", [CropChange(epoch=1, motion=12.0, interval_s=1 / 30), CropChange(2, 0.0, 1 / 30)]
)
def test_temporal_blend_moving_face_or_new_epoch_takes_new_fill(change: CropChange) -> None:
    step = TemporalBlend()
    blend(step, crop(100), HOLE, STILL)
    assert blend(step, crop(105), HOLE, change)[HOLE].min() == 105


def test_temporal_blend_more_motion_counts_the_new_fill_more() -> None:
    shown = []
    for motion in (0.0, 1.0, 3.0, 4.75, 7.0, 12.0):
        step = TemporalBlend()
        blend(step, crop(100), HOLE, STILL)
        change = CropChange(epoch=1, motion=motion, interval_s=1 / 30)
        shown.append(int(blend(step, crop(108), HOLE, change)[HOLE].max()))
    assert shown == sorted(shown)
    assert shown[0] == shown[1] < 103 < shown[3] < 106 < shown[4] and shown[-1] == 108


def test_temporal_blend_fill_that_changes_much_shows_at_once() -> None:
    shown = {}
    for level in (105, 128, 170):
        step = TemporalBlend()
        blend(step, crop(100), HOLE, STILL)
        shown[level] = blend(step, crop(level), HOLE, STILL)[HOLE].mean()
    assert shown[105] < 102 and 110 < shown[128] < 120 and shown[170] == 170


def test_temporal_blend_grown_hole_shows_no_earlier_fill() -> None:
    step = TemporalBlend()
    before = crop()
    before[~HOLE] = 180  # the mask's rim, not yet part of the hole
    blend(step, before, HOLE, STILL)
    grown = np.zeros_like(HOLE)
    grown[60:125, 20:110] = True
    assert (blend(step, crop(), grown, STILL) == 120).all()


def test_a_forgotten_face_begins_anew() -> None:
    step = TemporalBlend()
    blend(step, crop(100), HOLE, STILL)
    step.keep_only({7})
    assert blend(step, crop(105), HOLE, STILL)[HOLE].min() == 105
    step.reset()
    assert blend(step, crop(110), HOLE, STILL)[HOLE].min() == 110

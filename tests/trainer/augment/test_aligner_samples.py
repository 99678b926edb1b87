"""The face aligner's samples: faces lie as their labels say, everything else is labelled no face."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from realtime.align.affine import apply
from trainer.augment import aligner_views
from trainer.augment.aligner_samples import AlignerBatch, draw_aligner_batch
from trainer.augment.aligner_views import AlignerViews
from trainer.augment.batch_augment import pack_views
from trainer.augment.degradation import blur_by_motion, degrade
from trainer.augment.patterns import PATTERN_PX, random_pattern
from trainer.augment.views import DrawnView, View
from trainer.data.face_set import FaceSet

_GREEN = np.full((90, 120, 3), (0, 255, 0), np.uint8)


def _views(faces: FaceSet, count: int, bare_share: float, places=()) -> list[DrawnView]:
    draw, rng = AlignerViews(places, bare_share), np.random.default_rng(0)
    return [draw(faces, index % len(faces), rng) for index in range(count)]


def _batch(views: list[DrawnView], *, places=(), colour=0.9, face_share=0.5) -> AlignerBatch:
    matrices, rng = np.stack([view.to_canonical for view in views]), np.random.default_rng(1)
    return draw_aligner_batch(pack_views(views).numpy(), matrices, places, rng, colour, face_share)


def _with_dots(faces: FaceSet, landmark: int) -> FaceSet:
    """Black crops, with a white dot at a landmark."""
    crops = np.zeros_like(faces.crops)
    for crop, points in zip(crops, faces.landmarks, strict=True):
        x, y = np.rint(points[landmark]).astype(int) + faces.margin_px
        crop[y - 3 : y + 4, x - 3 : x + 4] = 255
    return replace(faces, crops=crops)


def _brightest(square: NDArray[np.uint8]) -> NDArray[np.float64]:
    grey = square.mean(2)
    return np.argwhere(grey >= 0.8 * grey.max())[:, ::-1].mean(0)


def test_aligner_view_is_masked_or_bare(wide_faces: FaceSet):
    worn, bare = _views(wide_faces, 12, 0.0), _views(wide_faces, 12, 1.0)
    assert np.median([view.hole.mean() for view in worn]) > 0.04
    assert not any(view.hole.any() for view in bare)
    assert {view.crop.shape for view in worn + bare} == {(112, 112, 3)}


def test_aligner_view_shows_places_outside_photograph(wide_faces: FaceSet):
    valid = wide_faces.valid.copy()
    valid[:, :, :60] = False
    views = _views(replace(wide_faces, valid=valid), 20, 1.0, [_GREEN])
    green = [np.mean((view.crop == (0, 255, 0)).all(2)) for view in views]
    assert 6 <= sum(share > 0.1 for share in green) <= 19


@pytest.mark.parametrize("landmark", [2, 33])  # below the nose; the corner of an eye
def test_aligner_labels_say_where_landmarks_lie(
    wide_faces: FaceSet, landmark: int, monkeypatch: pytest.MonkeyPatch
):
    def undressed(view: View, *_: object, **__: object):
        return view.crop, np.zeros_like(view.valid)

    monkeypatch.setattr(aligner_views, "dressed", undressed)  # what lies over a dot would hide it
    dots = _with_dots(wide_faces, landmark)
    batch = _batch(_views(dots, 60, 1.0), colour=0.0, face_share=1.0)
    errors = []
    for index, (square, wanted) in enumerate(zip(batch.squares, batch.wanted, strict=True)):
        across, down = wanted[4:]
        linear = np.array([[across, -down], [down, across]]) * 64 / 48
        centre = (wanted[2:4] + 0.5) * 64
        at = wide_faces.landmarks[index % len(wide_faces)][landmark]
        either = np.stack([at, (127 - at[0], at[1])])  # half of them are mirrored
        lies = apply(np.column_stack([linear, centre]), either - 63.5)
        errors.append(np.hypot(*(lies - _brightest(square)).T).min())
    assert np.median(errors) < 1.0  # landmarks of rotated heads lie elsewhere


def test_aligner_batch_has_labels_in_range(wide_faces: FaceSet):
    batch = _batch(_views(wide_faces, 8, 0.5) * 25, places=[_GREEN])
    assert (batch.squares.dtype, batch.squares.shape) == (np.uint8, (200, 64, 64, 3))
    faces = batch.wanted[batch.wanted[:, 0] > 0]
    assert 70 < len(faces) < 130
    assert not batch.wanted[batch.wanted[:, 0] == 0].any()
    assert set(faces[:, 1]) == {0.0, 1.0}
    assert np.abs(faces[:, 2:4]).max() < 0.26
    sizes = np.hypot(faces[:, 4], faces[:, 5]) * 128 / 48
    assert 0.68 < sizes.min() < 0.8 and 1.4 < sizes.max() < 1.62
    angles = np.arctan2(faces[:, 5], faces[:, 4])
    assert (np.abs(angles) > np.pi / 2).mean() > 0.1  # some are upside down
    assert (np.abs(angles) < np.pi / 6).mean() > 0.35


def test_aligner_batch_without_faces_is_labelled_none(wide_faces: FaceSet):
    batch = _batch(_views(wide_faces, 40, 0.5), places=[_GREEN], colour=0.0, face_share=0.0)
    assert not batch.wanted.any()
    green = (np.abs(batch.squares.astype(int) - (0, 255, 0)) < 60).all(3).mean((1, 2)) > 0.9
    assert 8 < green.sum() < 36  # the others are parts of faces, and patterns


def test_aligner_batch_is_repeatable(wide_faces: FaceSet):
    one, two = (_batch(_views(wide_faces, 6, 0.5)) for _ in range(2))
    assert np.array_equal(one.squares, two.squares) and np.array_equal(one.wanted, two.wanted)


def test_random_pattern_has_detail():
    rng = np.random.default_rng(0)
    patterns = [random_pattern(rng) for _ in range(40)]
    assert {pattern.shape for pattern in patterns} == {(PATTERN_PX, PATTERN_PX, 3)}
    assert np.median([pattern.std() for pattern in patterns]) > 20


def test_degradation_keeps_size_and_takes_detail(wide_faces: FaceSet):
    square, rng = (
        np.ascontiguousarray(wide_faces.crops[0][48:112, 80:144]),
        np.random.default_rng(0),
    )

    def detail(picture: NDArray[np.uint8]) -> float:
        return float(np.abs(np.diff(picture.astype(float), axis=1)).mean())

    assert {degrade(square, rng, 1.0).shape for _ in range(20)} == {(64, 64, 3)}
    smeared = [blur_by_motion(square, rng) for _ in range(20)]
    assert all(np.isclose(one.mean(), square.mean(), atol=4) for one in smeared)
    assert np.median([detail(one) for one in smeared]) < 0.9 * detail(square)

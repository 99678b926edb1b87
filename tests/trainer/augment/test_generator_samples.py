"""The generator's samples: holes, and the pixels that count in the loss."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from realtime.align.face_silhouette import face_silhouette
from trainer.augment import views
from trainer.augment.generator_samples import Jitter, draw_generator_batch, draw_wider_protocol
from trainer.augment.holes import (
    draw_protocol,
    extend_hole_forward,
    loosen,
    protocol_mask_hole,
    square_hole,
)
from trainer.data.face_set import FaceSet


def test_square_hole_has_sides_of_24_to_48():
    rng = np.random.default_rng(0)
    sides = set()
    for _ in range(400):
        hole = square_hole(rng)
        height, width = hole.any(1).sum(), hole.any(0).sum()
        assert height == width
        assert hole.sum() == height * width
        sides.add(int(height))
    assert min(sides) == 24
    assert max(sides) == 48


def test_loosen_reaches_out_to_both_sides_and_down():
    hole = np.zeros((128, 128), bool)
    hole[60:90, 50:80] = True
    reached = []
    for seed in range(60):
        loose = loosen(hole, np.random.default_rng(seed))
        rows, columns = np.flatnonzero(loose.any(1)), np.flatnonzero(loose.any(0))
        assert loose[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].all()
        assert rows[0] == 60
        reached.append((50 - columns[0], columns[-1] - 79, rows[-1] - 89))
    assert np.min(reached, 0).tolist() == [0, 0, 0]
    assert np.max(reached, 0).tolist() == [14, 14, 6]


def test_extend_hole_forward_follows_the_yaw():
    hole = np.zeros((128, 128), bool)
    hole[60:90, 50:80] = True
    for yaw, side in ((1.2, 1), (-1.2, -1)):
        reached = [
            extend_hole_forward(hole, yaw, np.random.default_rng(seed)) & ~hole
            for seed in range(20)
        ]
        columns = np.concatenate([np.nonzero(one.any(0))[0] for one in reached])
        ahead = columns >= 80 if side > 0 else columns < 50
        behind = columns < 50 if side > 0 else columns >= 80
        assert ahead.sum() > 60 and not behind.any()
        beyond = slice(80, None) if side > 0 else slice(0, 50)
        widest = max(one[:, beyond].any(0).sum() for one in reached)
        assert 12 <= widest <= 20


def test_protocol_mask_hole_covers_share_and_mouth(faces: FaceSet):
    rng = np.random.default_rng(1)
    for landmarks in faces.landmarks[:6]:
        hole = protocol_mask_hole(landmarks, rng)
        assert 0.20 <= hole.mean() <= 0.45
        mouth = landmarks[13]
        assert hole[int(mouth[1]), int(mouth[0])] or hole[int(mouth[1]) + 8, int(mouth[0])]


def test_generator_batch_is_repeatable(faces: FaceSet):
    one, two = (
        draw_generator_batch(faces, [0, 1, 2], np.random.default_rng(5), Jitter()) for _ in range(2)
    )
    assert np.array_equal(one.crops, two.crops)
    assert np.array_equal(one.holes, two.holes)


def test_generator_batch_valid_holes_are_known(faces: FaceSet):
    valid = faces.valid.copy()
    valid[:, 90:] = False
    cut = FaceSet(faces.crops, valid, faces.landmarks, faces.split, faces.source, faces.identity)
    batch = draw_generator_batch(cut, [0] * 8, np.random.default_rng(0), Jitter(0, 0, 0, 0))
    assert not (batch.valid_holes & ~batch.holes).any()
    assert not batch.valid_holes[:, 92:].any()
    assert batch.valid_holes.any()


def test_generator_batch_cuts_some_crops_at_edges(faces: FaceSet):
    whole = Jitter(0, 0, 0, 0)
    indices = [0] * 200
    batch = draw_generator_batch(faces, indices, np.random.default_rng(0), whole)
    edges = [batch.holes[:, 20, -1], batch.holes[:, 20, 0], batch.holes[:, -1, 4]]
    shares = [edge.mean() for edge in edges]
    assert all(0.05 < share < 0.4 for share in shares), shares
    cut_right = batch.holes[:, :, -1].all(1)
    assert cut_right.any() and not batch.valid_holes[cut_right, :, -1].any()
    squares = draw_generator_batch(faces, indices, np.random.default_rng(0), whole, "squares")
    assert not squares.holes.all(1).any()


def test_noise_lies_round_the_hole_alone(wide_faces: FaceSet, monkeypatch: pytest.MonkeyPatch):
    drawn = []
    for share in (0.0, 1.0):
        monkeypatch.setattr(views, "_NOISY_SHARE", share)
        drawn.append(
            [views.draw_view(wide_faces, 0, np.random.default_rng(seed)) for seed in range(20)]
        )
    for clean, noisy in zip(*drawn, strict=True):
        assert np.array_equal(noisy.hole, clean.hole)
        assert np.array_equal(noisy.crop[clean.hole], clean.crop[clean.hole])
        apart = noisy.crop[~clean.hole].astype(float) - clean.crop[~clean.hole]
        assert 0.2 < apart.std() < 15


def test_degraded_views_have_less_detail_in_hole_and_surroundings(
    wide_faces: FaceSet, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(views, "_NOISY_SHARE", 0.0)

    def detail(share: float) -> NDArray[np.float64]:
        monkeypatch.setattr(views, "_DEGRADED_SHARE", share)
        found = []
        for seed in range(40):
            view = views.draw_view(wide_faces, 0, np.random.default_rng(seed))
            fine = np.abs(cv2.Laplacian(view.crop.astype(np.float32), cv2.CV_32F)).mean(-1)
            found.append([fine[view.hole].mean(), fine[~view.hole].mean()])
        return np.mean(found, 0)

    sharp, soft = detail(0.0), detail(1.0)
    assert (soft < 0.9 * sharp).all(), (sharp, soft)


def test_draw_protocol_unknown_is_refused(faces: FaceSet):
    with pytest.raises(KeyError):
        draw_protocol(faces, "circles")


def test_generator_batch_with_margin_has_wider_crops(
    wide_faces: FaceSet, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(views, "_ROTATED_SHARE", 0.0)
    wide = replace(wide_faces, valid=np.ones_like(wide_faces.valid))
    still, rng = Jitter(0, 0, 0, 0), np.random.default_rng(3)
    batch = draw_generator_batch(wide, [0] * 200, rng, still)
    plain = draw_generator_batch(wide.canonical(), [0] * 200, rng, still)
    sizes = [np.quantile(some.valid_holes.mean((1, 2)), 0.25) for some in (batch, plain)]
    assert batch.crops.shape == plain.crops.shape
    assert sizes[0] < 0.85 * sizes[1]


def test_wider_protocol_has_two_face_sizes(wide_faces: FaceSet):
    wide = replace(wide_faces, valid=np.ones_like(wide_faces.valid))
    plain, rotated = (draw_wider_protocol(wide, rotate=rotate) for rotate in (False, True))
    sizes = plain.valid_holes.sum((1, 2))
    assert len(sizes) == len(wide)
    assert np.median(sizes[1::2]) / np.median(sizes[::2]) == pytest.approx(
        (0.64 / 0.8) ** 2, rel=0.2
    )
    assert np.std(rotated.valid_holes.sum((1, 2))) > 1.2 * np.std(sizes)  # profiles among them
    few = wide.where(np.arange(len(wide)) < 3)
    one, two = (draw_wider_protocol(few, rotate=True) for _ in range(2))
    assert np.array_equal(one.crops, two.crops) and np.array_equal(one.holes, two.holes)


def test_generator_batch_tells_most_silhouettes_a_little_wrong(wide_faces: FaceSet):
    still, rng = Jitter(0, 0, 0, 0), np.random.default_rng(4)
    plain = wide_faces.canonical()
    batch = draw_generator_batch(plain, [0] * 120, rng, still)
    told = batch.beside.any((1, 2))
    assert told.mean() == pytest.approx(0.75, abs=0.12)
    true = face_silhouette(plain.landmarks[0], (128, 128))
    true = np.stack([true, true[:, ::-1]])  # half of the crops are mirrored
    wrong = (batch.beside[told, None] == true).sum((2, 3)).min(1) / true[0].sum()
    assert 0.005 < np.median(wrong) < 0.05 and wrong.max() < 0.15


def test_generator_batch_loosens_holes_only_where_the_silhouette_is_told(wide_faces: FaceSet):
    still, rng = Jitter(0, 0, 0, 0), np.random.default_rng(5)
    plain = wide_faces.canonical()
    batch = draw_generator_batch(plain, [0] * 300, rng, still)
    told = batch.beside.any((1, 2))
    true = face_silhouette(plain.landmarks[0], (128, 128))
    near = cv2.dilate((true | true[:, ::-1]).astype(np.uint8), np.ones((15, 15), np.uint8)) > 0
    far = (batch.valid_holes & ~near).sum((1, 2)) / batch.valid_holes.sum((1, 2)).clip(1)
    assert far[told].mean() > 2 * far[~told].mean()

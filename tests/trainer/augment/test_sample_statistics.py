"""Samples of both samplers have the same statistics: geometry, headgear, holes, edges and colours.

The geometry is read from a coded photograph: its green grows with x, its blue with y, and its red is
constant, so that a sample shows its scale and mirroring, and other red is a cap or sunglasses.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from inpaint_model.holes import BESIDE_FACE
from trainer.augment import headgear, lighting, side_light, views
from trainer.augment.device_sampler import DeviceSampler
from trainer.augment.finish import Jitter
from trainer.augment.generator_samples import GeneratorBatch, draw_generator_batch
from trainer.data.face_set import FaceSet

_RED, _LOW, _STEP = 128, 20, 0.9  # the coded photograph: levels, and levels a pixel
_FAR = 48  # pixels between which steps are measured
_BATCH, _COUNT = 50, 400
_GEOMETRY = Jitter(rotation_deg=5, scale=0.1, shift_px=4, colour=0)
_COLOUR = replace(_GEOMETRY, colour=0.6)
_CHANGE_COLOURS = {
    side_light: ["_SHARE"],
    lighting: ["_COLOURED_SHARE", "_DARK_SHARE", "_GLARE_SHARE"],
    views: ["_DEGRADED_SHARE", "_NOISY_SHARE"],
}

Sampler = Callable[[FaceSet, Jitter, int], list[GeneratorBatch]]
Figures = dict[str, Any]  # float or bool [N] each


def _coded(faces: FaceSet) -> FaceSet:
    """Coded photographs; those of every second face go on around the crop."""
    side = faces.crops.shape[1]
    level = np.round(_LOW + _STEP * np.arange(side)).astype(np.uint8)
    crops = np.full_like(faces.crops, _RED)
    crops[..., 1], crops[..., 2] = level, level[:, None]
    valid = faces.valid.copy()
    valid[::2] = True
    return replace(faces, crops=crops, valid=valid)


def _by_numpy(faces: FaceSet, jitter: Jitter, count: int) -> list[GeneratorBatch]:
    rng, order = np.random.default_rng(1), np.random.default_rng(2).permutation(count)
    chosen = [int(at) for at in order % len(faces)]
    return [
        draw_generator_batch(faces, chosen[at : at + _BATCH], rng, jitter)
        for at in range(0, count, _BATCH)
    ]


def _by_device(faces: FaceSet, jitter: Jitter, count: int) -> list[GeneratorBatch]:
    # A bank of 96 views: each is used once, some twice or not at all.
    sampler = DeviceSampler(
        faces, torch.device("cpu"), jitter, "masks", 3, capacity=96, reuse=1, workers=0
    )
    batches = []
    for at in range(0, count, _BATCH):
        drawn = sampler.draw([0] * _BATCH, at, np.random.default_rng([4, at]))
        crops = ((drawn.real + 1) * 127.5).round().byte().permute(0, 2, 3, 1).numpy()
        holes, beside, valid_holes = (
            part[:, 0].numpy()
            for part in (drawn.holes > 0, drawn.holes == BESIDE_FACE, drawn.valid_holes > 0)
        )
        rotated = drawn.rotated.numpy()
        batches.append(GeneratorBatch(crops, holes, valid_holes, drawn.shift, rotated, beside))
    return batches


def _geometry(batch: GeneratorBatch) -> Figures:
    """Figures of each sample of a coded photograph, [N] each."""
    levels = batch.crops.astype(np.int16)
    near, far = levels[:, :-_FAR:4, :-_FAR:4], levels[:, _FAR::4, _FAR::4]
    right, below = levels[:, :-_FAR:4, _FAR::4], levels[:, _FAR::4, :-_FAR:4]
    down = np.median(np.stack([below - near, far - right])[..., 2], (0, 2, 3)) / _FAR
    along = np.median(np.stack([right - near, far - below])[..., 2], (0, 2, 3)) / _FAR
    across = np.median((right - near)[..., 1], (1, 2))
    scale = _STEP / np.maximum(np.hypot(down, along), 0.1)
    other = np.abs(levels[..., 0] - _RED) > 8
    cap = other[:, :25].mean((1, 2)) > 0.05
    rows, columns = np.arange(128)[:, None], np.arange(128)
    hole, valid = batch.holes, ~batch.holes | batch.valid_holes
    masks = batch.valid_holes
    area = np.maximum(masks.sum((1, 2)), 1)
    beside = masks & batch.beside
    x, y = (masks * columns).sum((1, 2)) / area, (masks * rows).sum((1, 2)) / area
    return {
        "rotated": batch.rotated,
        "mirrored": across < 0,
        "scale": scale,
        "scale squared": scale**2,
        "tilt": np.abs(along / np.maximum(down, 0.1)),
        "cap": cap,
        "sunglasses": ~cap & (other.mean((1, 2)) > 0.01),
        "hole": masks.mean((1, 2)),
        "hole squared": masks.mean((1, 2)) ** 2,
        "hole x": x,
        "hole y": y,
        "hole x spread": np.abs(x - 63.5),
        "beside the face": beside.mean((1, 2)),
        "told what lies beside it": beside.any((1, 2)),
        "hole of a rotated head": masks.mean((1, 2)) * batch.rotated,
        "outside the photograph": hole.mean((1, 2)) - masks.mean((1, 2)),
        "cut on the left": ~valid[:, :, 0].any(1),
        "cut on the right": ~valid[:, :, -1].any(1),
        "cut above": ~valid[:, 0].any(1),
        "cut below": ~valid[:, -1].any(1),
        "shift": np.full(len(hole), batch.shift[0] + batch.shift[1]),
    }


def _colours(batch: GeneratorBatch) -> Figures:
    """Figures of the colours of each sample, [N] each."""
    levels = batch.crops[:, ::2].astype(np.float32)
    chroma = np.ptp(levels, axis=-1).mean((1, 2))
    return {
        "red": levels[..., 0].mean((1, 2)),
        "green": levels[..., 1].mean((1, 2)),
        "blue": levels[..., 2].mean((1, 2)),
        "contrast": levels.std((1, 2, 3)),
        "saturation": chroma,
        "grey": chroma < 0.5,
        "cast": np.abs(levels[..., 0] - levels[..., 2]).mean((1, 2)),
        "detail": np.abs(np.diff(levels, axis=2)).mean((1, 2, 3)),
    }


def _geometry_figures(sampler: Sampler, faces: FaceSet, count: int) -> Figures:
    """Figures of the geometry of coded photographs."""
    with pytest.MonkeyPatch.context() as patch:
        for module, names in _CHANGE_COLOURS.items():  # the coded colours must stay
            for name in names:
                patch.setattr(module, name, 0.0)
        return _joined([_geometry(part) for part in sampler(_coded(faces), _GEOMETRY, count)])


def _figures(sampler: Sampler, faces: FaceSet, count: int) -> Figures:
    """Figures of the geometry of coded photographs, and of the colours of real ones."""
    colours = [_colours(part) for part in sampler(faces.canonical(), _COLOUR, count)]
    return _geometry_figures(sampler, faces, count) | _joined(colours)


def _joined(parts: list[Figures]) -> Figures:
    return {
        name: np.concatenate([np.asarray(part[name], np.float64) for part in parts])
        for name in parts[0]
    }


def _differences(one: Figures, two: Figures) -> dict[str, str]:
    """Figures whose means differ by more than four standard errors.

    Samples of the bank may share a view: one view in six is used twice, one not at all. Therefore the
    variances count twice. All samples of a batch have one shift of the recogniser's input, so that its
    variance counts as often as a batch has samples. Rounding needs no slack: the same views and finishes
    give equal flags and, to 0.01 levels, equal crops (`test_finish_views_equals_opencv`).
    """
    lines = {}
    for name, ours in one.items():
        theirs = two[name]
        factor = _BATCH if name == "shift" else 2
        error = np.sqrt(factor * (ours.var() / len(ours) + theirs.var() / len(theirs)))
        away = abs(ours.mean() - theirs.mean()) / max(error, 1e-12)
        line = f"{name:24} {ours.mean():9.4f} {theirs.mean():9.4f} {away:6.2f} standard errors"
        print(line)
        if away > 4:
            lines[name] = line
    return lines


@pytest.fixture(scope="module")
def numpy_figures(wide_faces: FaceSet) -> Figures:
    return _figures(_by_numpy, wide_faces, _COUNT)


def test_samplers_have_equal_statistics(wide_faces: FaceSet, numpy_figures: Figures):
    assert not _differences(numpy_figures, _figures(_by_device, wide_faces, _COUNT))
    assert 0.4 < numpy_figures["rotated"].mean() < 0.6
    assert 0.05 < numpy_figures["cap"].mean() < 0.2
    assert 0.02 < numpy_figures["sunglasses"].mean() < 0.2


def test_sampler_without_parts_differs(
    wide_faces: FaceSet, numpy_figures: Figures, monkeypatch: pytest.MonkeyPatch
):
    """A sampler that leaves out caps and rotated heads is found out."""
    monkeypatch.setattr(views, "_ROTATED_SHARE", 0.0)
    for name in ("_CAP_SHARE", "_BOTH_SHARE"):
        monkeypatch.setattr(headgear, name, 0.0)
    without = _geometry_figures(_by_device, wide_faces, _COUNT)
    found = _differences({name: numpy_figures[name] for name in without}, without)
    assert {"rotated", "cap", "hole of a rotated head"} <= found.keys()


@pytest.mark.slow
def test_samplers_have_equal_statistics_of_20000(wide_faces: FaceSet):
    ours, theirs = (_figures(draw, wide_faces, 20_000) for draw in (_by_numpy, _by_device))
    assert not _differences(ours, theirs)

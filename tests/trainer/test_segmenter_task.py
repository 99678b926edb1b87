"""The segmenter's losses: thin parts of masks have more weight, and a teacher is followed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from realtime.segment.segmenter import MaskSegmenter
from trainer.augment.segmenter_samples import SegmenterBatch
from trainer.config import Stage
from trainer.data.face_set import FaceSet
from trainer.presets import PRESETS
from trainer.segmenter_task import SegmenterTask, distillation_loss, thin_parts


def test_thin_parts_are_ear_loops():
    mask = torch.zeros(1, 64, 64)
    mask[0, 30:50, 20:44] = 1
    mask[0, 32:34, 44:60] = 1
    thin = thin_parts(mask)
    assert thin[0, 32:34, 46:60].all()
    assert not thin[0, 30:50, 20:44].any()
    assert not (thin * (1 - mask)).any()


def test_distillation_loss_is_least_at_the_teachers_probability():
    taught, valid = torch.full((1, 4, 4), 0.3), torch.ones(1, 4, 4, dtype=torch.bool)
    valid[:, 2:] = False  # what lies outside the photograph does not count

    def loss(probability: float) -> float:
        margin = torch.full((1, 4, 4), probability).logit()
        margin[:, 2:] = 9.0
        logits = torch.stack([-margin, margin], 1) / 2
        return float(distillation_loss(logits, taught, valid))

    assert loss(0.3) < min(loss(0.25), loss(0.35))
    assert loss(0.3) == pytest.approx(-0.3 * np.log(0.3) - 0.7 * np.log(0.7), rel=1e-4)


class Halves(MaskSegmenter):
    """A teacher that takes the left half of each crop for mask."""

    def __init__(self) -> None: ...

    def in_both_poses(self, crop_rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
        left = np.zeros((128, 128), np.float32)
        left[:, :64] = 1
        return left


def test_segmenter_task_follows_its_teacher(faces: FaceSet):
    crops = np.random.default_rng(0).integers(0, 255, (2, 128, 128, 3), np.uint8)
    everywhere = np.ones((2, 128, 128), dtype=bool)
    batch = SegmenterBatch(crops, ~everywhere, everywhere)
    config = replace(PRESETS["segmenter"], teacher="halves.tflite", validation_faces=2)
    task = SegmenterTask(config, faces, faces, teacher=Halves())
    with torch.no_grad():
        plain, taught = (
            task.loss(Stage(steps=1, batch=2, distil=weight), batch) for weight in (0.0, 2.0)
        )
    assert plain[1].keys() == {"entropy", "dice"}
    more = float(taught[0] - plain[0])
    assert more == pytest.approx(2 * float(taught[1]["distil"]), rel=1e-3)
    net = task.net.train()
    optimiser = torch.optim.Adam(net.parameters(), 1e-2)
    after = taught[1]["distil"]
    for _ in range(30):
        optimiser.zero_grad()
        total, parts = task.loss(Stage(steps=1, batch=2, distil=50.0), batch)
        total.backward()
        optimiser.step()
        after = parts["distil"]
    assert float(after) < 0.5 * float(taught[1]["distil"])

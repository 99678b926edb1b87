"""The refiner's training: it learns to sharpen what is blurred, and is validated on fills."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from trainer.data.face_set import FaceSet
from trainer.presets import PRESETS
from trainer.refiner_task import RefinerTask

_STAGE, _ADVERSARIAL = (replace(stage, steps=3, batch=4) for stage in PRESETS["refiner"].stages)
_CONFIG = replace(PRESETS["refiner"], stages=(_STAGE, _ADVERSARIAL), validation_faces=12)


def _soft(crops: NDArray[np.uint8], holes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Fill holes with grey."""
    return np.where(holes[..., None] > 0, np.uint8(120), crops)


@pytest.fixture
def task(fine_faces: FaceSet) -> RefinerTask:
    return RefinerTask(_CONFIG, fine_faces.select("train"), fine_faces.select("val"), _soft)


def test_refiner_learns_to_sharpen(task: RefinerTask):
    before, sheet = task.validate(task.net, 12)
    assert before["detail"] == pytest.approx(1)
    assert before["contrast"] < 0.5  # grey fills have none
    assert sheet.shape[1:] == (8 * 128, 3)
    optimiser, rng = torch.optim.AdamW(task.net.parameters(), 1e-3), np.random.default_rng(0)
    fixed = task.draw(_STAGE, 0, list(range(8)), rng)
    first = task.loss(_STAGE, fixed)[0].item()
    for _ in range(60):
        loss, parts = task.loss(_STAGE, task.draw(_STAGE, 0, list(range(8)), rng))
        assert parts.keys() == {"l1", "gradient"} and task.after_step(_STAGE) == {}
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert task.loss(_STAGE, fixed)[0].item() < 0.97 * first
    assert task.validate(task.net, 12)[0]["detail"] < 0.998


def test_refiner_learns_what_its_discriminator_sees(task: RefinerTask, fine_faces: FaceSet):
    batch = task.draw(_ADVERSARIAL, 0, list(range(8)), np.random.default_rng(0))
    _, parts = task.loss(_ADVERSARIAL, batch)
    assert parts.keys() == {"l1", "gradient", "adv", "match"}
    losses = []
    for _ in range(30):
        task.loss(_ADVERSARIAL, batch)[0].backward()
        losses.append(task.after_step(_ADVERSARIAL)["disc"].item())
    assert losses[-1] < losses[0] - 0.01  # it tells blurred mouths from true ones
    assert not task.after_step(_ADVERSARIAL)  # each batch once
    gradients = [weight.grad for weight in task.net.parameters()]
    assert any(gradient is not None and gradient.any() for gradient in gradients)
    resumed = RefinerTask(_CONFIG, fine_faces, fine_faces, _soft)
    resumed.load_extra({})  # of a run before there was a discriminator
    resumed.load_extra(task.extra_state())
    one, same = (each.loss(_ADVERSARIAL, batch)[1]["adv"].item() for each in (task, resumed))
    assert one == pytest.approx(same, abs=1e-4)


def test_refiner_loss_counts_the_hole_alone(task: RefinerTask):
    batch = task.draw(_STAGE, 0, [0, 1], np.random.default_rng(0))
    beside = batch.patches[..., 3:] == 0
    assert beside.any()
    other = replace(batch, real=np.where(beside, 255 - batch.real, batch.real))
    one, same = (task.loss(_STAGE, each)[0].item() for each in (batch, other))
    assert one == pytest.approx(same, rel=1e-5) and one > 0.01


def test_refiner_validation_of_the_truth_is_perfect(task: RefinerTask):
    known = {
        patch.tobytes(): real - patch[..., :3]
        for batch in (task._blurred, task._filled)
        for patch, real in zip(batch.patches, batch.real, strict=True)
    }

    class Knows(torch.nn.Linear):
        def forward(self, input: torch.Tensor) -> torch.Tensor:
            return torch.from_numpy(np.stack([known[one.tobytes()] for one in input.numpy()]))

    figures, sheet = task.validate(Knows(1, 1), 4)
    assert figures["detail"] == pytest.approx(0, abs=1e-4)
    assert figures["contrast"] == pytest.approx(1, abs=1e-4)
    assert np.array_equal(sheet[:128], sheet[256:384])

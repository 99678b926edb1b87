"""The face aligner's training: its loss falls, it is validated, and a resumed run sees the same batches."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from trainer.aligner_task import AlignerTask
from trainer.config import Stage
from trainer.data.face_set import FaceSet
from trainer.presets import PRESETS

_STAGE = Stage(steps=3, batch=16)
_CONFIG = replace(PRESETS["aligner"], stages=(_STAGE,), validation_faces=12)


def _task(faces: FaceSet) -> AlignerTask:
    return AlignerTask(_CONFIG, faces.select("train"), faces.select("val"))


def test_aligner_loss_falls_on_one_batch(wide_faces: FaceSet):
    task = _task(wide_faces)
    batch = task.draw(_STAGE, 0, [0] * 16, np.random.default_rng(0))
    optimiser = torch.optim.AdamW(task.net.parameters(), 1e-3)
    totals, lasts = list[float](), dict[str, torch.Tensor]()
    for _ in range(30):
        loss, lasts = task.loss(_STAGE, batch)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        totals.append(loss.item())
    assert lasts.keys() == {"face", "mask", "points"}
    assert totals[-1] < 0.5 * totals[0]
    assert lasts["face"] < 0.67  # chance is log 2


def test_aligner_task_resumed_draws_the_same(wide_faces: FaceSet):
    def draw(task: AlignerTask, step: int):
        return task.draw(_STAGE, step, [0] * 16, np.random.default_rng(step))

    whole = _task(wide_faces)
    batches = [draw(whole, step) for step in range(3)]
    again = draw(_task(wide_faces), 2)
    assert np.array_equal(again.squares, batches[2].squares)
    assert np.array_equal(again.wanted, batches[2].wanted)
    assert not np.array_equal(batches[1].squares, batches[2].squares)


def test_aligner_validation_of_sure_network_is_right(wide_faces: FaceSet):
    task = _task(wide_faces)
    wanted = torch.from_numpy(task._faces.wanted)
    answers = {
        square.tobytes(): answer for square, answer in zip(task._faces.squares, wanted, strict=True)
    }

    class Knows(torch.nn.Linear):
        def forward(self, input: torch.Tensor) -> torch.Tensor:
            squares = input.byte().numpy()
            return torch.stack([answers.get(one.tobytes(), torch.zeros(6)) for one in squares])

    figures, sheet = task.validate(Knows(1, 1), 4)
    assert figures == {"recall": 1.0, "point_px": 0.0, "mask": 1.0}
    assert sheet.shape == (2 * 128, 12 * 128, 3)
    with pytest.raises(KeyError):
        answers[task._others.squares[0].tobytes()]

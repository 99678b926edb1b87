"""Distillation: teachers from files and runs, their two poses, and samples that have no teacher."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from inpaint_model.errors import UserError
from inpaint_model.model_files import WEIGHTS_DIR
from inpaint_model.networks.fast import FastGenerator, fast_widths
from trainer.augment.device_sampler import GeneratorTensors
from trainer.config import Stage
from trainer.generator_task import GeneratorTask
from trainer.losses.pixel_losses import masked_l1
from trainer.presets import PRESETS, resolve
from trainer.runs import RunFolder
from trainer.teacher import Teacher, load_teacher
from trainer.throughput import synthetic_faces


class Ramp(nn.Module):
    """Paints the column's number, and counts its calls."""

    def forward(self, crops: Tensor, holes: Tensor) -> Tensor:
        return torch.arange(crops.shape[3]).expand_as(crops).float()


def test_teacher_is_the_mean_of_two_poses():
    crops, holes = torch.zeros(2, 3, 128, 128), torch.ones(2, 1, 128, 128)
    fill = Teacher(Ramp())(crops, holes)
    assert torch.equal(fill, torch.full_like(fill, 127 / 2))


@pytest.mark.parametrize("name", ["fast", str(WEIGHTS_DIR / "fast.onnx")])
def test_load_teacher_of_a_file_is_frozen(name: str):
    teacher = load_teacher(name)
    assert not any(parameter.requires_grad for parameter in teacher.parameters())
    fill = teacher(torch.zeros(1, 3, 128, 128), torch.zeros(1, 1, 128, 128))
    assert fill.shape == (1, 3, 128, 128) and fill.isfinite().all()
    assert not fill.requires_grad


def test_load_teacher_takes_a_run_of_double_width(tmp_path: Path):
    config = resolve("fast", width=64)
    net = FastGenerator(fast_widths(64))
    folder = RunFolder(tmp_path)
    folder.begin(config, resume=False)
    folder.save({"step": 3, "average": net.state_dict()})
    crops, holes = torch.zeros(1, 3, 128, 128), torch.zeros(1, 1, 128, 128)
    holes[:, :, 70:] = 1
    net.eval()
    wanted = (net(crops, holes) + net(crops.flip(3), holes.flip(3)).flip(3)) / 2
    assert torch.allclose(load_teacher(str(tmp_path))(crops, holes), wanted, atol=1e-4)


def test_load_teacher_of_nothing_is_refused(tmp_path: Path):
    with pytest.raises(UserError, match="no such model file"):
        load_teacher(str(tmp_path / "none.onnx"))
    with pytest.raises(UserError, match="holds no run"):
        load_teacher(str(tmp_path / "none"))


def test_distillation_follows_the_teacher_but_not_for_rotated_heads():
    stage = Stage(steps=1, batch=2, l1=0.0, distil=2.0)
    config = replace(PRESETS["fast"], stages=(stage,), width=8, teacher="fast")
    faces = synthetic_faces(2)
    task = GeneratorTask(config, faces, faces, None, Teacher(Ramp()))
    task.net.eval()
    real, holes = torch.rand(2, 3, 128, 128), torch.zeros(2, 1, 128, 128)
    holes[:, :, 60:] = 1
    with torch.no_grad():
        out = task.net(real, holes)
    error = (out - 127 / 2) * holes
    for rotated, chosen in (([False, False], slice(0, 2)), ([False, True], slice(0, 1))):
        batch = GeneratorTensors(real, holes, holes, (0, 0), torch.tensor(rotated))
        total, parts = task.loss(stage, batch)
        wanted = masked_l1(error[chosen], holes[chosen])
        assert parts.keys() == {"distil"}
        assert float(parts["distil"]) == pytest.approx(float(wanted), rel=1e-4)
        assert float(total.detach()) == pytest.approx(2 * float(wanted), rel=1e-4)
    batch = GeneratorTensors(real, holes, holes, (0, 0), torch.ones(2, dtype=torch.bool))
    assert float(task.loss(stage, batch)[0].detach()) == 0

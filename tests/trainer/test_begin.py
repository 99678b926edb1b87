"""Beginning from another run: the weights are taken, a narrower network is widened unchanged."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from inpaint_model.errors import UserError
from inpaint_model.generator import PaperGenerator
from trainer.begin import begin_from, widened
from trainer.config import FitConfig, Stage
from trainer.generator_task import make_generator
from trainer.presets import PRESETS
from trainer.runs import RunFolder


def trained(width: int) -> PaperGenerator:
    """A generator whose batch-norm figures are not the initial ones."""
    torch.manual_seed(width)
    net = PaperGenerator(2, width, balance=True)
    for _ in range(3):
        net(torch.rand(4, 3, 128, 128) * 2 - 1, (torch.rand(4, 1, 128, 128) > 0.7).float())
    return net.eval()


def tiny(width: int) -> FitConfig:
    return replace(PRESETS["paper-mask"], width=width, stages=(Stage(steps=1, batch=4),))


def save_run(net: PaperGenerator, folder: Path) -> Path:
    run = RunFolder(folder)
    run.begin(tiny(net.width), resume=False)
    run.save({"step": 1, "average": net.state_dict()})
    return folder


def test_widening_keeps_the_function():
    net = trained(4)
    wide = widened(net).eval()
    crops = torch.rand(2, 3, 128, 128) * 2 - 1
    holes = (torch.rand(2, 1, 128, 128) > 0.7).float()
    with torch.no_grad():
        before, after = net(crops, holes), wide(crops, holes)
    assert wide.width == 8
    assert sum(p.numel() for p in wide.parameters()) > 3.5 * sum(
        p.numel() for p in net.parameters()
    )
    assert (before - after).abs().max() < 1e-4 * before.abs().max().clamp_min(1)


def test_twins_part_in_training():
    wide = widened(trained(4)).train()
    optimiser = torch.optim.SGD(wide.parameters(), lr=0.1)
    for _ in range(2):
        crops = torch.rand(2, 3, 128, 128) * 2 - 1
        optimiser.zero_grad()
        wide(crops, torch.ones(2, 1, 128, 128)).square().mean().backward()
        optimiser.step()
    weight = wide.autoencoders[0][0][0].weight  # type: ignore[index,union-attr]
    assert not torch.allclose(weight[:4], weight[4:], atol=1e-7)


def test_a_run_is_taken_as_it_is_or_widened(tmp_path: Path):
    net = trained(4)
    run = save_run(net, tmp_path / "narrow")
    same, wide = make_generator(tiny(4)), make_generator(tiny(16))
    begin_from(run, same, tiny(4))
    begin_from(run, wide, tiny(16))
    crops, holes = torch.rand(1, 3, 128, 128) * 2 - 1, torch.ones(1, 1, 128, 128)
    with torch.no_grad():
        wanted = net(crops, holes)
        assert torch.equal(same.eval()(crops, holes), wanted)
        assert torch.allclose(wide.eval()(crops, holes), wanted, atol=1e-4)


def test_what_does_not_fit_is_named(tmp_path: Path):
    run = save_run(trained(4), tmp_path / "run")
    with pytest.raises(UserError, match="does not double"):
        begin_from(run, make_generator(tiny(6)), tiny(6))
    student = PRESETS["fast"]
    with pytest.raises(UserError, match="trains a student"):
        begin_from(run, make_generator(student), student)

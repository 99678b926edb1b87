"""Training: learning, exact resuming, losses, configurations and the run folder."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from inpaint_model.errors import UserError
from trainer.config import FitConfig, Stage
from trainer.data.epoch_order import EpochOrder
from trainer.data.face_set import FaceSet
from trainer.evaluate.fill_crops import fill
from trainer.fit import fit
from trainer.generator_task import GeneratorTask
from trainer.losses.recogniser import Recogniser
from trainer.presets import JOINT, MINIMAX, PRESETS, resolve
from trainer.runs import RunFolder
from trainer.schedule import StepSchedule
from trainer.segmenter_task import SegmenterTask

FINISHING = Stage(steps=2, batch=2, l1=2.0, adversarial=0.01, matching=0.05)


def tiny(steps: int, every: int, *extra: Stage) -> FitConfig:
    return replace(
        PRESETS["fast"],
        width=16,
        stages=(Stage(steps=steps, batch=2), *extra),
        validate_every=every,
        warm_up_steps=2,
        validation_faces=4,
    )


def generator(config: FitConfig, faces: FaceSet) -> GeneratorTask:
    return GeneratorTask(config, faces.select("train"), faces.select("val"), None)


def run(config: FitConfig, faces: FaceSet, folder: Path, *, resume: bool = False) -> GeneratorTask:
    run_folder = RunFolder(folder)
    run_folder.begin(config, resume=resume)
    task = generator(config, faces)
    fit(task, config, run_folder, resume=resume, log=lambda _: None)
    return task


def test_fit_resumed_equals_whole(faces: FaceSet, tmp_path: Path):
    config = tiny(4, 2, FINISHING)
    whole = run(config, faces, tmp_path / "whole")
    cut = RunFolder(tmp_path / "cut")
    cut.begin(config, resume=False)
    first = replace(config, stages=(Stage(steps=4, batch=2),))
    half = generator(config, faces)
    with pytest.raises(KeyboardInterrupt):
        fit(half, config, cut, log=_stop_after("step 4  "))
    assert first.steps == int(cut.load()["step"])
    resumed = run(config, faces, tmp_path / "cut", resume=True)
    for one, two in zip(whole.net.parameters(), resumed.net.parameters(), strict=True):
        assert torch.equal(one, two)


def test_fit_resumed_without_checkpoint_begins(faces: FaceSet, tmp_path: Path):
    RunFolder(tmp_path).begin(tiny(1, 1), resume=False)
    run(tiny(1, 1), faces, tmp_path, resume=True)
    assert RunFolder(tmp_path).load()["step"] == 1


def _stop_after(prefix: str):
    def log(text: str) -> None:
        if text.startswith(prefix):
            raise KeyboardInterrupt

    return log


def test_fit_generator_learns(faces: FaceSet, tmp_path: Path):
    config = replace(tiny(24, 6), stages=(Stage(steps=24, batch=2, lr_start=3e-3),))
    run(config, faces, tmp_path / "run")
    with (tmp_path / "run" / "metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [int(row["step"]) for row in rows] == [6, 12, 18, 24]
    assert float(rows[-1]["mask_db"]) > float(rows[0]["mask_db"]) + 1.0
    assert (tmp_path / "run" / "sheet-000024.png").stat().st_size > 1000
    assert RunFolder(tmp_path / "run").config() == config


def test_fit_segmenter_learns(faces: FaceSet, tmp_path: Path):
    config = replace(
        PRESETS["segmenter"],
        stages=(Stage(steps=60, batch=2, lr_start=5e-3),),
        validate_every=60,
        warm_up_steps=2,
        validation_faces=6,
        ema=0.8,
    )
    folder = RunFolder(tmp_path / "run")
    folder.begin(config, resume=False)
    task = SegmenterTask(config, faces.select("train"), faces.select("val"))
    figures = fit(task, config, folder, log=lambda _: None)
    assert figures["iou"] > 0.4


def test_generator_loss_terms_reach_all_parameters(faces: FaceSet):
    torch.manual_seed(0)
    stage = replace(FINISHING, perceptual=0.25, gradient=1.0)
    config = replace(tiny(1, 1), stages=(stage,))
    task = GeneratorTask(config, faces.select("train"), faces.select("val"), Recogniser())
    batch = task.draw(stage, 0, [0, 1, 2, 3], np.random.default_rng(0))
    total, parts = task.loss(stage, batch)
    assert {"l1", "perceptual", "gradient", "adv", "match"} <= parts.keys()
    total.backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in task.net.parameters())
    adversary = task.adversaries["patch"].module
    assert all(p.grad is None for p in adversary.parameters())
    before = [p.clone() for p in adversary.parameters()]
    assert task.after_step(stage)["disc"] > 0
    moved = zip(before, adversary.parameters(), strict=True)
    assert any(not torch.equal(old, new) for old, new in moved)


def test_generator_loss_ignores_pixels_outside_photograph(faces: FaceSet):
    stage = Stage(
        steps=1, batch=2, l1=1.0, perceptual=1.0, gradient=1.0, matching=1.0, adversarial=1.0
    )
    config = replace(tiny(1, 1), stages=(stage,))
    task = GeneratorTask(config, faces.select("train"), faces.select("val"), Recogniser())
    batch = task.draw(stage, 0, [0, 1], np.random.default_rng(1))
    holes, outside = batch.holes.clone(), torch.zeros_like(batch.holes)
    outside[:, :, 100:] = 1
    batch = replace(
        batch, holes=holes.maximum(outside), valid_holes=batch.valid_holes * (1 - outside)
    )
    task.net.eval()
    task.adversaries["patch"].module.eval()
    losses = [
        task.loss(stage, replace(batch, real=batch.real * (1 - outside) + value * outside))[
            0
        ].item()
        for value in (-0.7, 0.9)
    ]
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)


@pytest.mark.parametrize("network", ["paper", "glcic"])
def test_fit_resumed_paper_equals_whole(network: str, faces: FaceSet, tmp_path: Path):
    stages = (replace(MINIMAX, steps=2, batch=2), replace(JOINT, steps=2, batch=2))
    config = replace(
        PRESETS[network], width=4, stages=stages, validate_every=2, validation_faces=2, faces=6
    )
    whole = run(config, faces, tmp_path / "whole")
    cut = RunFolder(tmp_path / "cut")
    cut.begin(config, resume=False)
    with pytest.raises(KeyboardInterrupt):
        fit(generator(config, faces), config, cut, log=_stop_after("step 2  "))
    resumed = run(config, faces, tmp_path / "cut", resume=True)
    for task in (whole, resumed):
        assert task.adversaries.keys() == {"paper"}
    for name, value in whole.net.state_dict().items():
        assert torch.equal(value, resumed.net.state_dict()[name]), name
    adversaries = [task.adversaries["paper"].module.state_dict() for task in (whole, resumed)]
    assert all(torch.equal(adversaries[0][name], adversaries[1][name]) for name in adversaries[0])


def test_minimax_loss_reaches_the_generator(faces: FaceSet):
    config = replace(PRESETS["paper"], width=4, stages=(replace(MINIMAX, steps=1, batch=2),))
    task = generator(config, faces)
    batch = task.draw(config.stages[0], 0, [0, 1], np.random.default_rng(0))
    total, parts = task.loss(config.stages[0], batch)
    assert parts.keys() == {"minimax"}
    total.backward()
    slopes = [p.grad.abs().sum() for p in task.net.parameters() if p.grad is not None]
    assert len(slopes) == len(list(task.net.parameters()))
    assert all(slope.isfinite() for slope in slopes) and max(slopes) > 0


def test_paper_task_draws_squares(faces: FaceSet):
    config = replace(PRESETS["paper"], width=4)
    task = generator(config, faces)
    count = min(16, task.train_count)
    batch = task.draw(config.stages[0], 0, list(range(count)), np.random.default_rng(0))
    for valid_holes in batch.valid_holes[:, 0] > 0:
        rows, columns = valid_holes.any(1).sum(), valid_holes.any(0).sum()
        assert valid_holes.sum() <= rows * columns <= 48 * 48


def test_epoch_order_shows_each_face_once():
    order = EpochOrder(7, seed=1)
    seen = order.take(0, 21)
    assert [sorted(seen[at : at + 7]) for at in (0, 7, 14)] == [list(range(7))] * 3
    assert seen[:7] != seen[7:14]
    assert EpochOrder(7, seed=1).take(5, 9) == seen[5:14]


def test_resolve_with_batch_keeps_the_crops():
    module, changed = resolve("paper"), resolve("paper", batch=8, width=16)
    assert module.crops_before(module.steps) == changed.crops_before(changed.steps) == 2_000_000
    assert changed.width == 16


def test_resolve_with_crops_shares_them_among_stages():
    changed = resolve("paper", crops=40_000, batch=8)
    assert [stage.steps for stage in changed.stages] == [250, 4750]


def test_resolve_from_a_later_stage_leaves_out_the_others():
    last = resolve("fast", crops=16_000, first_stage=3)
    assert [stage.steps for stage in last.stages] == [1000]
    assert last.stages[0].adversarial
    with pytest.raises(UserError, match="fast has 3, not 4"):
        resolve("fast", first_stage=4)


def test_resolve_to_an_earlier_stage_leaves_out_the_others():
    every = resolve("fast").stages
    assert resolve("fast", last_stage=1).stages == every[:1]
    assert resolve("fast", first_stage=2, last_stage=2).stages == every[1:2]
    for first, last in ((1, 0), (1, 4), (3, 2)):
        with pytest.raises(UserError, match=f"--last-stage must be {first} to 3, not {last}"):
            resolve("fast", first_stage=first, last_stage=last)


def test_resolve_with_rate_scales_learning_rates():
    stage, slower = resolve("segmenter").stages[0], resolve("segmenter", rate=0.25).stages[0]
    assert (slower.lr_start, slower.lr_end) == (stage.lr_start / 4, stage.lr_end / 4)
    assert slower.steps == stage.steps
    with pytest.raises(UserError, match="--rate must be"):
        resolve("segmenter", rate=0)


def test_resolve_with_teacher_follows_it_in_every_stage():
    assert not any(stage.distil for stage in resolve("fast").stages)
    assert all(stage.distil for stage in resolve("fast", teacher="paper").stages)


def test_fill_keeps_known_pixels(faces: FaceSet):
    task = generator(tiny(1, 1), faces)
    holes = np.zeros((len(faces), 128, 128), bool)
    holes[:, 60:100, 30:90] = True
    out = fill(task.net.eval(), faces.crops, holes)
    assert np.array_equal(out[~holes], faces.crops[~holes])
    assert (out[holes] != faces.crops[holes]).any()


def test_learning_rate_rises_then_falls():
    config = replace(tiny(100, 10), warm_up_steps=10)
    schedule = StepSchedule(config)
    rates = [schedule.learning_rate(step) for step in range(100)]
    assert rates[0] < rates[9]
    assert rates[9] == max(rates)
    assert rates[99] == pytest.approx(config.stages[0].lr_end, rel=0.05)


@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_preset_survives_its_file(preset: str, tmp_path: Path):
    config = resolve(preset, scale=0.01, seed=3)
    RunFolder(tmp_path / "run").begin(config, resume=False)
    assert RunFolder(tmp_path / "run").config() == config


def test_bad_configuration_is_refused(tmp_path: Path, faces: FaceSet):
    with pytest.raises(UserError, match="no preset"):
        resolve("quick")
    with pytest.raises(UserError, match="even"):
        resolve("paper", width=7)
    with pytest.raises(UserError, match="holds no run"):
        RunFolder(tmp_path).config()
    (tmp_path / "config.json").write_text('{"network": "student", "begun_from": ""}')
    with pytest.raises(UserError, match="not a configuration of this version"):
        RunFolder(tmp_path).config()
    RunFolder(tmp_path / "run").begin(resolve("fast"), resume=False)
    with pytest.raises(UserError, match="--resume"):
        RunFolder(tmp_path / "run").begin(resolve("fast"), resume=False)
    with pytest.raises(UserError, match="recogniser"):
        generator(resolve("fast"), faces)

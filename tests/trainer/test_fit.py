"""Training: it learns, it resumes exact to the step, its folder holds what it says."""

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
from trainer.fit import fit, learning_rate
from trainer.generator_task import (
    GeneratorTask,
    colour_difference,
    counted_l1,
    gradient_difference,
)
from trainer.losses.recogniser import Recogniser
from trainer.presets import JOINT, MINIMAX, PRESETS, Changes, resolve
from trainer.runs import RunFolder
from trainer.segmenter_task import SegmenterTask

FINISHING = Stage(steps=2, batch=2, l1=2.0, adversarial=0.01, matching=0.05)


def tiny(steps: int, every: int, *extra: Stage) -> FitConfig:
    return replace(
        PRESETS["fast"],
        stages=(Stage(steps=steps, batch=2), *extra),
        validate_every=every,
        warm_up_steps=2,
        validation_faces=4,
    )


def generator(config: FitConfig, faces: FaceSet) -> GeneratorTask:
    return GeneratorTask(config, faces.only("train"), faces.only("val"), None)


def run(config: FitConfig, faces: FaceSet, folder: Path, *, resume: bool = False) -> GeneratorTask:
    run_folder = RunFolder(folder)
    run_folder.begin(config, resume=resume)
    task = generator(config, faces)
    fit(task, config, run_folder, resume=resume, log=lambda _: None)
    return task


def test_resuming_gives_the_same_weights(faces: FaceSet, tmp_path: Path):
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


def _stop_after(prefix: str):
    def log(text: str) -> None:
        if text.startswith(prefix):
            raise KeyboardInterrupt

    return log


def test_it_learns(faces: FaceSet, tmp_path: Path):
    config = tiny(24, 6)
    run(config, faces, tmp_path / "run")
    with (tmp_path / "run" / "metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [int(row["step"]) for row in rows] == [6, 12, 18, 24]
    assert float(rows[-1]["mask_db"]) > float(rows[0]["mask_db"]) + 1.0
    assert (tmp_path / "run" / "sheet-000024.png").stat().st_size > 1000
    assert RunFolder(tmp_path / "run").config() == config


def test_the_segmenter_learns(faces: FaceSet, tmp_path: Path):
    config = replace(
        PRESETS["segmenter"],
        stages=(Stage(steps=60, batch=4, lr_start=5e-3),),
        validate_every=60,
        warm_up_steps=2,
        validation_faces=6,
        ema=0.8,
    )
    folder = RunFolder(tmp_path / "run")
    folder.begin(config, resume=False)
    task = SegmenterTask(config, faces.only("train"), faces.only("val"))
    figures = fit(task, config, folder, log=lambda _: None)
    assert figures["iou"] > 0.4


def test_every_term_of_the_finishing_reaches_the_generator(faces: FaceSet):
    torch.manual_seed(0)
    stage = replace(FINISHING, perceptual=0.25, gradient=1.0)
    config = replace(tiny(1, 1), stages=(stage,))
    task = GeneratorTask(config, faces.only("train"), faces.only("val"), Recogniser())
    batch = task.draw(stage, 0, [0, 1, 2, 3], np.random.default_rng(0))
    total, parts = task.loss(stage, batch)
    assert {"l1", "perceptual", "gradient", "adv", "match"} <= parts.keys()
    total.backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in task.net.parameters())
    opponent = task.opponents["patch"].plain
    assert all(p.grad is None for p in opponent.parameters())
    before = [p.clone() for p in opponent.parameters()]
    assert task.after_step(stage)["disc"] > 0
    moved = zip(before, opponent.parameters(), strict=True)
    assert any(not torch.equal(old, new) for old, new in moved)


def test_what_lies_outside_the_photograph_teaches_nothing(faces: FaceSet):
    stage = Stage(
        steps=1, batch=2, l1=1.0, perceptual=1.0, gradient=1.0, matching=1.0, adversarial=1.0
    )
    config = replace(tiny(1, 1), stages=(stage,))
    task = GeneratorTask(config, faces.only("train"), faces.only("val"), Recogniser())
    batch = task.draw(stage, 0, [0, 1], np.random.default_rng(1))
    holes, outside = batch.holes.clone(), torch.zeros_like(batch.holes)
    outside[:, :, 100:] = 1
    batch = replace(batch, holes=holes.maximum(outside), counted=batch.counted * (1 - outside))
    task.net.eval()
    task.opponents["patch"].plain.eval()
    losses = [
        task.loss(stage, replace(batch, real=batch.real * (1 - outside) + value * outside))[
            0
        ].item()
        for value in (-0.7, 0.9)
    ]
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)


@pytest.mark.parametrize("network", ["paper", "glcic"])
def test_the_papers_schedule_resumes_exactly(network: str, faces: FaceSet, tmp_path: Path):
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
        assert task.opponents.keys() == {"paper"}
    for name, value in whole.net.state_dict().items():
        assert torch.equal(value, resumed.net.state_dict()[name]), name
    opponents = [task.opponents["paper"].plain.state_dict() for task in (whole, resumed)]
    assert all(torch.equal(opponents[0][name], opponents[1][name]) for name in opponents[0])


def test_minimax_alone_trains_the_generator_too(faces: FaceSet):
    config = replace(PRESETS["paper"], width=4, stages=(replace(MINIMAX, steps=1, batch=2),))
    task = generator(config, faces)
    batch = task.draw(config.stages[0], 0, [0, 1], np.random.default_rng(0))
    total, parts = task.loss(config.stages[0], batch)
    assert parts.keys() == {"minimax"}
    total.backward()
    slopes = [p.grad.abs().sum() for p in task.net.parameters() if p.grad is not None]
    assert len(slopes) == len(list(task.net.parameters()))
    assert all(slope.isfinite() for slope in slopes) and max(slopes) > 0


def test_a_teacher_is_followed_where_the_stage_says_so(faces: FaceSet):
    def grey(crops: np.ndarray, holes: np.ndarray) -> np.ndarray:
        return np.where(holes[..., None] > 0, np.uint8(128), crops)

    stage = Stage(steps=1, batch=2, l1=0.0, distil=1.0)
    config = replace(PRESETS["paper-mask"], width=4, stages=(stage,), teacher="fast")
    task = GeneratorTask(config, faces.only("train"), faces.only("val"), None, grey)
    batch = task.draw(stage, 0, [0, 1], np.random.default_rng(0))
    total, parts = task.loss(stage, batch)
    out = task._pictures(batch)[-1]
    wanted = counted_l1(out, torch.full_like(out, 128 / 127.5 - 1), batch.holes)
    assert parts.keys() == {"distil"}
    assert float(total.detach()) == pytest.approx(float(wanted.detach()), rel=0.02)


def test_turned_heads_learn_from_the_truth_alone(wide_faces: FaceSet):
    def asked(crops: np.ndarray, holes: np.ndarray) -> np.ndarray:
        counts.append(len(crops))
        return np.zeros_like(crops)

    wide, counts = wide_faces, list[int]()
    stage = Stage(steps=1, batch=16, l1=0.0, distil=1.0)
    config = replace(PRESETS["paper-mask"], width=4, stages=(stage,), teacher="fast")
    task = GeneratorTask(config, wide, wide, None, asked)
    indices = [index % len(wide) for index in range(16)]
    batch = task.draw(stage, 0, indices, np.random.default_rng(0))
    assert batch.taught is not None and batch.follows is not None
    follows = batch.follows.amax((1, 2, 3)) > 0
    assert 0 < counts[0] < 16
    assert int(follows.sum()) == counts[0]
    assert torch.equal(batch.follows[follows], batch.holes[follows])
    assert torch.equal(batch.taught[~follows], batch.real[~follows])


def test_squares_are_square_and_of_the_papers_sides(faces: FaceSet):
    config = replace(PRESETS["paper"], width=4)
    task = generator(config, faces)
    count = min(16, task.train_count)
    batch = task.draw(config.stages[0], 0, list(range(count)), np.random.default_rng(0))
    for counted in batch.counted[:, 0] > 0:
        rows, columns = counted.any(1).sum(), counted.any(0).sum()
        assert counted.sum() <= rows * columns <= 48 * 48


def test_an_epoch_shows_every_face_once():
    order = EpochOrder(7, seed=1)
    seen = order.take(0, 21)
    assert [sorted(seen[at : at + 7]) for at in (0, 7, 14)] == [list(range(7))] * 3
    assert seen[:7] != seen[7:14]
    assert EpochOrder(7, seed=1).take(5, 9) == seen[5:14]


def test_a_changed_batch_sees_as_many_crops():
    plain, changed = resolve("paper"), resolve("paper", Changes(batch=8, width=16))
    assert plain.crops_before(plain.steps) == changed.crops_before(changed.steps) == 2_000_000
    assert changed.width == 16
    only = resolve("paper", Changes(stages=(2,)))
    assert [stage.mse for stage in only.stages] == [1.0]


def test_a_grid_costs_more_than_a_soft_error():
    real, inside = torch.zeros(1, 3, 16, 16), torch.ones(1, 1, 16, 16)
    grid = torch.zeros_like(real)
    grid[..., ::2] = 0.1
    assert gradient_difference(real, real, inside) == 0
    assert gradient_difference(grid, real, inside) > 10 * gradient_difference(
        real + 0.05, real, inside
    )


def test_a_patch_of_another_colour_costs_and_one_darker_or_of_fine_noise_does_not():
    real, inside = torch.zeros(1, 3, 16, 16), torch.ones(1, 1, 16, 16)
    greener, noise = real.clone(), real.clone()
    greener[:, 1] = 0.2
    noise[:, 1, :, ::2], noise[:, 1, :, 1::2] = 0.2, -0.2
    patch = float(colour_difference(greener, real, inside))
    assert patch > 0.05
    assert colour_difference(real - 0.2, real, inside) < 1e-6
    assert colour_difference(noise, real, inside) < 0.4 * patch
    assert colour_difference(greener, real, 0 * inside) == 0


def test_filling_keeps_known_pixels(faces: FaceSet):
    task = generator(tiny(1, 1), faces)
    holes = np.zeros((len(faces), 128, 128), bool)
    holes[:, 60:100, 30:90] = True
    out = fill(task.net.eval(), faces.crops, holes)
    assert np.array_equal(out[~holes], faces.crops[~holes])
    assert (out[holes] != faces.crops[holes]).any()


def test_rate_rises_then_falls():
    config = replace(tiny(100, 10), warm_up_steps=10)
    rates = [learning_rate(config, step) for step in range(100)]
    assert rates[0] < rates[9]
    assert rates[9] == max(rates)
    assert rates[99] == pytest.approx(config.stages[0].lr_end, rel=0.05)


@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_every_preset_resolves_and_survives_its_file(preset: str, tmp_path: Path):
    config = resolve(preset, Changes(scale=0.01, seed=3))
    RunFolder(tmp_path / "run").begin(config, resume=False)
    assert RunFolder(tmp_path / "run").config() == config


def test_wrong_use_is_named(tmp_path: Path, faces: FaceSet):
    with pytest.raises(UserError, match="no preset"):
        resolve("quick")
    with pytest.raises(UserError, match="stages 1 to 2, not 3"):
        resolve("paper", Changes(stages=(3,)))
    with pytest.raises(UserError, match="even"):
        resolve("paper", Changes(width=7))
    with pytest.raises(UserError, match="holds no run"):
        RunFolder(tmp_path).config()
    RunFolder(tmp_path / "run").begin(resolve("fast"), resume=False)
    with pytest.raises(UserError, match="--resume"):
        RunFolder(tmp_path / "run").begin(resolve("fast"), resume=False)
    with pytest.raises(UserError, match="recogniser"):
        generator(resolve("fast"), faces)

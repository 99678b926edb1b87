"""Runs with minutes: they end in time, anneal, validate at shares, and go on after a kill."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from torch import Tensor, nn

from inpaint_model.errors import UserError
from trainer.config import FitConfig, Stage
from trainer.data.face_set import FaceSet
from trainer.fit import fit
from trainer.generator_task import GeneratorTask
from trainer.presets import PRESETS
from trainer.run_clock import RunClock
from trainer.runs import RunFolder

SECONDS = 40  # that the runs have
# Kept for the end: the export, longer by half, and 2 s. Validations and checkpoints take no fake time.
RESERVE_S = 8


class FakeTime:
    """Seconds that the steps move on."""

    def __init__(self) -> None:
        self.s = 0.0

    def __call__(self) -> float:
        return self.s


class TickingTask(GeneratorTask):
    """A task each of whose steps takes a second of a fake time, and which may be killed.

    A validation takes `face_s` seconds a face.
    """

    face_s = 0.0

    def __init__(
        self, config: FitConfig, faces: FaceSet, now: FakeTime, killed_at_s: float
    ) -> None:
        super().__init__(config, faces.select("train"), faces.select("val"), None)
        self.now, self.killed_at_s = now, killed_at_s
        self.stages: list[Stage] = []

    def after_step(self, stage: Stage) -> dict[str, Tensor]:
        self.now.s += 1
        self.stages.append(stage)
        if self.now.s >= self.killed_at_s:
            raise KeyboardInterrupt
        return super().after_step(stage)

    def validate(self, net: nn.Module, most: int) -> tuple[dict[str, float], NDArray[np.uint8]]:
        self.now.s += self.face_s * most
        return super().validate(net, most)


class NoExporter:
    """Keeps what it is given."""

    seconds = 4.0
    given: nn.Module | None = None

    def write(self, net: nn.Module) -> str:
        self.given = net
        return "exported"


CONFIG: FitConfig = replace(
    PRESETS["glcic"],
    stages=(Stage(steps=50, batch=2, mse=1.0), Stage(steps=150, batch=3)),
    width=2,
    minutes=SECONDS / 60,
    validation_faces=2,
    warm_up_steps=1,
    faces=0,
)


def train(
    faces: FaceSet,
    folder: Path,
    now: FakeTime,
    *,
    used_s: float = 0.0,
    killed_at_s: float = 1e9,
    config: FitConfig = CONFIG,
) -> tuple[TickingTask, NoExporter, list[str]]:
    """Train, or resume if time was used; return the task, the exporter and the log."""
    task, exporter = TickingTask(config, faces, now, killed_at_s), NoExporter()
    lines, run = list[str](), RunFolder(folder)
    run.begin(config, resume=used_s > 0)
    options = {"clock": RunClock(0.0, used_s, now), "exporter": exporter, "log": lines.append}
    fit(task, config, run, resume=used_s > 0, **options)
    return task, exporter, lines


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "metrics.csv").open() as file:
        return list(csv.DictReader(file))


def test_timed_run_ends_in_time_annealed(faces: FaceSet, tmp_path: Path):
    now = FakeTime()
    now.s = 3.0  # of loading
    task, exporter, lines = train(faces, tmp_path, now)
    assert SECONDS - RESERVE_S - 1 <= now.s <= SECONDS - RESERVE_S
    assert exporter.given is not None and "exported" in lines
    steps = len(task.stages)
    first = sum(stage.mse > 0 for stage in task.stages)
    assert 0.2 < first / steps < 0.35
    assert int(rows(tmp_path)[-1]["crops"]) == 2 * first + 3 * (steps - first)
    shares = [float(row["seconds"]) / (steps - 1) for row in rows(tmp_path)]
    assert shares == pytest.approx([0.1, 0.25, 0.5, 0.75, 1], abs=0.06)
    times = json.loads((tmp_path / "times.json").read_text())
    assert (times["loading"], times["first step"], times["training"]) == (3, 1, steps - 1)
    assert RunFolder(tmp_path).finished
    (group,) = RunFolder(tmp_path).load()["optimiser"]["param_groups"]
    assert 0 < group["lr"] < CONFIG.stages[-1].lr_end


def test_timed_run_resumed_takes_what_is_left(faces: FaceSet, tmp_path: Path):
    with pytest.raises(KeyboardInterrupt):
        train(faces, tmp_path, FakeTime(), killed_at_s=20)
    now = FakeTime()
    task, exporter, _ = train(faces, tmp_path, now, used_s=20)
    assert SECONDS - RESERVE_S - 1 <= 20 + now.s <= SECONDS - RESERVE_S
    assert exporter.given is not None
    # Checkpoints are written every tenth of the time; the steps after the last are lost.
    lost = json.loads((tmp_path / "times.json").read_text())["lost"]
    assert 1 <= lost <= SECONDS / 10
    assert RunFolder(tmp_path).load_average()["step"] == 20 - lost + len(task.stages)
    steps = [int(row["step"]) for row in rows(tmp_path)]
    assert steps == sorted(set(steps))


@pytest.mark.parametrize(("face_s", "count", "faces_each"), [(0.05, 1, 8), (0.02, 5, 12)])
def test_timed_run_validations_cost_little(
    face_s: float, count: int, faces_each: int, faces: FaceSet, tmp_path: Path, monkeypatch
):
    monkeypatch.setattr(TickingTask, "face_s", face_s)
    config = replace(CONFIG, minutes=SECONDS / 60, validation_faces=300)
    train(faces, tmp_path, FakeTime(), config=config)
    assert len(rows(tmp_path)) == count
    times = json.loads((tmp_path / "times.json").read_text())
    assert times["validation"] == pytest.approx(face_s * (10 + count * faces_each))


def test_timed_run_too_short_is_refused(faces: FaceSet, tmp_path: Path):
    now = FakeTime()
    now.s = SECONDS + 1.0
    with pytest.raises(UserError, match="too short: 41 s went before training"):
        train(faces, tmp_path, now)
    assert not RunFolder(tmp_path).finished


def test_timed_run_that_cannot_export_says_so(faces: FaceSet, tmp_path: Path, monkeypatch):
    def fail(*_: object) -> str:
        raise RuntimeError("differs")

    monkeypatch.setattr(NoExporter, "write", fail)
    with pytest.raises(UserError, match="trained, but not exported: differs"):
        train(faces, tmp_path, FakeTime(), config=replace(CONFIG, minutes=0.2))
    assert rows(tmp_path) and RunFolder(tmp_path).finished

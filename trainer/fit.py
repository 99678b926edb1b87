"""The training loop: draws batches ahead, steps, averages the weights, validates, saves, resumes."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from trainer.faceset import FaceSet
from trainer.presets import FitConfig, Stage
from trainer.runs import RunFolder


class Task(Protocol):
    """What the loop trains: a network, its samples, its loss and its judgement."""

    net: nn.Module

    def draw(self, stage: Stage, indices: list[int], rng: np.random.Generator) -> Any:
        """Draw one batch (numpy), in another thread."""
        ...

    def loss(self, stage: Stage, batch: Any) -> tuple[Tensor, dict[str, float]]:
        """Return the loss of one batch and figures to show."""
        ...

    def after_step(self, stage: Stage, rate: float) -> dict[str, float]:
        """Do what follows the optimiser's step (a discriminator's own)."""
        ...

    def validate(self, net: nn.Module) -> tuple[dict[str, float], NDArray[np.uint8]]:
        """Return figures on held-out faces and a sample sheet, uint8 RGB."""
        ...

    def extra_state(self) -> dict[str, Any]:
        """Return what else a checkpoint must hold."""
        ...

    def load_extra(self, state: dict[str, Any]) -> None:
        """Take back what `extra_state` returned."""
        ...


def learning_rate(config: FitConfig, step: int) -> float:
    """Return the rate at a step: linear warm-up, cosine inside the stage."""
    stage, progress = config.stage_at(step)
    cosine = (1 + math.cos(math.pi * progress)) / 2
    rate = stage.lr_end + (stage.lr_start - stage.lr_end) * cosine
    return rate * min(1.0, (step + 1) / max(1, config.warm_up_steps))


def average_into(average: nn.Module, net: nn.Module, decay: float) -> None:
    """Move the averaged weights and batch-norm figures towards the trained ones."""
    with torch.no_grad():
        trained = net.state_dict()
        for name, value in average.state_dict().items():
            if value.dtype.is_floating_point:
                value.lerp_(trained[name], 1 - decay)
            else:
                value.copy_(trained[name])


def _batches(
    task: Task, config: FitConfig, faces: FaceSet, start: int
) -> Iterator[tuple[int, Stage, Any]]:
    """Draw batches one ahead in a thread; a step's batch depends on seed and step alone."""

    def draw(step: int) -> Any:
        stage, _ = config.stage_at(step)
        rng = np.random.default_rng([config.seed, step])
        return task.draw(stage, rng.integers(0, len(faces), stage.batch).tolist(), rng)

    with ThreadPoolExecutor(1) as pool:
        ahead = pool.submit(draw, start)
        for step in range(start, config.steps):
            batch = ahead.result()
            if step + 1 < config.steps:
                ahead = pool.submit(draw, step + 1)
            yield step, config.stage_at(step)[0], batch


def fit(
    task: Task,
    config: FitConfig,
    faces: FaceSet,
    folder: RunFolder,
    *,
    resume: bool = False,
    log: Any = print,
) -> dict[str, float]:
    """Train to the end of the schedule; return the last validation figures.

    Args:
        task: the network and its loss.
        config: the schedule.
        faces: training faces.
        folder: where figures, sheets and checkpoints go.
        resume: go on from the folder's checkpoint, exact to the step.
        log: takes lines of text.
    """
    torch.manual_seed(config.seed)
    average = copy.deepcopy(task.net).eval()
    optimiser = torch.optim.AdamW(task.net.parameters(), lr=1e-3, betas=(0.9, 0.99))
    start = 0
    if resume:
        state = folder.load()
        start = int(state["step"])
        task.net.load_state_dict(state["net"])
        average.load_state_dict(state["average"])
        optimiser.load_state_dict(state["optimiser"])
        task.load_extra(state["extra"])
    figures: dict[str, float] = {}
    shown: dict[str, list[float]] = {}
    began, crops = time.perf_counter(), 0
    for step, stage, batch in _batches(task, config, faces, start):
        rate = learning_rate(config, step)
        for group in optimiser.param_groups:
            group["lr"] = rate
        task.net.train()
        loss, parts = task.loss(stage, batch)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(task.net.parameters(), 5.0)
        optimiser.step()
        parts |= task.after_step(stage, rate)
        average_into(average, task.net, min(config.ema, (step + 1) / (step + 10)))
        for name, value in parts.items():
            shown.setdefault(name, []).append(value)
        crops += stage.batch
        done = step + 1
        if done % 50 == 0 or done == config.steps:
            means = {name: float(np.mean(values)) for name, values in shown.items()}
            speed = crops / (time.perf_counter() - began)
            text = "  ".join(f"{name} {value:.4f}" for name, value in means.items())
            log(f"step {done}/{config.steps}  {text}  lr {rate:.1e}  {speed:.0f} crops/s")
            shown.clear()
            began, crops = time.perf_counter(), 0
        if done % config.validate_every == 0 or done == config.steps:
            figures, sheet = task.validate(average)
            folder.log({"step": done, "rate": rate, **figures})
            folder.sheet(done, sheet)
            folder.save(
                {
                    "step": done,
                    "net": task.net.state_dict(),
                    "average": average.state_dict(),
                    "optimiser": optimiser.state_dict(),
                    "extra": task.extra_state(),
                }
            )
            log(f"step {done}  " + "  ".join(f"{k} {v:.3f}" for k, v in figures.items()))
            began, crops = time.perf_counter(), 0
    return figures


def load_average(folder: Path, net: nn.Module) -> int:
    """Load a run's averaged weights into a network; return the step they were saved at."""
    state = RunFolder(folder).load()
    net.load_state_dict(state["average"])
    return int(state["step"])

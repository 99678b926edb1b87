"""The training loop: draws batches ahead, steps, averages the weights, validates, saves, resumes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from lightning.fabric import Fabric
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from trainer.config import FitConfig, Stage
from trainer.data.epoch_order import EpochOrder
from trainer.precision import one_cpu
from trainer.runs import RunFolder
from trainer.throughput import Progress


class Task(Protocol):
    """What the loop trains: a network, its samples, its loss and its judgement.

    Attributes:
        net: the network itself, not wrapped for any device.
        train_count: how many faces there are to draw from.
    """

    net: nn.Module
    train_count: int

    def setup(
        self, fabric: Fabric, optimiser: torch.optim.Optimizer, compiled: bool
    ) -> torch.optim.Optimizer:
        """Move to the run's devices, compile where asked; return the optimiser to step with."""
        ...

    def draw(self, stage: Stage, step: int, indices: list[int], rng: np.random.Generator) -> Any:
        """Draw one step's batch, in another thread."""
        ...

    def loss(self, stage: Stage, batch: Any) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the loss of one batch and figures to show."""
        ...

    def after_step(self, stage: Stage) -> dict[str, Tensor]:
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


def _batches(
    task: Task, config: FitConfig, fabric: Fabric, start: int
) -> Iterator[tuple[int, Stage, Any]]:
    """Draw batches one ahead in a thread; a step's batch depends on seed, step and device alone."""
    order = EpochOrder(task.train_count, config.seed)
    rank, world = fabric.global_rank, fabric.world_size

    def draw(step: int) -> Any:
        stage, _ = config.stage_at(step)
        share = stage.batch // world
        first = config.crops_before(step) + rank * share
        rng = np.random.default_rng([config.seed, step, rank])
        return task.draw(stage, step, order.take(first, share), rng)

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
    folder: RunFolder,
    *,
    fabric: Fabric | None = None,
    compiled: bool = False,
    resume: bool = False,
    log: Callable[[str], Any] = print,
) -> dict[str, float]:
    """Train to the end of the schedule; return the last validation figures.

    Args:
        task: the network and its loss.
        config: the schedule.
        folder: where figures, sheets and checkpoints go.
        fabric: the devices and the precision; one CPU where not given.
        compiled: compile the network with `torch.compile` (minutes at first, faster steps after).
        resume: go on from the folder's checkpoint, exact to the step.
        log: takes lines of text.
    """
    fabric = fabric or one_cpu()
    torch.manual_seed(config.seed)
    optimiser = torch.optim.AdamW(task.net.parameters(), lr=1e-3, betas=(0.9, 0.99))
    optimiser = task.setup(fabric, optimiser, compiled)
    average = AveragedModel(task.net, use_buffers=True).eval()
    start = _resume(folder, task, average, optimiser) if resume else 0
    figures: dict[str, float] = {}
    progress = Progress(config, task.net, fabric)
    for step, stage, batch in _batches(task, config, fabric, start):
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(config, step)
        task.net.train()
        loss, parts = task.loss(stage, batch)
        optimiser.zero_grad(set_to_none=True)
        fabric.backward(loss)
        nn.utils.clip_grad_norm_(task.net.parameters(), 5.0)
        optimiser.step()
        parts |= task.after_step(stage)
        average.multi_avg_fn = get_ema_multi_avg_fn(min(config.ema, (step + 1) / (step + 10)))
        average.update_parameters(task.net)
        done = step + 1
        line = progress.add(done, stage.batch, parts)
        if line and fabric.is_global_zero:
            log(f"{line}  lr {learning_rate(config, step):.1e}")
        if done % config.validate_every == 0 or done == config.steps:
            if fabric.is_global_zero:
                figures, sheet = task.validate(average.module)
                crops = config.crops_before(done)
                folder.log({"step": done, "crops": crops, **figures})
                folder.sheet(done, sheet)
                folder.save(_state(done, task, average, optimiser))
                log(f"step {done}  " + "  ".join(f"{k} {v:.3f}" for k, v in figures.items()))
            fabric.barrier()
            progress.restart()
    return figures


def _state(
    step: int, task: Task, average: AveragedModel, optimiser: torch.optim.Optimizer
) -> dict[str, Any]:
    return {
        "step": step,
        "net": task.net.state_dict(),
        "average": average.module.state_dict(),
        "optimiser": optimiser.state_dict(),
        "extra": task.extra_state(),
    }


def _resume(
    folder: RunFolder, task: Task, average: AveragedModel, optimiser: torch.optim.Optimizer
) -> int:
    state = folder.load()
    task.net.load_state_dict(state["net"])
    average.module.load_state_dict(state["average"])
    average.n_averaged += state["step"]
    optimiser.load_state_dict(state["optimiser"])
    task.load_extra(state["extra"])
    return int(state["step"])


def load_average(folder: Path, net: nn.Module) -> int:
    """Load a run's averaged weights into a network; return the step they were saved at."""
    state = RunFolder(folder).load()
    net.load_state_dict(state["average"])
    return int(state["step"])

"""The training loop: prefetches batches, steps, averages the weights, validates, saves and resumes."""

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
    """What the loop trains: a network with its samples, loss and validation.

    Attributes:
        net: the network, not wrapped by Fabric.
        train_count: number of faces to train on.
    """

    net: nn.Module
    train_count: int

    def setup(
        self, fabric: Fabric, optimiser: torch.optim.Optimizer, compiled: bool
    ) -> torch.optim.Optimizer:
        """Move to the run's devices and compile if asked; return the optimiser to step."""
        ...

    def draw(self, stage: Stage, step: int, indices: list[int], rng: np.random.Generator) -> Any:
        """Draw the batch of one step; called in another thread."""
        ...

    def loss(self, stage: Stage, batch: Any) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the loss of one batch and its parts by name."""
        ...

    def after_step(self, stage: Stage) -> dict[str, Tensor]:
        """Train what else is trained (discriminators); return its losses by name."""
        ...

    def validate(self, net: nn.Module) -> tuple[dict[str, float], NDArray[np.uint8]]:
        """Return metrics on held-out faces and a sample sheet, uint8 RGB."""
        ...

    def extra_state(self) -> dict[str, Any]:
        """Return the further state that a checkpoint must hold."""
        ...

    def load_extra(self, state: dict[str, Any]) -> None:
        """Load what `extra_state` returned."""
        ...


def learning_rate(config: FitConfig, step: int) -> float:
    """Learning rate schedule: linear warm-up, then cosine decay within each stage."""
    stage, progress = config.stage_at(step)
    cosine = (1 + math.cos(math.pi * progress)) / 2
    rate = stage.lr_end + (stage.lr_start - stage.lr_end) * cosine
    return rate * min(1.0, (step + 1) / max(1, config.warm_up_steps))


def _batches(
    task: Task, config: FitConfig, fabric: Fabric, start: int
) -> Iterator[tuple[int, Stage, Any]]:
    """Prefetch one batch in a thread; a batch depends only on seed, step and device."""
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
    """Train to the end of the schedule; return the last validation metrics.

    Args:
        task: the network and its loss.
        config: the schedule.
        folder: takes metrics, sheets and checkpoints.
        fabric: the devices and the precision; by default one CPU.
        compiled: compile the network with `torch.compile` (minutes at first, then faster steps).
        resume: continue from the folder's checkpoint with exactly the same steps.
        log: takes lines of text.
    """
    fabric = fabric or one_cpu()
    torch.manual_seed(config.seed)
    optimiser = torch.optim.AdamW(task.net.parameters(), lr=1e-3, betas=(0.9, 0.99))
    optimiser = task.setup(fabric, optimiser, compiled)
    average = AveragedModel(task.net, use_buffers=True).eval()
    start = _load_checkpoint(folder, task, average, optimiser) if resume else 0
    metrics: dict[str, float] = {}
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
        # The decay starts low, so that the first weights are soon forgotten.
        average.multi_avg_fn = get_ema_multi_avg_fn(min(config.ema, (step + 1) / (step + 10)))
        average.update_parameters(task.net)
        done = step + 1
        line = progress.add(done, stage.batch, parts)
        if line and fabric.is_global_zero:
            log(f"{line}  lr {learning_rate(config, step):.1e}")
        if done % config.validate_every == 0 or done == config.steps:
            if fabric.is_global_zero:
                metrics, sheet = task.validate(average.module)
                crops = config.crops_before(done)
                folder.log({"step": done, "crops": crops, **metrics})
                folder.sheet(done, sheet)
                state = {
                    "step": done,
                    "net": task.net.state_dict(),
                    "average": average.module.state_dict(),
                    "optimiser": optimiser.state_dict(),
                    "extra": task.extra_state(),
                }
                folder.save(state)
                log(f"step {done}  " + "  ".join(f"{k} {v:.3f}" for k, v in metrics.items()))
            fabric.barrier()
            progress.restart()
    return metrics


def _load_checkpoint(
    folder: RunFolder, task: Task, average: AveragedModel, optimiser: torch.optim.Optimizer
) -> int:
    """Load what `fit` saved; return the number of steps done."""
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

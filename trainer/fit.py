"""The training loop: prefetches batches, steps, averages the weights, validates, saves and resumes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from inpaint_model.errors import UserError
from trainer.config import FitConfig, Stage
from trainer.data.epoch_order import EpochOrder
from trainer.precision import one_cpu
from trainer.progress import Progress
from trainer.run_clock import FIRST_STEP, TRAINING, RunClock
from trainer.run_state import RunState
from trainer.runs import RunFolder
from trainer.schedule import Schedule, StepSchedule, TimeSchedule
from trainer.timed_run import Exporter, Lead, TimedEnd, describe
from trainer.train_step import TrainStep

if TYPE_CHECKING:
    from lightning.fabric import Fabric


class Task(Protocol):
    """What the loop trains: a network with its samples, loss and validation.

    Attributes:
        net: the network, not wrapped by Fabric.
        train_count: number of faces to train on.
    """

    net: nn.Module
    train_count: int

    def setup(
        self,
        fabric: Fabric,
        optimiser: torch.optim.Optimizer,
        compiled: bool,
        *,
        in_time: bool = False,
    ) -> torch.optim.Optimizer:
        """Move to the run's devices and compile if asked; return the optimiser to step.

        `in_time` says that the run ends at a given time, and that its steps need not be repeatable.
        """
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

    def validate(self, net: nn.Module, most: int) -> tuple[dict[str, float], NDArray[np.uint8]]:
        """Return metrics on at most `most` held-out faces and a sample sheet, uint8 RGB."""
        ...

    def extra_state(self) -> dict[str, Any]:
        """Return the further state that a checkpoint must hold."""
        ...

    def load_extra(self, state: dict[str, Any]) -> None:
        """Load what `extra_state` returned."""
        ...


def _batches(
    run: RunState, config: FitConfig, fabric: Fabric, schedule: Schedule
) -> Iterator[tuple[int, Stage, Any]]:
    """Prefetch one batch in a thread; a batch depends only on seed, step, stage and device."""
    task = run.task
    order = EpochOrder(task.train_count, config.seed)
    rank, world = fabric.global_rank, fabric.world_size

    def draw(step: int, crops: int) -> tuple[Stage, Any]:
        stage = schedule.stage(step)
        share = stage.batch // world
        rng = np.random.default_rng([config.seed, step, rank])
        return stage, task.draw(stage, step, order.take(crops + rank * share, share), rng)

    step, crops = run.step, run.crops
    if schedule.ended(step):
        return
    with ThreadPoolExecutor(1) as pool:
        ahead = pool.submit(draw, step, crops)
        while not schedule.ended(step):
            stage, batch = ahead.result()
            crops += stage.batch
            if not schedule.ended(step + 1):
                ahead = pool.submit(draw, step + 1, crops)
            yield step, stage, batch
            step += 1


def fit(
    task: Task,
    config: FitConfig,
    folder: RunFolder,
    *,
    fabric: Fabric | None = None,
    compiled: bool = False,
    resume: bool = False,
    log: Callable[[str], Any] = print,
    clock: RunClock | None = None,
    exporter: Exporter | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> dict[str, float]:
    """Train to the end of the schedule; return the last validation metrics.

    Args:
        task: the network and its loss.
        config: the schedule.
        folder: takes metrics, sheets and checkpoints.
        fabric: the devices and the precision; by default one CPU.
        compiled: compile the network with `torch.compile` (minutes at first, then faster steps).
        resume: continue from the folder's checkpoint, if there is one yet; a run without `minutes` takes
            exactly the same steps.
        log: takes lines of text.
        clock: the run's clock; by default it starts now.
        exporter: writes the network at the end of a run with `minutes`.
        stop: whether to stop before the end; asked after every step.

    Raises:
        UserError: the minutes are too few for one step, or `stop` ended the run; it can be resumed then.
    """
    fabric, clock = fabric or one_cpu(), clock or RunClock()
    torch.manual_seed(config.seed)
    optimiser = torch.optim.AdamW(task.net.parameters(), lr=1e-3, betas=(0.9, 0.99))
    in_time = config.minutes > 0
    optimiser = task.setup(fabric, optimiser, compiled, in_time=in_time)
    with RunState(task, optimiser, folder, clock, config.validation_faces) as run:
        if resume and folder.has_checkpoint:
            run.load()
        if not in_time:
            return _train(run, config, fabric, StepSchedule(config), log, stop)
        schedule, end = TimeSchedule(config, clock), TimedEnd(run, config, exporter)
        schedule.reserve_s = end.reserve_s
        _train(run, config, fabric, schedule, log, stop, lambda: end.measure(schedule))
        if not run.step:
            raise UserError(
                f"{config.minutes:g} minutes are too short: {clock.used_s():.0f} s went before training"
            )
        if stop():
            run.save()
            raise UserError(f"stopped at step {run.step}; --resume takes the time that is left")
        return end.finish(folder, log)


def _train(
    run: RunState,
    config: FitConfig,
    fabric: Fabric,
    schedule: Schedule,
    log: Callable[[str], Any],
    stop: Callable[[], bool],
    after_first_step: Callable[[], Any] = lambda: None,
) -> dict[str, float]:
    """Take the steps of a schedule; return the last validation metrics."""
    metrics, training = dict[str, float](), False
    train_step = TrainStep(run.task, fabric, run.optimiser, run.average, config.ema, log)
    progress, lead = Progress(config, train_step, fabric), Lead(fabric.device)
    run.clock.enter(FIRST_STEP)
    for step, stage, batch in _batches(run, config, fabric, schedule):
        rate = schedule.learning_rate(step)
        train_step(stage, batch, step, rate)
        run.count(stage)
        lead.add_step()
        line = progress.add(run.step, stage.batch)
        if line and fabric.is_global_zero:
            log(f"{line}  lr {rate:.1e}")
        if train_step.warm and not training:
            training = True
            run.clock.enter(TRAINING)
            after_first_step()
            progress.restart()
        if stop():
            break
        checkpoint_due = schedule.checkpoint_due(run.step)
        validation_due = schedule.validation_due(run.step)
        if not (checkpoint_due or validation_due):
            continue
        if fabric.is_global_zero:
            if validation_due:
                metrics = run.validate()
            if checkpoint_due:
                run.save()
            if validation_due:
                log(describe(run.step, metrics))
        fabric.barrier()
        progress.restart()
    return metrics


def load_average(folder: Path, net: nn.Module) -> int:
    """Load a run's averaged weights into a network; return the step they were saved at.

    Of the checkpoint it reads the files `average-*` alone.
    """
    state = RunFolder(folder).load_average()
    net.load_state_dict(state["average"])
    return int(state["step"])

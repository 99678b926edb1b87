"""What a run with `minutes` does besides training: it measures what its end will take, and ends."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

import torch
from torch import nn

from inpaint_model.errors import UserError
from trainer.config import FitConfig
from trainer.run_clock import CHECKPOINTS, EXPORT, VALIDATION
from trainer.run_state import RunState
from trainer.runs import RunFolder
from trainer.schedule import TimeSchedule

_STEPS_AHEAD = 4  # largest number of steps that the host is ahead of a GPU
# All validations together take at most so much of the time; they are so many, and a timed one besides.
_VALIDATION_SHARE, _VALIDATIONS = 0.03, 5
_FEW_FACES, _TIMED_FACES = 2, 8  # faces of a validation that warms up, and of the one that is timed
_LEAST_FACE_S = 1e-6  # seconds a face; a shorter time is a clock too coarse
# What the end takes may be longer than measured by this share and these seconds; Python's end takes one.
_SLACK_SHARE, _SLACK_S = 0.5, 2.0
_LATE_S = 2.0  # a validation that would end so late, in seconds, is left out


class Lead:
    """Keeps the host a few steps ahead of a GPU, so that its clock tells when the steps are done.

    Args:
        device: of the run.
    """

    def __init__(self, device: torch.device) -> None:
        self._on_gpu = device.type == "cuda"
        self._events: deque[torch.cuda.Event] = deque()

    def add_step(self) -> None:
        """Note that a step was given to the GPU; wait until all but the last few are done."""
        if not self._on_gpu:
            return
        event = torch.cuda.Event(blocking=True)
        event.record()
        self._events.append(event)
        if len(self._events) > _STEPS_AHEAD:
            self._events.popleft().synchronize()


class Exporter(Protocol):
    """Writes the network as the file that the program opens."""

    @property
    def seconds(self) -> float:
        """Seconds that `write` will take, as measured before the training."""
        ...

    def write(self, net: nn.Module) -> str:
        """Write the file; return a line for the log, or raise `RuntimeError`."""
        ...


class TimedEnd:
    """The end of a run with `minutes`: what it will take, and what it does.

    Args:
        run: the run.
        config: its configuration.
        exporter: writes the trained network; None writes nothing.
    """

    def __init__(self, run: RunState, config: FitConfig, exporter: Exporter | None) -> None:
        self._run, self._config, self._exporter = run, config, exporter
        self._checkpoint_s = self._validation_s = 0.0

    @property
    def reserve_s(self) -> float:
        """Seconds to keep for the end of the run, as far as they are measured."""
        export_s = self._exporter.seconds if self._exporter else 0.0
        measured_s = self._checkpoint_s + self._validation_s + export_s
        return measured_s * (1 + _SLACK_SHARE) + _SLACK_S

    def measure(self, schedule: TimeSchedule) -> None:
        """Write a checkpoint and time a validation; tell the schedule what they cost.

        Validations are on as many faces as are affordable; if these are very few, only the last is made.
        """
        run, now = self._run, self._run.clock.now
        began = now()
        with run.clock.phase(CHECKPOINTS):
            run.save()
            run.wait()
        self._checkpoint_s = now() - began
        with run.clock.phase(VALIDATION):
            run.task.validate(run.average, _FEW_FACES)
            began = now()
            run.task.validate(run.average, _TIMED_FACES)
            face_s = max(_LEAST_FACE_S, (now() - began) / _TIMED_FACES)
        affordable = 60 * self._config.minutes * _VALIDATION_SHARE / _VALIDATIONS / face_s
        if affordable < _TIMED_FACES:
            schedule.validate_only_at_end()
        run.validation_faces = min(run.validation_faces, max(_TIMED_FACES, int(affordable)))
        self._validation_s = face_s * run.validation_faces
        schedule.reserve_s = self.reserve_s

    def finish(self, folder: RunFolder, log: Callable[[str], Any]) -> dict[str, float]:
        """Write checkpoint, export, validation and the table of the time; return the metrics.

        Raises:
            UserError: the network could not be exported; everything else is done.
        """
        run, metrics, failure = self._run, {}, ""
        run.save()
        if self._exporter:
            try:
                with run.clock.phase(EXPORT):
                    log(self._exporter.write(run.average))
            except RuntimeError as error:
                failure = str(error)
        late_s = run.clock.used_s() + self._validation_s - 60 * self._config.minutes
        if late_s < _LATE_S:
            metrics = run.validate()
            log(describe(run.step, metrics))
        else:
            log(f"step {run.step}  not validated: there is no time left")
        with run.clock.phase(CHECKPOINTS):
            run.wait()
        folder.finish(run.clock)
        log(run.clock.table())
        if failure:
            raise UserError(f"{folder.path}: trained, but not exported: {failure}")
        return metrics


def describe(step: int, metrics: dict[str, float]) -> str:
    """Return a line of the log on a validation."""
    return f"step {step}  " + "  ".join(f"{name} {value:.3f}" for name, value in metrics.items())

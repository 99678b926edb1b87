"""The schedule of a run: stage, learning rate and end, by steps or by the time that has passed."""

from __future__ import annotations

import math
from typing import Protocol

from trainer.config import FitConfig, Stage
from trainer.run_clock import TRAINING, RunClock

_ANNEAL_FROM = 0.9  # share of the time after which the learning rate falls to 0
_VALIDATE_AT = 0.1, 0.25, 0.5, 0.75  # shares of the time; the end is validated too
# Time between two checkpoints: the shorter of these seconds and this share of the run.
_CHECKPOINT_S, _CHECKPOINT_SHARE = 60.0, 0.1


class Schedule(Protocol):
    """Says what happens at each step of a run; steps are counted from 0."""

    def stage(self, step: int) -> Stage:
        """Return the stage of a step."""
        ...

    def learning_rate(self, step: int) -> float:
        """Return the learning rate of a step."""
        ...

    def ended(self, step: int) -> bool:
        """Whether the run ends before a step; once true, it stays so."""
        ...

    def validation_due(self, done: int) -> bool:
        """Whether to validate after so many steps; true once for each occasion."""
        ...

    def checkpoint_due(self, done: int) -> bool:
        """Whether to write a checkpoint after so many steps; true once for each occasion."""
        ...


class StepSchedule:
    """The schedule by steps: a run's steps are the same however long they take.

    Args:
        config: the run.
    """

    def __init__(self, config: FitConfig) -> None:
        self._config = config

    def stage(self, step: int) -> Stage:
        """See `Schedule`."""
        return self._config.stage_at(step)[0]

    def learning_rate(self, step: int) -> float:
        """Linear warm-up, then cosine decay within each stage."""
        return _cosine(self._config, step) * _warm_up(self._config, step)

    def ended(self, step: int) -> bool:
        """See `Schedule`."""
        return step >= self._config.steps

    def validation_due(self, done: int) -> bool:
        """Every so many steps, and at the end."""
        return done % self._config.validate_every == 0 or done == self._config.steps

    def checkpoint_due(self, done: int) -> bool:
        """With every validation."""
        return self.validation_due(done)


class TimeSchedule:
    """The schedule by time: the share of the training time that has passed stands for the steps.

    Each stage gets its share of the preset's steps as a share of the time. In the last tenth of the
    time the learning rate is multiplied by a factor that falls linearly to 0.

    Args:
        config: the run, whose `minutes` are above 0.
        clock: the run's clock; it knows already what earlier processes of the run took.

    Attributes:
        reserve_s: seconds that the end of the run needs for what follows the training.
    """

    def __init__(self, config: FitConfig, clock: RunClock) -> None:
        self._config, self._clock = config, clock
        self.reserve_s = 0.0
        self._ended = False
        self._validate_at = [mark for mark in _VALIDATE_AT if mark > self.share]
        self._saved_s = clock.used_s()

    def validate_only_at_end(self) -> None:
        """Leave out the validations before the end."""
        self._validate_at = []

    @property
    def share(self) -> float:
        """The share of the training time that has passed, 0..1.

        Loading, compilation, validation and checkpoints are no training time: they shorten what is left.
        """
        trained, left = self._clock.seconds()[TRAINING], self.left_s
        return trained / (trained + left) if left > 0 else 1.0

    @property
    def left_s(self) -> float:
        """Seconds left until the end of the training; below 0 if it is over."""
        return 60 * self._config.minutes - self.reserve_s - self._clock.used_s()

    def stage(self, step: int) -> Stage:
        """See `Schedule`."""
        return self._config.stage_at(self.share * self._config.steps)[0]

    def learning_rate(self, step: int) -> float:
        """Linear warm-up by steps, cosine decay within each stage, and the fall to 0 at the end."""
        share = self.share
        rate = _cosine(self._config, share * self._config.steps) * _warm_up(self._config, step)
        return rate * min(1.0, (1 - share) / (1 - _ANNEAL_FROM))

    def ended(self, step: int) -> bool:
        """Whether the time that is left is shorter than the mean step."""
        # The first step is not counted as training.
        mean_s = self._clock.seconds()[TRAINING] / max(1, step - 1)
        self._ended = self._ended or self.left_s <= mean_s
        return self._ended

    def validation_due(self, done: int) -> bool:
        """At four shares of the time."""
        share = self.share
        coming = [mark for mark in self._validate_at if mark > share]
        due = len(coming) < len(self._validate_at)
        self._validate_at = coming
        return due

    def checkpoint_due(self, done: int) -> bool:
        """Every minute, and in a run of less than ten minutes more often."""
        now = self._clock.used_s()
        if now - self._saved_s < min(_CHECKPOINT_S, _CHECKPOINT_SHARE * 60 * self._config.minutes):
            return False
        self._saved_s = now
        return True


def _cosine(config: FitConfig, position: float) -> float:
    """Return the learning rate at a position in the steps of all stages, without warm-up."""
    stage, progress = config.stage_at(position)
    cosine = (1 + math.cos(math.pi * progress)) / 2
    return stage.lr_end + (stage.lr_start - stage.lr_end) * cosine


def _warm_up(config: FitConfig, step: int) -> float:
    return min(1.0, (step + 1) / max(1, config.warm_up_steps))

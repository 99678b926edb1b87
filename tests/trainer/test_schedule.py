"""Schedules: shares of the time, the anneal, the end, and what is due when."""

from __future__ import annotations

from dataclasses import replace

import pytest

from trainer.config import FitConfig, Stage
from trainer.presets import PRESETS
from trainer.run_clock import TRAINING, VALIDATION, RunClock
from trainer.schedule import StepSchedule, TimeSchedule


class FakeTime:
    """Seconds that only the test moves on."""

    def __init__(self) -> None:
        self.s = 1000.0

    def __call__(self) -> float:
        return self.s


def two_stages(minutes: float = 0.0) -> FitConfig:
    """A stage of a quarter of the steps and one of three quarters."""
    first = Stage(steps=100, lr_start=1e-2, lr_end=1e-3, l1=1.0)
    second = Stage(steps=300, lr_start=1e-3, lr_end=1e-4, mse=1.0)
    return replace(PRESETS["fast"], stages=(first, second), warm_up_steps=10, minutes=minutes)


def training(minutes: float, reserve_s: float = 0.0) -> tuple[FakeTime, RunClock, TimeSchedule]:
    """A schedule whose clock is in training since just now."""
    now = FakeTime()
    clock = RunClock(now=now)
    schedule = TimeSchedule(two_stages(minutes), clock)
    schedule.reserve_s = reserve_s
    clock.enter(TRAINING)
    return now, clock, schedule


def test_time_schedule_follows_the_steps_until_the_anneal():
    now, _, schedule = training(minutes=4, reserve_s=40)
    in_steps = StepSchedule(two_stages())
    for step in (0, 5, 99, 100, 250, 359):
        now.s = 1000 + step / 400 * 200
        assert schedule.share == pytest.approx(step / 400)
        assert schedule.stage(step).mse == float(step >= 100)
        assert schedule.learning_rate(step) == pytest.approx(in_steps.learning_rate(step))


def test_time_schedule_anneals_in_the_last_tenth():
    now, _, schedule = training(minutes=4, reserve_s=40)
    in_steps = StepSchedule(two_stages())
    for share, factor in ((0.9, 1.0), (0.95, 0.5), (0.99, 0.1)):
        now.s = 1000 + 200 * share
        rate = in_steps.learning_rate(round(400 * share))
        assert schedule.learning_rate(10_000) == pytest.approx(factor * rate, rel=1e-4)
    now.s = 1200
    assert schedule.learning_rate(10_000) == 0


def test_time_schedule_warms_up_by_steps():
    _, _, schedule = training(minutes=4)
    rates = [schedule.learning_rate(step) for step in (0, 4, 9, 50)]
    assert rates == pytest.approx([1e-3, 5e-3, 1e-2, 1e-2])


def test_time_schedule_loading_is_no_training():
    now = FakeTime()
    clock = RunClock(900.0, now=now)
    schedule = TimeSchedule(two_stages(5), clock)
    assert schedule.share == 0 and schedule.left_s == 200
    clock.enter(TRAINING)
    now.s += 50
    assert schedule.share == pytest.approx(0.25)
    with clock.phase(VALIDATION):
        now.s += 50
    assert schedule.share == pytest.approx(50 / 150)


def test_time_schedule_ends_before_a_step_too_long():
    now, _, schedule = training(minutes=2, reserve_s=20)
    now.s += 80
    assert not schedule.ended(9)  # eight steps of 10 s, the first not counted, 20 s left
    now.s += 9
    assert not schedule.ended(10)
    now.s += 2
    assert schedule.ended(10)
    schedule.reserve_s = 0
    assert schedule.ended(10)


def test_time_schedule_of_untrained_run_uses_all_time():
    now, _, schedule = training(minutes=1)
    assert not schedule.ended(0) and not schedule.ended(1)
    now.s += 60
    assert schedule.ended(0)
    assert schedule.share == 1


def test_time_schedule_validates_at_shares_once():
    now, clock, schedule = training(minutes=10)
    due = []
    for second in range(0, 600, 3):
        now.s = 1000 + second
        due += [second] * schedule.validation_due(0)
    assert due == [60, 150, 300, 450]
    assert not TimeSchedule(two_stages(10), clock).validation_due(0)


def test_time_schedule_may_validate_only_at_the_end():
    now, _, schedule = training(minutes=10)
    schedule.validate_only_at_end()
    now.s += 300
    assert not schedule.validation_due(0)


@pytest.mark.parametrize(("minutes", "due"), [(20, [63, 126, 189]), (2, [14, 28, 42, 56])])
def test_time_schedule_saves_every_minute_or_tenth(minutes: float, due: list[int]):
    now, _, schedule = training(minutes)
    saved = []
    for second in range(0, 200 if minutes > 10 else 60, 7):
        now.s = 1000 + second
        saved += [second] * schedule.checkpoint_due(0)
    assert saved == due


def test_step_schedule_is_due_at_the_end():
    schedule = StepSchedule(replace(two_stages(), validate_every=150))
    due = [done for done in range(1, 401) if schedule.validation_due(done)]
    assert due == [150, 300, 400]
    assert [schedule.checkpoint_due(done) for done in (149, 150, 400)] == [False, True, True]
    assert [schedule.ended(step) for step in (399, 400)] == [False, True]


def test_run_clock_counts_a_killed_process_as_lost():
    now = FakeTime()
    clock = RunClock(990.0, 70.0, now)
    assert clock.used_s() == 80
    clock.restore({"loading": 15.0, TRAINING: 40.0, "lost": 5.0})
    clock.enter(TRAINING)
    now.s += 3
    assert clock.used_s() == 83
    seconds = clock.seconds()
    assert (seconds["loading"], seconds[TRAINING], seconds["lost"]) == (25, 43, 15)
    assert clock.table().splitlines()[-1].split() == ["in", "all", "83.0", "s"]


def test_run_clock_phase_returns_to_the_one_before():
    now = FakeTime()
    clock = RunClock(now=now)
    clock.enter(TRAINING)
    with pytest.raises(KeyError), clock.phase(VALIDATION):
        now.s += 2
        raise KeyError
    now.s += 5
    assert (clock.seconds()[VALIDATION], clock.seconds()[TRAINING]) == (2, 5)
    assert [line.split()[0] for line in clock.table().splitlines()] == [
        "training",
        "validation",
        "in",
    ]

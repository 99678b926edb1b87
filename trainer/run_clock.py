"""The clock of a run: the seconds that each of its phases took, over all its processes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

LOADING = "loading"
TRIAL_EXPORT = "trial export"
FIRST_STEP = "first step"  # compilation is in it
TRAINING = "training"
VALIDATION = "validation"
CHECKPOINTS = "checkpoints"
EXPORT = "export"
LOST = "lost"  # what a killed process had done after its last checkpoint

_PHASES = LOADING, TRIAL_EXPORT, FIRST_STEP, TRAINING, VALIDATION, CHECKPOINTS, EXPORT, LOST


class RunClock:
    """Times the phases of a run; it is always in one phase, at first in loading.

    Args:
        began_s: what `now` gave at the start of the process; by default now.
        used_s: seconds that earlier processes of the run took.
        now: returns seconds that never go back.

    Attributes:
        now: as given.
    """

    def __init__(
        self,
        began_s: float | None = None,
        used_s: float = 0.0,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.now, self._before_s = now, used_s
        # One object, so that another thread never reads a half-changed state: the seconds of the
        # phases that ended, the phase that goes on, and its start.
        ended = dict.fromkeys(_PHASES, 0.0) | {LOST: used_s}
        self._state = ended, LOADING, now() if began_s is None else began_s

    def enter(self, phase: str) -> None:
        """End the current phase and begin another."""
        ended, current, since = self._state
        now = self.now()
        self._state = ended | {current: ended[current] + now - since}, phase, now

    @contextmanager
    def phase(self, phase: str) -> Iterator[None]:
        """Be in another phase for a while, then again in the one before."""
        before = self._state[1]
        self.enter(phase)
        try:
            yield
        finally:
            self.enter(before)

    def restore(self, seconds: Mapping[str, float]) -> None:
        """Take over the phases of earlier processes, as a checkpoint holds them."""
        ended, current, since = self._state
        lost = max(0.0, self._before_s - sum(seconds.values()))
        ended = {phase: ended[phase] + seconds.get(phase, 0.0) for phase in _PHASES}
        ended[LOST] += lost - self._before_s
        self._state = ended, current, since

    def seconds(self) -> dict[str, float]:
        """Return the seconds that each phase has taken so far."""
        ended, current, since = self._state
        return ended | {current: ended[current] + self.now() - since}

    def used_s(self) -> float:
        """Return the seconds that all processes of the run have taken so far."""
        return sum(self.seconds().values())

    def table(self) -> str:
        """Return a table of the seconds, a line a phase."""
        rows = {phase: value for phase, value in self.seconds().items() if value}
        rows["in all"] = sum(rows.values())
        return "\n".join(f"{phase:<13}{value:>8.1f} s" for phase, value in rows.items())

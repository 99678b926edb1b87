"""Shares a run's time among its parts, and keeps a list of what no longer fits."""

from __future__ import annotations

import time

from benchmarks.tables import Row


class Budget:
    """The time of a run; it begins with this object.

    Args:
        minutes: length of the run.
    """

    def __init__(self, minutes: float) -> None:
        self._seconds = minutes * 60
        self._began = time.monotonic()
        self.left_out: list[Row] = []

    @property
    def spent_s(self) -> float:
        """Seconds since the run began."""
        return time.monotonic() - self._began

    def allows(self, share: float, what: str = "") -> bool:
        """Say whether less than a share of the time has passed.

        Args:
            share: 0..1; what begins before it may end after it.
            what: if the time has passed, this is listed as left out.
        """
        if self.spent_s < share * self._seconds:
            return True
        if what:
            self.leave_out(what, f"{share:.0%} of the time had passed")
        return False

    def leave_out(self, what: str, why: str) -> None:
        """List something as left out."""
        self.left_out.append({"left out": what, "why": why})

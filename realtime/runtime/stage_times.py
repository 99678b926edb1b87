"""Collects the processing time of each stage."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from typing import Self

import numpy as np


class StageTimes:
    """Collects each stage's time a frame; a value takes 4 bytes, so that long videos take little memory.

    Args:
        most: keep the times of about this many recent frames; 0: all.
    """

    def __init__(self, most: int = 0) -> None:
        self._values_ms: dict[str, array[float]] = {}
        self._most = most

    def add(self, latency_ms: Mapping[str, float]) -> None:
        """Add one frame's times, milliseconds by stage."""
        for stage, value in latency_ms.items():
            values = self._values_ms.setdefault(stage, array("f"))
            values.append(value)
            if self._most and len(values) > 1.25 * self._most:
                del values[: -self._most]

    def merge(self, other: Self, *, first: bool = False) -> None:
        """Add the stages of another one, after or (`first`) before the own ones."""
        both = (other, self) if first else (self, other)
        self._values_ms = {k: v for times in both for k, v in times._values_ms.items()}

    def summary(self) -> dict[str, dict[str, float]]:
        """Return {stage: {"p50_ms": ..., "p95_ms": ...}} in the order in which the stages were added."""
        return {
            stage: {f"p{p}_ms": round(float(np.percentile(values, p)), 3) for p in (50, 95)}
            for stage, values in self._values_ms.items()
        }

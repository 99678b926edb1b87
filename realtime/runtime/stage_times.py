"""Collects the time of each stage of a frame."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from typing import TYPE_CHECKING, Self

import numpy as np

if TYPE_CHECKING:
    pass


class StageTimes:
    """Collects each stage's time, 4 bytes a value, so that long videos cost little memory.

    Args:
        most: keep about the last so many frames' times; 0: all.
    """

    def __init__(self, most: int = 0) -> None:
        self._values_ms: dict[str, array[float]] = {}
        self._most = most

    def add(self, latency_ms: Mapping[str, float]) -> None:
        """Take one frame's times."""
        for stage, value in latency_ms.items():
            values = self._values_ms.setdefault(stage, array("f"))
            values.append(value)
            if self._most and len(values) > 1.25 * self._most:
                del values[: -self._most]

    def merge(self, other: Self, *, first: bool = False) -> None:
        """Take another's stages over, before or after one's own."""
        both = (other, self) if first else (self, other)
        self._values_ms = {k: v for times in both for k, v in times._values_ms.items()}

    def summary(self) -> dict[str, dict[str, float]]:
        """Return {stage: {"p50_ms": ..., "p95_ms": ...}} in the order the stages first came."""
        return {
            stage: {f"p{p}_ms": round(float(np.percentile(values, p)), 3) for p in (50, 95)}
            for stage, values in self._values_ms.items()
        }

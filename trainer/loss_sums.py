"""Sums losses on the device, so that the host reads them once in many steps."""

from __future__ import annotations

from collections import Counter

import torch
from torch import Tensor


class LossSums:
    """Sums of losses on the device, of one stage after another.

    Attributes:
        steps: number of steps of this stage since the last `take`; the caller counts them.
    """

    def __init__(self) -> None:
        self._finished: list[tuple[tuple[str, ...], Tensor, int]] = []
        self._names: tuple[str, ...] = ()
        self._sums: Tensor | None = None
        self.steps = 0

    def begin(self) -> None:
        """Start a stage, which may have other losses."""
        if self._sums is not None and self.steps:
            self._finished.append((self._names, self._sums, self.steps))
        self._sums, self.steps = None, 0

    def add(self, parts: dict[str, Tensor]) -> None:
        """Add the losses of one step, scalars on the device."""
        values = torch.stack([value.detach().float() for value in parts.values()])
        if self._sums is None:
            self._names, self._sums = tuple(parts), values
        else:
            self._sums += values

    def take(self) -> dict[str, float]:
        """Return the means by name, and start anew."""
        totals, counts = Counter[str](), Counter[str]()
        current = [(self._names, self._sums, self.steps)] if self._sums is not None else []
        for names, sums, steps in [*self._finished, *current]:
            totals.update(dict(zip(names, sums.tolist(), strict=True)))
            counts.update(dict.fromkeys(names, steps))
        self._finished, self.steps = [], 0
        if self._sums is not None:
            self._sums.zero_()
        return {name: totals[name] / count for name, count in counts.items() if count}

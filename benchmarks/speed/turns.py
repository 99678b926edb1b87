"""Times several ways of doing the same work in turn, so that their ratio holds on a busy machine."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

REST_S = 0.02  # the threads of the last call wait for more work at first, and keep the cores busy


@dataclass
class Times:
    """The times of one way.

    Attributes:
        wall_s: of each call.
        cpu_s: the process's CPU time in each call, all threads together.
    """

    wall_s: list[float] = field(default_factory=list)
    cpu_s: list[float] = field(default_factory=list)

    def wall_ms(self, percentile: float = 50) -> float:
        """A percentile of the wall times, milliseconds."""
        return float(np.percentile(self.wall_s, percentile)) * 1e3


def time_in_turn(
    ways: Mapping[str, Callable[[], object]], rounds: int, *, rest_s: float = 0.0, warm_up: int = 0
) -> dict[str, Times]:
    """Call each way once a round.

    Args:
        ways: what to time, by name.
        rounds: calls of each that count.
        rest_s: pause before each call.
        warm_up: rounds that come first and do not count.
    """
    times = {name: Times() for name in ways}
    for number in range(warm_up + rounds):
        for name, way in ways.items():
            time.sleep(rest_s)
            began = time.perf_counter(), time.process_time()
            way()
            if number >= warm_up:
                times[name].wall_s.append(time.perf_counter() - began[0])
                times[name].cpu_s.append(time.process_time() - began[1])
    return times


def noise_crops(batch: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Make crops of noise and holes in their lower half: speed does not depend on the picture.

    Returns:
        Crops uint8 [batch, 128, 128, 3] and holes uint8 [batch, 128, 128].
    """
    crops = np.random.default_rng(0).integers(0, 256, (batch, 128, 128, 3), dtype=np.uint8)
    holes = np.zeros((batch, 128, 128), np.uint8)
    holes[:, 64:, 24:104] = 1
    return crops, holes

"""Lines of a run's log: mean losses, crops a second, and their share of the device's matrix peak."""

from __future__ import annotations

import time
from functools import cache
from typing import TYPE_CHECKING

import torch

from trainer.config import FitConfig
from trainer.precision import matrix_peak, matrix_type
from trainer.train_step import TrainStep

if TYPE_CHECKING:
    from lightning.fabric import Fabric

# The losses are read from the device, which waits for it, at most this often: steps, and seconds
# after which a slow run shows a line earlier.
_SHOW_EVERY_STEPS, _SHOW_EVERY_S = 200, 30.0


class Progress:
    """Sums up the steps since the last line into one line of the log.

    Args:
        config: the run.
        train_step: gives the mean losses and the operations of a step.
        fabric: the devices; the peak of one is measured here, which takes a second on a CPU.
    """

    def __init__(self, config: FitConfig, train_step: TrainStep, fabric: Fabric) -> None:
        self._config, self._train_step = config, train_step
        kind = matrix_type(fabric)
        self._peak_gflops = _peak_once(fabric.device, kind, torch.get_num_threads())
        self.restart()

    def add(self, step: int, crops: int) -> str:
        """Count one step; return the line to log, or an empty string."""
        self._crops += crops
        self._gflop += self._train_step.gflop
        recent = time.perf_counter() - self._began < _SHOW_EVERY_S
        if recent and step % _SHOW_EVERY_STEPS and step != self._config.steps:
            return ""
        means = self._train_step.mean_losses()
        seconds = time.perf_counter() - self._began  # the device is done now
        line = f"step {step}  " if self._config.minutes else f"step {step}/{self._config.steps}  "
        line += "  ".join(f"{name} {value:.4f}" for name, value in means.items())
        share = self._gflop / seconds / self._peak_gflops
        line += f"  {self._crops / seconds:.1f} crops/s ({share:.0%} of the matrix peak)"
        self.restart()
        return line

    def restart(self) -> None:
        """Restart counting and timing."""
        self._crops, self._gflop = 0, 0.0
        self._began = time.perf_counter()


@cache
def _peak_once(device: torch.device, kind: torch.dtype, threads: int) -> float:
    """Measure the peak once a process."""
    return matrix_peak(device, kind)

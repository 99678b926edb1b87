"""What a run has reached: networks, averaged weights and optimiser; it is saved, resumed and validated."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from trainer.config import Stage
from trainer.run_clock import CHECKPOINTS, TRAINING, VALIDATION, RunClock
from trainer.runs import RunFolder

if TYPE_CHECKING:
    from trainer.fit import Task


class RunState:
    """The state of a run, and what is written about it; a context that waits for what is being written.

    Args:
        task: what is trained, set up already.
        optimiser: of the task's network.
        folder: takes metrics, sheets and checkpoints.
        clock: the run's clock.
        validation_faces: largest number of faces to validate on.

    Attributes:
        average: the averaged weights.
        step, crops: numbers of steps done and of crops seen.
    """

    def __init__(
        self,
        task: Task,
        optimiser: torch.optim.Optimizer,
        folder: RunFolder,
        clock: RunClock,
        validation_faces: int,
    ) -> None:
        self.task, self.optimiser, self.clock = task, optimiser, clock
        self.average = copy.deepcopy(task.net).eval()
        self.step = self.crops = 0
        self.validation_faces = validation_faces
        self._folder = folder
        self._pool, self._writing = ThreadPoolExecutor(1), Future[None]()
        self._writing.set_result(None)

    def __enter__(self) -> RunState:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pool.shutdown()

    def count(self, stage: Stage) -> None:
        """Count one step."""
        self.step += 1
        self.crops += stage.batch

    def save(self) -> None:
        """Copy the state to memory of the CPU and let a thread write it as a checkpoint."""
        with self.clock.phase(CHECKPOINTS):
            self.wait()
            state = {
                "step": self.step,
                "crops": self.crops,
                "seconds": self.clock.seconds(),
                "net": self.task.net.state_dict(),
                "average": self.average.state_dict(),
                "optimiser": self.optimiser.state_dict(),
                "extra": self.task.extra_state(),
            }
            self._writing = self._pool.submit(self._folder.save, _on_cpu(state))

    def wait(self) -> None:
        """Wait until the last checkpoint is complete; raise what stopped it."""
        self._writing.result()

    def load(self) -> None:
        """Load the newest checkpoint."""
        state = self._folder.load()
        self.task.net.load_state_dict(state["net"])
        self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.task.load_extra(state["extra"])
        self.step, self.crops = state["step"], state["crops"]
        self.clock.restore(state["seconds"])

    def validate(self) -> dict[str, float]:
        """Validate the averaged weights; write the metrics and a sheet."""
        with self.clock.phase(VALIDATION):
            metrics, sheet = self.task.validate(self.average, self.validation_faces)
            seconds = round(self.clock.seconds()[TRAINING], 3)
            self._folder.log(
                {"step": self.step, "crops": self.crops, "seconds": seconds, **metrics}
            )
            self._folder.sheet(self.step, sheet)
        return metrics


def _on_cpu(value: Any) -> Any:
    """Copy all tensors in nested dictionaries, lists and tuples to the CPU."""
    if isinstance(value, Tensor):
        return value.detach().to("cpu", copy=True)
    if isinstance(value, Mapping):
        return {name: _on_cpu(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_on_cpu(item) for item in value)
    return value

"""One training step: losses, backward pass, optimisers and weight average; on a GPU one CUDA graph."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from trainer.config import Stage
from trainer.device_batch import clone, copy_into, to_device
from trainer.loss_sums import LossSums
from trainer.optimisers import make_fast, scales_gradients

if TYPE_CHECKING:
    from lightning.fabric import Fabric

_MAX_GRADIENT_NORM = 5.0
# Eager steps before a stage is captured: torch compiles, cuDNN times its algorithms.
_WARM_UP_STEPS = 3


class Trainable(Protocol):
    """The part of a task that a step needs; see `trainer.fit.Task`."""

    net: nn.Module

    def loss(self, stage: Stage, batch: Any) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the loss of one batch and its parts by name."""
        ...

    def after_step(self, stage: Stage) -> dict[str, Tensor]:
        """Train what else is trained (discriminators); return its losses by name."""
        ...


class TrainStep:
    """Trains a task one step a call, without waiting for the device.

    On one GPU the first steps of a stage run eagerly; then the step is captured as a CUDA graph, which
    the later steps replay with new inputs. If the capture fails, the log says why and the run goes on
    eagerly. Several devices, fp16 with a gradient scaler and CPUs always run eagerly.

    Args:
        task: the network and its losses, set up on the run's devices.
        fabric: the devices and the precision.
        optimiser: of the task's network, as `task.setup` returned it.
        average: a copy of the task's network; takes the exponential moving average of its weights.
        decay: of that average.
        log: takes a line of text.

    Attributes:
        gflop: floating-point operations of a step of this stage on this device, in GFLOP: generator,
            discriminators, recogniser and teacher, forward and backward; 0 before the first step.
    """

    def __init__(
        self,
        task: Trainable,
        fabric: Fabric,
        optimiser: torch.optim.Optimizer,
        average: nn.Module,
        decay: float,
        log: Callable[[str], Any] = print,
    ) -> None:
        self._task, self._fabric, self._optimiser = task, fabric, optimiser
        self._decay, self._log = decay, log
        device = fabric.device
        # Numbers that change from step to step lie on the device, where a graph reads them.
        self._rate = torch.zeros((), device=device)
        self._renewal = torch.zeros((), device=device)
        self._average = _Average(average, task.net)
        self._losses = LossSums()
        self._stage: Stage | None = None
        self._stage_steps = 0
        self.gflop = 0.0
        self._static: Any = None
        self._graph: torch.cuda.CUDAGraph | None = None
        can_capture = device.type == "cuda" and fabric.world_size == 1
        can_capture = can_capture and not scales_gradients(fabric)
        self._stream = torch.cuda.Stream(device) if can_capture else None

    @property
    def graphed(self) -> bool:
        """Whether the stage's steps are replays of a CUDA graph."""
        return self._graph is not None

    @property
    def warm(self) -> bool:
        """Whether the first stage's slow steps are over: the first one, and those before the capture."""
        return self._stage_steps > (0 if self._stream is None else _WARM_UP_STEPS)

    def __call__(self, stage: Stage, batch: Any, step: int, learning_rate: float) -> None:
        """Train one step.

        Args:
            stage: its losses.
            batch: a dataclass of tensors or arrays, of one shape throughout a stage.
            step: the step's number, from 0: the average's decay starts low, so that the first
                weights are soon forgotten.
            learning_rate: of this step.
        """
        if stage != self._stage:
            self._begin(stage)
        self._rate.fill_(learning_rate)
        self._renewal.fill_(1 - (min(self._decay, (step + 1) / (step + 10)) if step else 0))
        batch = to_device(batch, self._fabric.device)
        if self._stream is None:
            self._train_eagerly(stage, batch)
        else:
            self._train_on_gpu(stage, batch, self._stream)
        self._losses.steps += 1
        self._stage_steps += 1

    def mean_losses(self) -> dict[str, float]:
        """Return the mean losses since the last call, by name; waits for the device."""
        return self._losses.take()

    def _begin(self, stage: Stage) -> None:
        self._stage, self._stage_steps = stage, 0
        self._graph, self._static = None, None
        make_fast(self._optimiser, self._fabric, self._rate)
        self._losses.begin()

    def _train_on_gpu(self, stage: Stage, batch: Any, stream: torch.cuda.Stream) -> None:
        if self._static is None:
            self._static = clone(batch)
        else:
            copy_into(self._static, batch)
        if self._graph is None and self._stage_steps == _WARM_UP_STEPS:
            self._graph = self._capture(stage, self._static, stream)
        if self._graph is not None:
            self._graph.replay()
            return
        current = torch.cuda.current_stream(self._fabric.device)
        stream.wait_stream(current)
        with torch.cuda.stream(stream), as_in_graph():
            self._train_eagerly(stage, self._static)
        current.wait_stream(stream)

    def _capture(
        self, stage: Stage, batch: Any, stream: torch.cuda.Stream
    ) -> torch.cuda.CUDAGraph | None:
        """Capture the step; other threads may use the GPU meanwhile."""
        graph = torch.cuda.CUDAGraph()
        self._optimiser.zero_grad(set_to_none=True)
        try:
            with (
                torch.cuda.stream(stream),  # restores the stream, which a failed capture does not
                as_in_graph(),
                torch.cuda.graph(graph, stream=stream, capture_error_mode="thread_local"),
            ):
                self._train(stage, batch)
        except RuntimeError as error:
            self._log(f"no CUDA graph of the training step, which costs time: {_cause(error)}")
            self._stream = None
            return None
        return graph

    def _train_eagerly(self, stage: Stage, batch: Any) -> None:
        if self._stage_steps:
            try:
                self._train(stage, batch)
            except Exception as error:
                if not _is_from_compiler(error):
                    raise
                self._log(f"torch.compile failed, which costs time: {_cause(error)}")
                torch.compiler.set_stance("force_eager")
                self._train(stage, batch)
            return
        # torch would never compile a function that it first meets while operators are counted.
        with torch.compiler.set_stance("force_eager"), FlopCounterMode(display=False) as counter:
            self._train(stage, batch)
        self.gflop = counter.get_total_flops() / 1e9

    def _train(self, stage: Stage, batch: Any) -> None:
        """Launch the kernels of one step; nothing here waits for the device."""
        task = self._task
        task.net.train()
        loss, parts = task.loss(stage, batch)
        self._optimiser.zero_grad(set_to_none=True)
        self._fabric.backward(loss)
        self.update_weights()
        self._losses.add(parts | task.after_step(stage))

    def update_weights(self) -> None:
        """Clip the network's gradients, step its optimiser and update the average."""
        self._fabric.clip_gradients(
            self._task.net, self._optimiser, max_norm=_MAX_GRADIENT_NORM, error_if_nonfinite=False
        )
        self._optimiser.step()
        self._average.update(self._renewal)


class _Average:
    """The exponential moving average of a network's weights and buffers, updated on the device."""

    def __init__(self, average: nn.Module, net: nn.Module) -> None:
        self._averages, self._weights = _floats(average), _floats(net)
        counts = [
            [x for x in each.buffers() if not x.is_floating_point()] for each in (average, net)
        ]
        self._counts = list(zip(*counts, strict=True))

    @torch.no_grad()
    def update(self, renewal: Tensor) -> None:
        """Move the average towards the weights by a share, a scalar on the device."""
        # `_foreach_lerp_` takes no scalar on the device.
        change = torch._foreach_sub(self._weights, self._averages)
        torch._foreach_mul_(change, renewal)
        torch._foreach_add_(self._averages, change)
        for ours, theirs in self._counts:
            ours.copy_(theirs)


def _floats(net: nn.Module) -> list[Tensor]:
    every = [*(p.detach() for p in net.parameters()), *net.buffers()]
    return [tensor for tensor in every if tensor.is_floating_point()]


@contextmanager
def as_in_graph() -> Iterator[None]:
    """Let cuDNN time its algorithms, and let autocast keep no copies of weights: a graph owns them."""
    cached = torch.is_autocast_cache_enabled()
    torch.set_autocast_cache_enabled(False)
    try:
        with torch.backends.cudnn.flags(enabled=True, benchmark=True, allow_tf32=True):
            yield
    finally:
        torch.set_autocast_cache_enabled(cached)


def _cause(error: BaseException) -> str:
    """Return the first line of the error that came first."""
    while earlier := error.__cause__ or error.__context__:
        error = earlier
    return str(error).strip().split("\n")[0]


def _is_from_compiler(error: Exception) -> bool:
    from torch._dynamo.exc import TorchDynamoException  # takes a second to import

    return isinstance(error, TorchDynamoException)

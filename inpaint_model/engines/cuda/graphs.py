"""Runs a network on an NVIDIA GPU: one CUDA graph for every batch size, captured once and replayed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from inpaint_model.engines.batches import POWERS_OF_TWO, run_in_batches

Network = Callable[[Tensor, Tensor], Tensor]

_WARM_UP_RUNS = 3
_log = logging.getLogger(__name__)


class GraphedNetwork:
    """Fills any number of crops, in batches of `POWERS_OF_TWO`.

    A batch size is captured when it is first needed, and keeps its memory for the next call. All
    work goes through one stream, and a call waits for its end: any thread may call, one at a time,
    and other users of the GPU are not disturbed. If a size cannot be captured, its operators are
    launched one by one.

    Args:
        network: on `device`, from crops uint8 [N, 128, 128, 3] and holes uint8 [N, 128, 128] to
            filled crops uint8 [N, 128, 128, 3]; it must not synchronise with the device.
        device: the GPU.

    Attributes:
        warnings: batch sizes that could not be captured, one line each.
    """

    def __init__(self, network: Network, device: torch.device) -> None:
        self.warnings: list[str] = []
        self._network = network
        self._device = device
        self._stream = torch.cuda.Stream(device)
        # The network may still be on its way to the GPU, on the current stream.
        self._stream.wait_stream(torch.cuda.current_stream(device))
        self._pool = torch.cuda.graph_pool_handle()
        self._batches: dict[int, _StaticBatch] = {}

    def __call__(self, crops: NDArray[np.uint8], holes: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Fill holes; shapes and types as in `Session.run`."""
        with torch.cuda.device(self._device), torch.cuda.stream(self._stream):
            return run_in_batches(crops, holes, POWERS_OF_TWO, self._run_batch)

    def prepare(self, size: int) -> None:
        """Warm up and capture one batch size, so that its first call is not the slow one."""
        with torch.cuda.device(self._device), torch.cuda.stream(self._stream):
            self._batch(size)

    def compute(self, size: int) -> None:
        """Enqueue one batch size without its copies, on the crops of the last call: to time it alone.

        Args:
            size: one of `POWERS_OF_TWO`.
        """
        with torch.cuda.device(self._device), torch.cuda.stream(self._stream):
            self._batch(size).compute()

    def _run_batch(
        self, crops: NDArray[np.uint8], holes: NDArray[np.uint8], size: int
    ) -> NDArray[np.uint8]:
        return self._batch(size).fill(crops, holes)

    def _batch(self, size: int) -> _StaticBatch:
        if size not in self._batches:
            batch = _StaticBatch(self._network, size, self._device)
            batch.warm_up()
            try:
                batch.capture(self._pool, self._stream)
            except RuntimeError as error:
                line = str(error).strip().split("\n")[0]
                self.warnings.append(f"no CUDA graph for {size} crops, which costs time: {line}")
                _log.warning(self.warnings[-1])
            self._batches[size] = batch
        return self._batches[size]


class _StaticBatch:
    """Buffers of one batch size, in pinned memory and on the GPU, and the graph between them."""

    def __init__(self, network: Network, size: int, device: torch.device) -> None:
        shape = (size, 128, 128, 3)
        self.host_crops = torch.zeros(shape, dtype=torch.uint8, pin_memory=True)
        self.host_holes = torch.zeros(shape[:3], dtype=torch.uint8, pin_memory=True)
        self.host_filled = torch.zeros(shape, dtype=torch.uint8, pin_memory=True)
        self.crops = torch.zeros(shape, dtype=torch.uint8, device=device)
        self.holes = torch.zeros(shape[:3], dtype=torch.uint8, device=device)
        self.filled = torch.zeros(shape, dtype=torch.uint8, device=device)
        self._network = network
        self._graph: torch.cuda.CUDAGraph | None = None

    def warm_up(self) -> None:
        """Run on the current stream, so that libraries start and cuDNN times its algorithms."""
        for _ in range(_WARM_UP_RUNS):
            self._compute()
        torch.cuda.current_stream().synchronize()

    def capture(self, pool: Any, stream: torch.cuda.Stream) -> None:
        """Capture the network's kernels; other threads may use the GPU meanwhile."""
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, pool=pool, stream=stream, capture_error_mode="thread_local"):
            self._compute()
        self._graph = graph

    def fill(self, crops: NDArray[np.uint8], holes: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Fill the given crops on the current stream; the rest of the batch holds old ones.

        Returns:
            uint8 [N, 128, 128, 3], overwritten by the next call.
        """
        self.host_crops.numpy()[: len(crops)] = crops
        self.host_holes.numpy()[: len(crops)] = holes
        self.crops.copy_(self.host_crops, non_blocking=True)
        self.holes.copy_(self.host_holes, non_blocking=True)
        self.compute()
        self.host_filled.copy_(self.filled, non_blocking=True)
        torch.cuda.current_stream().synchronize()
        return self.host_filled.numpy()[: len(crops)]

    def compute(self) -> None:
        """Run the network on the current stream, on what the GPU's buffers hold."""
        if self._graph is None:
            self._compute()
        else:
            self._graph.replay()

    def _compute(self) -> None:
        with _fastest_convolutions():
            self.filled.copy_(self._network(self.crops, self.holes))


@contextmanager
def _fastest_convolutions() -> Iterator[None]:
    """Let cuDNN time its algorithms inside the block; torch's settings are restored after it."""
    with torch.no_grad(), torch.backends.cudnn.flags(enabled=True, benchmark=True):
        yield

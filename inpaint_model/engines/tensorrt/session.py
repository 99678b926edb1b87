"""Runs a TensorRT engine: fixed buffers and one CUDA graph for every batch size."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inpaint_model.engines.base import Session, SessionInfo
from inpaint_model.engines.batches import run_in_batches
from inpaint_model.engines.cuda.memory import Cuda, CudaError

_PREPARED_MAX = (
    4  # batch sizes up to this one get their buffers on opening, larger ones on first use
)
_WARM_UP_RUNS = 2


@dataclass
class _StaticBatch:
    """The buffers of one batch size, and what runs it.

    Attributes:
        crops, holes, filled: pinned, uint8 [batch, 128, 128, 3], [batch, 128, 128] and
            [batch, 128, 128, 3].
        enqueue: puts upload, network and download into the stream.
        graph: the same as a CUDA graph; None if it cannot be captured.
    """

    crops: NDArray[np.uint8]
    holes: NDArray[np.uint8]
    filled: NDArray[np.uint8]
    enqueue: Callable[[], None]
    graph: Any = None


class TensorRtSession(Session):
    """An engine on the GPU.

    Args:
        engine: a deserialised `ICudaEngine` with one static profile for each batch size.
        sizes: those batch sizes, in the profiles' order.
        device: the GPU's memory and stream; closed with the session.
        info: what was loaded.
        make_context: creates an execution context; by default `engine.create_execution_context`.

    Attributes:
        graph_problem: why calls run without CUDA graphs; empty if they run with them.
        keep_alive: what must live as long as the engine, such as its runtime.
    """

    def __init__(
        self,
        engine: Any,
        sizes: Sequence[int],
        device: Cuda,
        info: SessionInfo,
        make_context: Callable[[], Any] | None = None,
    ) -> None:
        self.info = info
        self._sizes = tuple(sizes)
        self._device = device
        self._make_context = make_context or engine.create_execution_context
        self._engine = engine
        self._batches: dict[int, _StaticBatch] = {}
        # A graph writes into its own buffers: two replays at once would mix their crops.
        self._lock = threading.Lock()
        self.graph_problem = ""
        self.keep_alive: Any = None
        for size in self._sizes:
            if size <= _PREPARED_MAX:
                self._batches[size] = self._make_batch(size)

    def run(self, crops: NDArray[np.uint8], holes: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Fill holes; see `Session.run`."""
        with self._lock:
            return run_in_batches(crops, holes, self._sizes, self._run_batch)

    def close(self) -> None:
        """Free the GPU's memory."""
        with self._lock:
            device = self._device
            super().close()
            device.close()

    def _run_batch(
        self, crops: NDArray[np.uint8], holes: NDArray[np.uint8], size: int
    ) -> NDArray[np.uint8]:
        if size not in self._batches:
            self._batches[size] = self._make_batch(size)
        batch = self._batches[size]
        batch.crops[: len(crops)], batch.holes[: len(holes)] = crops, holes
        if batch.graph is not None:
            self._device.launch(batch.graph)
        else:
            batch.enqueue()
        self._device.wait()
        return batch.filled

    def _make_batch(self, size: int) -> _StaticBatch:
        device = self._device
        context = self._make_context()
        context.set_optimization_profile_async(self._sizes.index(size), device.stream)
        device.wait()
        shapes = {"crops": (size, 128, 128, 3), "holes": (size, 128, 128)}
        host = {name: device.pinned(shape) for name, shape in shapes.items()}
        host["filled"] = device.pinned(shapes["crops"])
        address = {name: device.device_bytes(array.nbytes) for name, array in host.items()}
        for name, shape in shapes.items():
            context.set_input_shape(name, shape)
        for name in address:
            context.set_tensor_address(name, address[name])

        def enqueue() -> None:
            device.upload(address["crops"], host["crops"])
            device.upload(address["holes"], host["holes"])
            if not context.execute_async_v3(device.stream):
                raise CudaError("TensorRT could not run the engine")
            device.download(host["filled"], address["filled"])

        for array in host.values():
            array[:] = 0
        batch = _StaticBatch(**host, enqueue=enqueue)
        for _ in range(_WARM_UP_RUNS):  # what is made on first use must not fall into the graph
            enqueue()
        device.wait()
        try:
            batch.graph = device.capture(enqueue)
        except CudaError as error:
            self.graph_problem = f"runs without CUDA graphs, slower: {error}"
        return batch

"""Stands for a GPU that is not here: memory, a stream that records graphs, and TensorRT's run time.

What a real GPU computes, ONNX Runtime computes here, on "device memory" that is NumPy's. The fake
holds its user to the real rules: addresses must be known, shapes must fit the profile, nothing is
allocated while a graph is captured.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from inpaint_model.engines.cuda.memory import Cuda, CudaError


class FakeDevice(Cuda):
    """Stands for a GPU's memory and stream."""

    def __init__(self, *, captures: bool = True) -> None:
        self.stream = 7
        self.memory: dict[int, NDArray[np.uint8]] = {}
        self.allocated_bytes = 0
        self.launches = self.waits = 0
        self.graphs: list[list[Callable[[], None]]] = []
        self.closed = False
        self._captures = captures
        self._recording: list[Callable[[], None]] | None = None

    def device_bytes(self, size: int) -> int:
        assert self._recording is None, "allocated while capturing"
        address = 4096 * (len(self.memory) + 1)
        self.memory[address] = np.full(size, 0x55, np.uint8)
        self.allocated_bytes += size
        return address

    def pinned(self, shape: tuple[int, ...]) -> NDArray[np.uint8]:
        assert self._recording is None, "allocated while capturing"
        return np.full(shape, 0xAA, np.uint8)

    def upload(self, device: int, host: NDArray[np.uint8]) -> None:
        target = self.memory[device]
        self.submit(lambda: target.__setitem__(slice(None), host.reshape(-1)))

    def download(self, host: NDArray[np.uint8], device: int) -> None:
        source = self.memory[device]
        self.submit(lambda: host.__setitem__(Ellipsis, source.reshape(host.shape)))

    def submit(self, work: Callable[[], None]) -> None:
        if self._recording is None:
            work()
        else:
            self._recording.append(work)

    def capture(self, work: Callable[[], None]) -> Any:
        if not self._captures:
            raise CudaError("cudaStreamBeginCapture: operation not permitted")
        self._recording = []
        try:
            work()
            self.graphs.append(self._recording)
        finally:
            self._recording = None
        return self.graphs[-1]

    def launch(self, graph: Any) -> None:
        self.launches += 1
        for work in graph:
            work()

    def wait(self) -> None:
        self.waits += 1

    def close(self) -> None:
        self.closed = True


class FakeEngine:
    """An `ICudaEngine` of static profiles that computes what an ONNX file does."""

    def __init__(self, onnx: Path, batches: tuple[int, ...], device: FakeDevice) -> None:
        self.network = onnxruntime.InferenceSession(onnx, providers=["CPUExecutionProvider"])
        self.batches, self.device = batches, device
        self.contexts = 0

    def create_execution_context(self) -> FakeContext:
        self.contexts += 1
        return FakeContext(self)


class FakeContext:
    """An `IExecutionContext`."""

    def __init__(self, engine: FakeEngine) -> None:
        self._engine = engine
        self._batch = 0
        self._shapes: dict[str, tuple[int, ...]] = {}
        self._addresses: dict[str, int] = {}

    def set_optimization_profile_async(self, index: int, stream: int) -> bool:
        assert stream == self._engine.device.stream
        self._batch = self._engine.batches[index]
        return True

    def set_input_shape(self, name: str, shape: tuple[int, ...]) -> bool:
        assert shape[0] == self._batch, "the shape is not the profile's"
        self._shapes[name] = shape
        return True

    def set_tensor_address(self, name: str, address: int) -> bool:
        assert address in self._engine.device.memory
        self._addresses[name] = address
        return True

    def execute_async_v3(self, stream: int) -> bool:
        assert stream == self._engine.device.stream
        if self._addresses.keys() != {"crops", "holes", "filled"}:
            return False
        self._engine.device.submit(self._compute)
        return True

    def _compute(self) -> None:
        memory = self._engine.device.memory
        feed = {
            name: memory[self._addresses[name]].reshape(shape)
            for name, shape in self._shapes.items()
        }
        (filled,) = self._engine.network.run(["filled"], feed)
        memory[self._addresses["filled"]][:] = np.asarray(filled).reshape(-1)

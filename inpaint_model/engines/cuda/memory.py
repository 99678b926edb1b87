"""CUDA memory, streams and graphs with cuda-python: what an engine needs, with each call checked."""

from __future__ import annotations

import ctypes
import importlib
import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray


class CudaError(RuntimeError):
    """A CUDA call failed; the message names it."""


class Cuda:
    """The CUDA runtime on the first visible GPU.

    Addresses are plain integers. `close` frees all that was allocated.
    """

    def __init__(self) -> None:
        runtime: Any = importlib.import_module("cuda.bindings.runtime")
        self._runtime = runtime
        self._device: list[int] = []
        self._pinned: list[int] = []
        self._graphs: list[Any] = []
        self._call("cudaSetDevice", 0)
        self.stream: int = int(
            self._call("cudaStreamCreateWithFlags", runtime.cudaStreamNonBlocking)
        )

    def device_bytes(self, size: int) -> int:
        """Allocate `size` bytes on the GPU and return their address."""
        address = int(self._call("cudaMalloc", size))
        self._device.append(address)
        return address

    def pinned(self, shape: tuple[int, ...]) -> NDArray[np.uint8]:
        """Allocate pinned (page-locked) host memory as a uint8 array; the GPU copies it directly."""
        size = math.prod(shape)
        address = int(self._call("cudaMallocHost", size))
        self._pinned.append(address)
        memory = (ctypes.c_uint8 * size).from_address(address)
        return np.ctypeslib.as_array(memory).reshape(shape)

    def upload(self, device: int, host: NDArray[np.uint8]) -> None:
        """Copy to the GPU, in the stream."""
        kind = self._runtime.cudaMemcpyKind.cudaMemcpyHostToDevice
        self._call("cudaMemcpyAsync", device, host.ctypes.data, host.nbytes, kind, self.stream)

    def download(self, host: NDArray[np.uint8], device: int) -> None:
        """Copy from the GPU, in the stream."""
        kind = self._runtime.cudaMemcpyKind.cudaMemcpyDeviceToHost
        self._call("cudaMemcpyAsync", host.ctypes.data, device, host.nbytes, kind, self.stream)

    def capture(self, work: Callable[[], None]) -> Any:
        """Capture what `work` enqueues in the stream as a CUDA graph, to `launch` many times.

        Raises:
            CudaError: the work cannot be captured; the stream is usable again.
        """
        mode = self._runtime.cudaStreamCaptureMode.cudaStreamCaptureModeThreadLocal
        self._call("cudaStreamBeginCapture", self.stream, mode)
        try:
            work()
        except BaseException:
            self._runtime.cudaStreamEndCapture(self.stream)
            raise
        recorded = self._call("cudaStreamEndCapture", self.stream)
        try:
            graph = self._call("cudaGraphInstantiate", recorded, 0)
        finally:
            self._call("cudaGraphDestroy", recorded)
        self._graphs.append(graph)
        return graph

    def launch(self, graph: Any) -> None:
        """Enqueue a captured graph in the stream."""
        self._call("cudaGraphLaunch", graph, self.stream)

    def wait(self) -> None:
        """Wait until the stream is empty."""
        self._call("cudaStreamSynchronize", self.stream)

    def free_bytes(self) -> int:
        """Return how much of the GPU's memory is free."""
        return int(self._call("cudaMemGetInfo")[0])

    def close(self) -> None:
        """Free everything."""
        for graph in self._graphs:
            self._runtime.cudaGraphExecDestroy(graph)
        for address in self._device:
            self._runtime.cudaFree(address)
        for address in self._pinned:
            self._runtime.cudaFreeHost(address)
        self._graphs, self._device, self._pinned = [], [], []
        self._runtime.cudaStreamDestroy(self.stream)

    def _call(self, name: str, *arguments: Any) -> Any:
        status, *values = getattr(self._runtime, name)(*arguments)
        if int(status) != 0:
            _, text = self._runtime.cudaGetErrorString(status)
            raise CudaError(f"{name}: {text.decode() if isinstance(text, bytes) else text}")
        return values[0] if len(values) == 1 else values

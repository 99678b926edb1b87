"""Runs a TensorRT engine: fixed buffers, one CUDA graph a batch size, bytes across the bus."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from inpaint_model.engines.base import Session, SessionInfo
from inpaint_model.engines.batches import split
from inpaint_model.engines.cuda.memory import CudaError

_CROP, _HOLE = (128, 128, 3), (128, 128)
_AT_ONCE = 4
_WARM_UP_RUNS = 2


class Device(Protocol):
    """What a session needs of `inpaint_model.engines.cuda.memory.Cuda`."""

    stream: int

    def device_bytes(self, size: int) -> int: ...  # noqa: D102
    def pinned(self, shape: tuple[int, ...]) -> NDArray[np.uint8]: ...  # noqa: D102
    def upload(self, device: int, host: NDArray[np.uint8]) -> None: ...  # noqa: D102
    def download(self, host: NDArray[np.uint8], device: int) -> None: ...  # noqa: D102
    def capture(self, work: Callable[[], None]) -> Any: ...  # noqa: D102
    def launch(self, graph: Any) -> None: ...  # noqa: D102
    def wait(self) -> None: ...  # noqa: D102
    def close(self) -> None: ...  # noqa: D102


@dataclass
class _Lane:
    """One batch size: its page-locked arrays, and what runs it.

    Attributes:
        crops, holes, filled: uint8 [batch, 128, 128, 3], [batch, 128, 128], [batch, 128, 128, 3].
        work: copies in, computes and copies out, in the stream.
        graph: the same as a CUDA graph; None where it cannot be captured.
    """

    crops: NDArray[np.uint8]
    holes: NDArray[np.uint8]
    filled: NDArray[np.uint8]
    work: Callable[[], None]
    graph: Any = None


class TensorRtSession(Session):
    """An engine on the GPU. Memory for batches of up to four is taken at once, for larger on first use.

    Args:
        engine: a deserialised `ICudaEngine` with one static profile for each batch size.
        batches: those sizes, in the profiles' order.
        device: the GPU's memory and stream; closed with the session.
        info: what was loaded.
        make_context: makes the execution context of a profile; `engine.create_execution_context`
            where not given.

    Attributes:
        graph_problem: why calls run without CUDA graphs; empty where they do not.
        keep_alive: what the engine needs as long as it lives, such as its runtime.
    """

    def __init__(
        self,
        engine: Any,
        batches: Sequence[int],
        device: Device,
        info: SessionInfo,
        make_context: Callable[[], Any] | None = None,
    ) -> None:
        self.info = info
        self._batches = tuple(batches)
        self._device = device
        self._make_context = make_context or engine.create_execution_context
        self._engine = engine
        self._lanes: dict[int, _Lane] = {}
        # A graph writes into its own buffers: two replays at once would mix their crops.
        self._lock = threading.Lock()
        self.graph_problem = ""
        self.keep_alive: Any = None
        for batch in self._batches:
            if batch <= _AT_ONCE:
                self._lane(batch)

    def run(self, crops: NDArray[np.uint8], holes: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Fill holes; see `Session.run`."""
        out = np.empty_like(crops)
        with self._lock:
            for start, count, batch in split(len(crops), self._batches):
                lane = self._lane(batch)
                part = slice(start, start + count)
                lane.crops[:count], lane.holes[:count] = crops[part], holes[part]
                if lane.graph is not None:
                    self._device.launch(lane.graph)
                else:
                    lane.work()
                self._device.wait()
                out[part] = lane.filled[:count]
        return out

    def close(self) -> None:
        """Free the GPU's memory."""
        with self._lock:
            self._lanes.clear()
            del self._engine, self._make_context
            self.keep_alive = None
            self._device.close()

    def _lane(self, batch: int) -> _Lane:
        if batch not in self._lanes:
            self._lanes[batch] = self._make_lane(batch)
        return self._lanes[batch]

    def _make_lane(self, batch: int) -> _Lane:
        device, shapes = self._device, {"crops": (batch, *_CROP), "holes": (batch, *_HOLE)}
        context = self._make_context()
        context.set_optimization_profile_async(self._batches.index(batch), device.stream)
        device.wait()
        host = {name: device.pinned(shape) for name, shape in shapes.items()}
        host["filled"] = device.pinned(shapes["crops"])
        address = {name: device.device_bytes(array.nbytes) for name, array in host.items()}
        for name, shape in shapes.items():
            context.set_input_shape(name, shape)
        for name in address:
            context.set_tensor_address(name, address[name])

        def work() -> None:
            device.upload(address["crops"], host["crops"])
            device.upload(address["holes"], host["holes"])
            if not context.execute_async_v3(device.stream):
                raise CudaError("TensorRT could not run the engine")
            device.download(host["filled"], address["filled"])

        for array in host.values():
            array[:] = 0
        lane = _Lane(**host, work=work)
        for _ in range(_WARM_UP_RUNS):  # what is made on first use must not fall into the graph
            work()
        device.wait()
        try:
            lane.graph = device.capture(work)
        except CudaError as error:
            self.graph_problem = f"runs without CUDA graphs, slower: {error}"
        return lane

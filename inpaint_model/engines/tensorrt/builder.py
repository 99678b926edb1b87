"""Builds a TensorRT engine from an ONNX generator; it shows its progress, and Ctrl-C stops it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, NamedTuple

from inpaint_model.engines.tensorrt.library import TensorRt
from inpaint_model.errors import UserError

BATCH_SIZES = (1, 2, 4, 64)
"""Batch sizes of an engine: the few faces of a frame, or many crops at a time."""

_INPUTS = {"crops": (128, 128, 3), "holes": (128, 128)}
_PROGRESS_INTERVAL_S = 2.0
_log = logging.getLogger(__name__)


class Profile(NamedTuple):
    """An optimisation profile: the smallest, the optimal and the largest batch size."""

    min_batch: int
    opt_batch: int
    max_batch: int


STATIC_PROFILES = tuple(Profile(size, size, size) for size in BATCH_SIZES)


@dataclass(frozen=True)
class BuiltEngine:
    """A finished engine.

    Attributes:
        plan: its bytes.
        precision: the arithmetic of its convolutions: "fp16", "fp32" or "int8".
        timing_cache: TensorRT's timing cache, for the next build; empty if it keeps none.
        build_s: how long the build took, in seconds.
    """

    plan: bytes
    precision: str
    timing_cache: bytes
    build_s: float


def build(
    library: TensorRt,
    onnx: bytes,
    *,
    profiles: Sequence[Profile] = STATIC_PROFILES,
    architectures: Sequence[str] = (),
    timing_cache: bytes = b"",
    workspace_mib: int = 2048,
) -> BuiltEngine:
    """Build an engine. TensorRT for RTX takes under a second, TensorRT up to minutes.

    The network is strongly typed: every tensor keeps the type the file gives it. By default each
    batch size is a static optimisation profile of its own. Ctrl-C stops the build.

    Args:
        library: the TensorRT to build with.
        onnx: an ONNX generator, bytes in and bytes out.
        profiles: the optimisation profiles.
        architectures: the GPU architectures to build for, such as "sm_86", which only TensorRT for
            RTX can choose; by default the GPU that is here.
        timing_cache: that of an earlier build.
        workspace_mib: GPU memory that the build may use to try algorithms.

    Raises:
        UserError: TensorRT does not support the network, or cannot build for such a GPU.
    """
    if architectures and not library.rtx:
        raise UserError(f"{library} builds for the GPU that is here alone, not for another card")
    began = time.monotonic()
    messages: list[str] = []
    logger = _logger(library.api, messages)
    builder = library.api.Builder(logger)
    network = builder.create_network(_strongly_typed(library.api))
    parser = library.api.OnnxParser(network, logger)
    if not parser.parse(onnx):
        found = [parser.get_error(index).desc() for index in range(parser.num_errors)]
        raise UserError(f"{library} does not take this network: {_first_line(found)}")
    config = builder.create_builder_config()
    _configure(library, config, architectures, workspace_mib)
    _add_profiles(builder, config, profiles)
    if not library.rtx:  # TensorRT for RTX measures nothing while it builds
        config.set_timing_cache(config.create_timing_cache(timing_cache), True)
    monitor = make_progress_monitor(library.api)
    config.progress_monitor = monitor
    plan = _run_interruptibly(lambda: builder.build_serialized_network(network, config), monitor)
    if plan is None:
        raise UserError(f"{library} cannot build this network: {_first_line(messages)}")
    kept = None if library.rtx else config.get_timing_cache()
    return BuiltEngine(
        bytes(plan),
        _precision(library.api, network),
        bytes(kept.serialize()) if kept is not None else b"",
        time.monotonic() - began,
    )


def architecture_names(library: TensorRt) -> list[str]:
    """Name the GPU architectures this TensorRT for RTX can build for, such as "sm_86"."""
    members = getattr(library.api, "ComputeCapability", None)
    names = getattr(members, "__members__", {})
    return [f"sm_{name.removeprefix('SM')}" for name in names if name.startswith("SM")]


def make_progress_monitor(api: Any, show: Callable[[str], None] | None = None) -> Any:
    """Create an `IProgressMonitor` that shows every few seconds what a build does.

    Args:
        api: TensorRT's module.
        show: takes a line; by default the log, level INFO.

    Returns:
        The monitor; its `cancel()` stops the build.
    """
    shown = show or _log.info

    class Monitor(api.IProgressMonitor):
        def __init__(self) -> None:
            api.IProgressMonitor.__init__(self)
            self._lock = threading.Lock()
            self._steps: dict[str, tuple[int, int]] = {}
            self._cancelled = False
            self._began = self._last = time.monotonic()

        def cancel(self) -> None:
            self._cancelled = True

        def phase_start(self, phase_name: str, parent_phase: str | None, num_steps: int) -> None:
            with self._lock:
                self._steps[phase_name] = (0, num_steps)

        def step_complete(self, phase_name: str, step: int) -> bool:
            with self._lock:
                total = self._steps.get(phase_name, (0, 0))[1]
                self._steps[phase_name] = (step + 1, total)
                now = time.monotonic()
                if now - self._last > _PROGRESS_INTERVAL_S:
                    self._last = now
                    shown(f"{_phases(self._steps)} ({now - self._began:.0f} s)")
            return not self._cancelled

        def phase_finish(self, phase_name: str) -> None:
            with self._lock:
                self._steps.pop(phase_name, None)

    return Monitor()


def _phases(steps: dict[str, tuple[int, int]]) -> str:
    return ", ".join(f"{name} {done}/{total}" for name, (done, total) in steps.items())


def _run_interruptibly(work: Callable[[], Any], monitor: Any) -> Any:
    """Run in another thread, so that Ctrl-C reaches this one and the monitor stops the work."""
    with ThreadPoolExecutor(1, thread_name_prefix="tensorrt-build") as pool:
        running = pool.submit(work)
        try:
            return running.result()
        except BaseException:
            monitor.cancel()
            raise


def _configure(library: TensorRt, config: Any, architectures: Sequence[str], mib: int) -> None:
    api = library.api
    config.set_memory_pool_limit(api.MemoryPoolType.WORKSPACE, mib << 20)
    known = architecture_names(library) if architectures else []
    for name in architectures:
        if name not in known:
            raise UserError(f"{library} does not build for {name}: it knows {', '.join(known)}")
    if architectures:
        config.num_compute_capabilities = len(architectures)
        for index, name in enumerate(architectures):
            member = api.ComputeCapability.__members__[name.replace("sm_", "SM")]
            config.set_compute_capability(member, index)


def _add_profiles(builder: Any, config: Any, profiles: Sequence[Profile]) -> None:
    for batches in profiles:
        profile = builder.create_optimization_profile()
        for name, shape in _INPUTS.items():
            profile.set_shape(name, *((batch, *shape) for batch in batches))
        config.add_optimization_profile(profile)


def _strongly_typed(api: Any) -> int:
    """Return the flag of a strongly typed network; TensorRT 11 has no other kind and may drop it."""
    flag = getattr(api.NetworkDefinitionCreationFlag, "STRONGLY_TYPED", None)
    return 0 if flag is None else 1 << int(flag)


def _precision(api: Any, network: Any) -> str:
    """Return the arithmetic of most convolutions: they are nearly all of the work."""
    layers = [network.get_layer(index) for index in range(network.num_layers)]
    kinds = [
        layer.get_output_type(0) for layer in layers if layer.type == api.LayerType.CONVOLUTION
    ]
    if any(layer.type == api.LayerType.QUANTIZE for layer in layers):
        return "int8"
    return "fp16" if kinds.count(api.DataType.HALF) * 2 > len(kinds) else "fp32"


def _logger(api: Any, messages: list[str]) -> Any:
    class Logger(api.ILogger):
        def __init__(self) -> None:
            api.ILogger.__init__(self)

        def log(self, severity: Any, msg: str) -> None:
            if severity <= api.ILogger.Severity.ERROR:
                messages.append(msg)
            _log.debug("TensorRT: %s", msg)

    return Logger()


def _first_line(messages: Sequence[str]) -> str:
    return next((" ".join(text.split()) for text in messages if text.strip()), "it says not why")

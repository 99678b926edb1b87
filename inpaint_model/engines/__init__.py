"""The engines that can run a generator: their names, their order, and what works on this machine."""

from __future__ import annotations

import importlib

from inpaint_model.engines.base import Engine, EngineStatus
from inpaint_model.errors import UserError

_CLASSES = {
    "openvino": ("inpaint_model.engines.openvino", "OpenVinoEngine"),
    "onnxruntime": ("inpaint_model.engines.onnxruntime", "OnnxRuntimeEngine"),
    "tensorrt": ("inpaint_model.engines.tensorrt.engine", "TensorRtEngine"),
    "torch": ("inpaint_model.engines.torch", "TorchEngine"),
}
ENGINE_NAMES = tuple(_CLASSES)
ACCELERATED_ORDER = ("tensorrt", "torch", "onnxruntime")
"""The engines that `auto` tries on a machine with a GPU, the fastest first."""
CPU_ORDER = ("openvino", "onnxruntime")
"""The engines that `auto` tries next, on the CPU."""

__all__ = [
    "ACCELERATED_ORDER",
    "CPU_ORDER",
    "ENGINE_NAMES",
    "EngineStatus",
    "available_engines",
    "make_engine",
]


def make_engine(name: str, *, cpu_only: bool = False) -> Engine:
    """Create an engine by its name; its libraries are not loaded yet.

    Args:
        name: one of `ENGINE_NAMES`.
        cpu_only: leave accelerators alone, for an engine that runs on both.

    Raises:
        UserError: no engine has this name.
    """
    if name not in _CLASSES:
        raise UserError(f"unknown engine '{name}': take auto, {', '.join(ENGINE_NAMES)}")
    module, class_name = _CLASSES[name]
    make = getattr(importlib.import_module(module), class_name)
    return make(cpu_only=True) if cpu_only and name == "onnxruntime" else make()


def available_engines() -> list[EngineStatus]:
    """Probe every engine: whether it works here, and if not, what mends that."""
    return [make_engine(name).probe() for name in ENGINE_NAMES]

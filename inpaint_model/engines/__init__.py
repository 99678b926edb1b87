"""The engines that can run a generator: their names, their order, and what works on this machine."""

from __future__ import annotations

import importlib

from inpaint_model.engines.base import Engine, EngineStatus
from inpaint_model.errors import UserError

_PLACES = {
    "openvino": ("inpaint_model.engines.openvino", "OpenVinoEngine"),
    "onnxruntime": ("inpaint_model.engines.onnxruntime", "OnnxRuntimeEngine"),
    "tensorrt": ("inpaint_model.engines.tensorrt.engine", "TensorRtEngine"),
    "torch": ("inpaint_model.engines.torch", "TorchEngine"),
}
ENGINE_NAMES = tuple(_PLACES)
ACCELERATED_ORDER = ("tensorrt", "torch", "onnxruntime")
"""What `auto` tries where there is a GPU, the fastest first."""
CPU_ORDER = ("openvino", "onnxruntime")
"""What `auto` tries else."""

__all__ = [
    "ACCELERATED_ORDER",
    "CPU_ORDER",
    "ENGINE_NAMES",
    "EngineStatus",
    "available_engines",
    "engine_named",
]


def engine_named(name: str, *, cpu_only: bool = False) -> Engine:
    """Return an engine by its name; its libraries are not loaded yet.

    Args:
        name: one of `ENGINE_NAMES`.
        cpu_only: leave accelerators alone, where the engine runs on both.

    Raises:
        UserError: no engine has this name.
    """
    if name not in _PLACES:
        raise UserError(f"unknown engine '{name}': take auto, {', '.join(ENGINE_NAMES)}")
    module, kind = _PLACES[name]
    make = getattr(importlib.import_module(module), kind)
    return make(cpu_only=True) if cpu_only and name == "onnxruntime" else make()


def available_engines() -> list[EngineStatus]:
    """Try every engine and say what works here, and where not, the mend."""
    return [engine_named(name).probe() for name in ENGINE_NAMES]

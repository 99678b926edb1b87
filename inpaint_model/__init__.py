"""The inpainting networks of unmask-video, their weights, and the engines that run them; knows no video."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0"

# OpenVINO's import would look up an analytics server, keep a thread and write a client id to the home
# folder. Without this package it does none of it.
sys.modules.setdefault("openvino_telemetry", None)  # pyright: ignore[reportArgumentType]
# ONNX Runtime would report to its makers, and keep an identifier in the folder for caches.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

if TYPE_CHECKING:
    from inpaint_model.engines import EngineStatus, available_engines
    from inpaint_model.errors import ClosedError, InputError, UserError
    from inpaint_model.inpainter import Inpainter, open_inpainter

__all__ = [
    "ClosedError",
    "EngineStatus",
    "Inpainter",
    "InputError",
    "UserError",
    "available_engines",
    "open_inpainter",
]
_MODULES = {
    "EngineStatus": "engines",
    "available_engines": "engines",
    "ClosedError": "errors",
    "InputError": "errors",
    "UserError": "errors",
    "Inpainter": "inpainter",
    "open_inpainter": "inpainter",
}


def __getattr__(name: str) -> object:
    """Import the modules only when they are asked for (`unmask --help` stays fast)."""
    if name in _MODULES:
        return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

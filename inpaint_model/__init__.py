"""The inpainting networks, their weights, and the engines that run them; knows nothing of video."""

from __future__ import annotations

import sys

# OpenVINO's import would look up an analytics server, keep a thread and write a client id to the home
# folder. Without this package it does none of it.
sys.modules.setdefault("openvino_telemetry", None)  # pyright: ignore[reportArgumentType]

from inpaint_model.engines import EngineStatus, available_engines  # noqa: E402
from inpaint_model.errors import ClosedError, InputError, UserError  # noqa: E402
from inpaint_model.inpainter import Inpainter, open_inpainter  # noqa: E402

__all__ = [
    "ClosedError",
    "EngineStatus",
    "Inpainter",
    "InputError",
    "UserError",
    "available_engines",
    "open_inpainter",
]

"""The inpainting networks, their weights, and the engines that run them; knows nothing of video."""

from __future__ import annotations

from inpaint_model.engines import EngineStatus, available_engines
from inpaint_model.errors import UserError
from inpaint_model.inpainter import Inpainter, open_inpainter

__all__ = ["EngineStatus", "Inpainter", "UserError", "available_engines", "open_inpainter"]

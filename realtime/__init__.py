"""The application of unmask-video: capture, faces, mask, inpaint, blend, output."""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING

from inpaint_model import __version__ as __version__

# Pixels that OpenCV decodes at most, whatever `inpaint_model.limits` allows. OpenCV reads it when imported.
os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", "400000000")

if TYPE_CHECKING:
    from inpaint_model.errors import ClosedError, InputError, UserError
    from realtime.feed.faces import unmask_faces
    from realtime.feed.record import FaceRecord
    from realtime.frames import FaceResult, UnmaskResult
    from realtime.unmasker import Unmasker

__all__ = [
    "ClosedError",
    "FaceRecord",
    "FaceResult",
    "InputError",
    "UnmaskResult",
    "Unmasker",
    "UserError",
    "unmask_faces",
]


_MODULES = {
    "FaceRecord": "realtime.feed.record",
    "FaceResult": "realtime.frames",
    "UnmaskResult": "realtime.frames",
    "Unmasker": "realtime.unmasker",
    "unmask_faces": "realtime.feed.faces",
}


def __getattr__(name: str) -> object:
    """Import the heavy modules only when they are asked for (`unmask --help` stays fast)."""
    if name in __all__:
        return getattr(import_module(_MODULES.get(name, "inpaint_model.errors")), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

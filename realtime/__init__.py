"""The application of unmask-video: capture, faces, mask, inpaint, blend, output."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inpaint_model import __version__ as __version__

if TYPE_CHECKING:
    from inpaint_model.errors import ClosedError, InputError, UserError
    from realtime.frames import FaceResult, UnmaskResult
    from realtime.unmasker import Unmasker

__all__ = [
    "ClosedError",
    "FaceResult",
    "InputError",
    "UnmaskResult",
    "Unmasker",
    "UserError",
]


def __getattr__(name: str) -> object:
    """Import the heavy modules only when they are asked for (`unmask --help` stays fast)."""
    if name in __all__:
        from inpaint_model import errors
        from realtime import unmasker

        return getattr(errors if name.endswith("Error") else unmasker, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

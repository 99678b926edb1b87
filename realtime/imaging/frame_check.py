"""Says what a frame is, to a caller who gives something else."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from inpaint_model.errors import InputError
from inpaint_model.limits import LARGEST_SIDE_PX


def check_frame(frame: object) -> None:
    """Refuse what is no frame.

    Raises:
        InputError: it is no array, has another type or shape, no pixels, or is too large for OpenCV.
    """
    wanted = "a frame is a NumPy array, uint8 [H, W, 3], BGR"
    if not isinstance(frame, np.ndarray):
        raise InputError(f"{wanted}, not {type(frame).__name__}{_mend(frame)}")
    if frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[2] != 3 or not frame.size:
        raise InputError(f"{wanted}, not {frame.dtype} {list(frame.shape)}")
    if max(frame.shape) > LARGEST_SIDE_PX:
        height, width = frame.shape[:2]
        raise InputError(
            f"{wanted}, not {width}x{height}: a side has at most {LARGEST_SIDE_PX} pixels"
        )


def _mend(frame: object) -> str:
    """Say how to make a frame of what is none."""
    if frame is None:
        return "; cv2.imread returns None for a file that it cannot read"
    if isinstance(frame, str | Path):
        return "; read the file first: cv2.imread(path)"
    if hasattr(frame, "convert"):  # a picture of Pillow
        return "; convert it first: np.asarray(picture.convert('RGB'))[:, :, ::-1]"
    return ""

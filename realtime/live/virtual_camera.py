"""A virtual camera: other programs can choose the unmasked picture as their camera."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np

from inpaint_model.errors import UserError
from realtime.live.choices import Key, SinkName
from realtime.live.view import Preview, letterboxed

_LOOPBACK = Path("/sys/module/v4l2loopback")
_LOOPBACK_FIX = (
    "apt-get install v4l2loopback-dkms && modprobe v4l2loopback exclusive_caps=1 "
    "card_label=unmask (Debian, Ubuntu)"
)
_DEFAULT_FPS = 30.0  # announced if the source does not say its frame rate


def missing_parts() -> dict[str, str]:
    """Return what this machine lacks for a virtual camera, and how to get each part."""
    missing: dict[str, str] = {}
    if importlib.util.find_spec("pyvirtualcam") is None:
        missing["pyvirtualcam is not installed"] = "pip install pyvirtualcam"
    if sys.platform == "linux" and not _LOOPBACK.is_dir():
        missing["v4l2loopback is not loaded"] = _LOOPBACK_FIX
    return missing


def check_virtual_camera() -> None:
    """Refuse if this machine cannot have a virtual camera.

    Raises:
        UserError: the package or the device is missing; the message says how to get it.
    """
    if missing := missing_parts():
        problem, fix = " and ".join(missing), "; ".join(missing.values())
        raise UserError(f"no virtual camera: {problem}; {fix}")


class VirtualCamera:
    """A sink that sends frames to a virtual camera through pyvirtualcam.

    Args:
        fps: the frame rate to announce; 0: unknown.

    Raises:
        UserError: the package or the device is missing.
    """

    name, interactive = SinkName.VIRTUAL_CAMERA.value, False

    def __init__(self, fps: float) -> None:
        check_virtual_camera()
        self._fps, self._camera = fps or _DEFAULT_FPS, None

    def show(self, preview: Preview) -> None:
        """Send the plain picture; the first one sets the camera's size, later ones are fitted into it."""
        import pyvirtualcam  # pyright: ignore[reportMissingImports]

        image_bgr = preview.picture_bgr
        height, width = image_bgr.shape[:2]
        if self._camera is None:
            try:
                self._camera = pyvirtualcam.Camera(
                    width, height, self._fps, fmt=pyvirtualcam.PixelFormat.BGR
                )
            except RuntimeError as error:
                raise UserError(f"no virtual camera: {error}") from None
        size = self._camera.width, self._camera.height
        if (width, height) != size:
            image_bgr = letterboxed(image_bgr, size)
        self._camera.send(np.ascontiguousarray(image_bgr))

    def poll(self) -> Key | None:
        """Return None: a camera has no keys."""
        return None

    def close(self) -> None:
        """Release the device."""
        if self._camera is not None:
            self._camera.close()

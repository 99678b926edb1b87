"""Names the cameras of this machine, and finds the one that is meant."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import cv2

from inpaint_model.errors import UserError

_BACKENDS = {"linux": cv2.CAP_V4L2, "darwin": cv2.CAP_AVFOUNDATION, "win32": cv2.CAP_MSMF}


@dataclass(frozen=True)
class Camera:
    """A camera as the system knows it.

    Attributes:
        index: the number OpenCV opens it by.
        name: what the driver calls it.
        path: its device, empty where the system has no paths.
        backend: OpenCV's interface to it.
    """

    index: int
    name: str
    path: str
    backend: int

    def __str__(self) -> str:
        return f"{self.index}: {self.name}" + (f" ({self.path})" if self.path else "")


def backend() -> int:
    """Return OpenCV's interface to cameras on this system."""
    return _BACKENDS.get(sys.platform, cv2.CAP_ANY)


def list_cameras() -> list[Camera]:
    """Return the cameras there are, without opening them: that would switch their lights on."""
    from cv2_enumerate_cameras import enumerate_cameras

    found = [
        Camera(info.index, (info.name or "camera").strip(), str(info.path or ""), info.backend)
        for info in enumerate_cameras(backend())
    ]
    return sorted(found, key=lambda camera: camera.index)


def describe(cameras: list[Camera]) -> str:
    """List cameras in one line, for messages."""
    if not cameras:
        return "no camera is connected"
    return "there are " + "; ".join(map(str, cameras))


def find_camera(wanted: str, cameras: list[Camera]) -> Camera:
    """Find a camera by index, device path, or a part of its name.

    Raises:
        UserError: none or several are meant; the message lists what exists.
    """
    if wanted.isdecimal():
        matches = [camera for camera in cameras if camera.index == int(wanted)]
    else:
        device = Path(wanted).resolve()
        matches = [c for c in cameras if c.path and Path(c.path).resolve() == device]
        matches = matches or [c for c in cameras if c.name.lower() == wanted.lower()]
        matches = matches or [c for c in cameras if wanted.lower() in c.name.lower()]
    if len(matches) == 1:
        return matches[0]
    if matches:
        raise UserError(f"several cameras are called {wanted}: {'; '.join(map(str, matches))}")
    what = f"no camera {wanted}" if wanted.isdecimal() else f"no file and no camera {wanted}"
    raise UserError(f"{what}; {describe(cameras)}")

"""Lists the cameras of this machine, and finds one by index, name or device path."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import cv2

from inpaint_model.errors import UserError

_BACKENDS = {"linux": cv2.CAP_V4L2, "darwin": cv2.CAP_AVFOUNDATION, "win32": cv2.CAP_MSMF}


@dataclass(frozen=True)
class Camera:
    """A camera of this machine.

    Attributes:
        index: the number by which OpenCV opens it.
        name: its name from the driver.
        path: its device path; empty on systems without such paths.
        backend: OpenCV's number of the capture API.
    """

    index: int
    name: str
    path: str
    backend: int

    def __str__(self) -> str:
        return f"{self.index}: {self.name}" + (f" ({self.path})" if self.path else "")


def list_cameras() -> list[Camera]:
    """Return the connected cameras, without opening them: that would switch their lights on."""
    from cv2_enumerate_cameras import enumerate_cameras

    found = [
        Camera(info.index, (info.name or "camera").strip(), str(info.path or ""), info.backend)
        for info in enumerate_cameras(_BACKENDS.get(sys.platform, cv2.CAP_ANY))
    ]
    return sorted(found, key=lambda camera: camera.index)


def find_camera(wanted: str, cameras: list[Camera]) -> Camera:
    """Find a camera by index, device path, or a part of its name.

    Raises:
        UserError: no camera or several cameras match; the message lists the connected cameras.
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
        raise UserError(f"several cameras match {wanted}: {'; '.join(map(str, matches))}")
    what = f"no camera {wanted}" if wanted.isdecimal() else f"no file and no camera {wanted}"
    listed = "; ".join(map(str, cameras))
    raise UserError(f"{what}; {f'there are {listed}' if listed else 'no camera is connected'}")

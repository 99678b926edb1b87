"""Tells what the user means by a source, and opens it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from inpaint_model.errors import UserError
from realtime.capture.camera import OpenCVCamera
from realtime.capture.devices import find_camera, list_cameras
from realtime.capture.frame import Capture, CaptureLost
from realtime.capture.network_stream import SCHEMES, NetworkStream, without_password
from realtime.capture.paced_file import PacedFile
from realtime.capture.reconnecting import Reconnecting, Tell


@dataclass(frozen=True)
class CaptureOptions:
    """What is asked of a source.

    Attributes:
        size: width and height to ask a camera for, pixels.
        fps: rate to ask a camera for.
        loop: play a file again and again.
        patience_s: how long a lost source may stay away.
    """

    size: tuple[int, int] = (640, 480)
    fps: float = 30.0
    loop: bool = False
    patience_s: float = 60.0


def open_capture(
    source: str, options: CaptureOptions | None = None, tell: Tell = lambda _line: None
) -> Reconnecting:
    """Open a camera (index, name or device path), an address, or a file played at its own pace.

    Args:
        source: what the user wrote.
        options: what to ask of it.
        tell: takes lines for the user, from the thread that reads.

    Raises:
        UserError: there is no such source, or it gives no video; for cameras the message lists those
            that exist.
    """
    options = options or CaptureOptions()
    return Reconnecting(_opener(source, options), tell, options.patience_s)


def _opener(source: str, options: CaptureOptions) -> Callable[[], Capture]:
    if "://" in source:
        if source.split("://")[0].lower() not in SCHEMES:
            raise UserError(
                f"{without_password(source)}: addresses begin with {', '.join(SCHEMES)}"
            )
        return partial(_named, without_password(source), partial(NetworkStream, source))
    path = Path(source)
    if not source.isdecimal() and path.is_file():
        return partial(PacedFile, path, loop=options.loop)
    if path.is_dir():
        raise UserError(f"{source}: is a folder")
    camera = find_camera(source, list_cameras())

    def open_camera() -> Capture:
        """Find it anew each time: a camera plugged in again may have another index."""
        here = list_cameras()
        same = [c for c in here if c.name == camera.name] or [c for c in here if c == camera]
        if not same:
            raise CaptureLost("is not connected")
        best = min(same, key=lambda c: abs(c.index - camera.index))
        return OpenCVCamera(best, options.size, options.fps)

    return partial(_named, str(camera), open_camera)


def _named(name: str, open_source: Callable[[], Capture]) -> Capture:
    """Put the source's name before what is wrong with it."""
    try:
        return open_source()
    except CaptureLost as error:
        raise CaptureLost(f"{name}: {error}") from None

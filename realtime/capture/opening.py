"""Opens a live source by what the user wrote: a camera, a network address or a file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from inpaint_model.errors import UserError
from inpaint_model.limits import Limits
from realtime.capture.camera import OpenCVCamera
from realtime.capture.devices import find_camera, list_cameras
from realtime.capture.frame import Capture, CaptureLost
from realtime.capture.network_stream import SCHEMES, NetworkStream
from realtime.capture.paced_file import PacedFile
from realtime.capture.reconnecting import Notify, Reconnecting
from realtime.runtime.shown_text import hide_secrets


@dataclass(frozen=True)
class CaptureOptions:
    """How a source is opened.

    Attributes:
        size: width and height to request from a camera, pixels.
        fps: frame rate to request from a camera.
        loop: play a file again and again.
        reconnect_timeout_s: give up after a lost source has been away for this time; by default that of
            `Limits.lost_s`.
    """

    size: tuple[int, int] = (640, 480)
    fps: float = 30.0
    loop: bool = False
    reconnect_timeout_s: float | None = None


def open_capture(
    source: str, options: CaptureOptions | None = None, notify: Notify = lambda _line: None
) -> Reconnecting:
    """Open a camera (index, name or device path), a network address, or a file played in real time.

    Args:
        source: what the user wrote.
        options: how to open it.
        notify: called with lines for the user, from the thread that reads.

    Raises:
        UserError: there is no such source, or it is not a video; for cameras the message lists the
            connected ones.
    """
    options = options or CaptureOptions()
    timeout_s = options.reconnect_timeout_s
    if timeout_s is None:
        timeout_s = Limits.of_environment().lost_s
    return Reconnecting(_opener(source, options), notify, timeout_s)


def check_source(source: str) -> None:
    """Refuse a source that does not exist here, without opening anything.

    Raises:
        UserError: there is no such file, kind of address, or camera.
    """
    _opener(source, CaptureOptions())


def names_camera(source: str) -> bool:
    """Say whether a source is a camera of this machine, and no network address or file."""
    return "://" not in source and (source.isdecimal() or not Path(source).is_file())


def _opener(source: str, options: CaptureOptions) -> Callable[[], Capture]:
    """Return a function that opens the source, at first and after each loss."""
    if "://" in source:
        if source.split("://")[0].lower() not in SCHEMES:
            raise UserError(f"{hide_secrets(source)}: addresses begin with {', '.join(SCHEMES)}")
        return partial(_open_named, hide_secrets(source), partial(NetworkStream, source))
    path = Path(source)
    if not names_camera(source):
        return partial(PacedFile, path, loop=options.loop)
    if path.is_dir():
        raise UserError(f"{source}: is a folder")
    camera = find_camera(source, list_cameras())

    def open_camera() -> Capture:
        """Find the camera again each time: once reconnected, it may have another index."""
        same = [c for c in list_cameras() if c.name == camera.name]
        if not same:
            raise CaptureLost("is not connected")
        best = min(same, key=lambda c: abs(c.index - camera.index))
        return OpenCVCamera(best, options.size, options.fps)

    return partial(_open_named, str(camera), open_camera)


def _open_named(name: str, open_source: Callable[[], Capture]) -> Capture:
    """Open a source; an error message begins with the source's name."""
    try:
        return open_source()
    except CaptureLost as error:
        raise CaptureLost(f"{name}: {error}") from None

"""Where the preview goes: a window, a virtual camera that other programs can choose, or nowhere."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from inpaint_model.errors import UserError
from realtime.live.choices import Key, SinkName

_PROBE = "import cv2; cv2.namedWindow('unmask'); cv2.waitKey(1)"
_PROBE_S = 20
_DISPLAY_MEND = (
    "--sink none or --sink virtual-camera needs no display; `unmask video` works on files"
)


class Sink(Protocol):
    """Takes pictures in the thread that opened it.

    Attributes:
        name: what the user calls it.
        has_text: whether figures belong on the picture.
    """

    name: str
    has_text: bool

    def show(self, image_bgr: NDArray[np.uint8]) -> None:
        """Show a picture, uint8 [H, W, 3] BGR."""
        ...

    def poll(self) -> Key | None:
        """Let the window live, and return what the user asks for, if anything."""
        ...

    def close(self) -> None:
        """Go away."""
        ...


class Window:
    """A window of OpenCV's; `check_display` first: without a display the process would end."""

    name, has_text = SinkName.WINDOW.value, True

    def __init__(self, title: str = "unmask") -> None:
        self._title, self._shown = title, False
        cv2.namedWindow(title, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO | cv2.WINDOW_GUI_NORMAL)
        self._size: tuple[int, int] | None = None

    def show(self, image_bgr: NDArray[np.uint8]) -> None:
        """Draw; the window takes the picture's size when that changes."""
        size = (image_bgr.shape[1], image_bgr.shape[0])
        if size != self._size:
            cv2.resizeWindow(self._title, *size)
            self._size = size
        cv2.imshow(self._title, image_bgr)
        self._shown = True

    def poll(self) -> Key | None:
        """Handle the window's events; Esc and the window's close button are `QUIT`."""
        code = cv2.pollKey()
        if self._shown and self._is_closed():
            return Key.QUIT
        if code < 0:
            return None
        letter = chr(code & 0xFF).lower()
        if letter == "\x1b":
            return Key.QUIT
        return next((key for key in Key if key.value == letter), None)

    def _is_closed(self) -> bool:
        try:
            return cv2.getWindowProperty(self._title, cv2.WND_PROP_VISIBLE) < 1
        except cv2.error:  # Qt's answer once the last window is closed
            return True

    def close(self) -> None:
        """Close the window."""
        cv2.destroyAllWindows()
        cv2.pollKey()


class VirtualCamera:
    """A camera that other programs can choose, by pyvirtualcam.

    Args:
        fps: the rate to announce.

    Raises:
        UserError: the package or the device is missing.
    """

    name, has_text = SinkName.VIRTUAL_CAMERA.value, False

    def __init__(self, fps: float) -> None:
        check_virtual_camera()
        self._fps, self._camera = fps or 30.0, None

    def show(self, image_bgr: NDArray[np.uint8]) -> None:
        """Send; the first picture decides on the size."""
        import pyvirtualcam  # pyright: ignore[reportMissingImports]

        height, width = image_bgr.shape[:2]
        if self._camera is None:
            try:
                self._camera = pyvirtualcam.Camera(
                    width, height, self._fps, fmt=pyvirtualcam.PixelFormat.BGR
                )
            except RuntimeError as error:
                raise UserError(f"no virtual camera: {error}") from None
        if (width, height) != (self._camera.width, self._camera.height):
            image_bgr = cv2.resize(image_bgr, (self._camera.width, self._camera.height)).astype(
                np.uint8, copy=False
            )
        self._camera.send(np.ascontiguousarray(image_bgr))

    def poll(self) -> Key | None:
        """Nobody can ask for anything."""
        return None

    def close(self) -> None:
        """Give the device free."""
        if self._camera is not None:
            self._camera.close()


class NullSink:
    """Shows nothing: to measure, or to record."""

    name, has_text = SinkName.NONE.value, False

    def show(self, image_bgr: NDArray[np.uint8]) -> None:
        """Do nothing."""

    def poll(self) -> Key | None:
        """Nobody can ask for anything."""
        return None

    def close(self) -> None:
        """Do nothing."""


def check_sink(name: SinkName) -> None:
    """Refuse a sink that cannot be had here, before any model is loaded.

    Raises:
        UserError: the message says why and what to do.
    """
    if name is SinkName.WINDOW:
        check_display()
    elif name is SinkName.VIRTUAL_CAMERA:
        check_virtual_camera()


def open_sink(name: SinkName, fps: float) -> Sink:
    """Open a sink that `check_sink` let pass, from the main thread; `fps` is the rate to announce."""
    if name is SinkName.WINDOW:
        return Window()
    if name is SinkName.VIRTUAL_CAMERA:
        return VirtualCamera(fps)
    return NullSink()


def check_virtual_camera() -> None:
    """Refuse where no virtual camera can be had.

    Raises:
        UserError: the package or the device is missing; the message says how to mend it.
    """
    from realtime.doctor.devices import virtual_camera

    for check in virtual_camera():
        if check.state != "ok":
            raise UserError(f"no virtual camera: {check.found}; {check.mend}")


def check_display() -> None:
    """Refuse where no window can be opened.

    Toolkits end the whole process where a display cannot be reached, so another process tries first.

    Raises:
        UserError: no display, or OpenCV cannot use it.
    """
    if sys.platform not in ("win32", "darwin") and not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    ):
        raise UserError(f"no display: a window cannot be shown; {_DISPLAY_MEND}")
    try:
        probe = subprocess.run(
            [sys.executable, "-c", _PROBE], capture_output=True, timeout=_PROBE_S, check=False
        )
    except subprocess.TimeoutExpired:
        raise UserError(f"the display does not answer; {_DISPLAY_MEND}") from None
    if probe.returncode:
        said = probe.stderr.decode(errors="replace").strip().splitlines() or ["it ended"]
        why = next((line for line in said if "could not" in line), said[-1])
        raise UserError(f"no window can be shown ({why}); {_DISPLAY_MEND}")

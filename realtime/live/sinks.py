"""Sinks: the preview goes to a window, to a virtual camera, or nowhere."""

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
from realtime.live.virtual_camera import VirtualCamera, check_virtual_camera

_OPEN_WINDOW = "import cv2; cv2.namedWindow('unmask'); cv2.waitKey(1)"
_OPEN_TIMEOUT_S = 20
_DISPLAY_FIX = (
    "--sink none or --sink virtual-camera needs no display; `unmask video` works on files"
)
_ESCAPE = "\x1b"


class Sink(Protocol):
    """Shows frames; used only in the thread that opened it.

    Attributes:
        name: as in the report.
        has_text: whether figures are drawn on its frames.
    """

    name: str
    has_text: bool

    def show(self, image_bgr: NDArray[np.uint8]) -> None:
        """Show a frame, uint8 [H, W, 3] BGR."""
        ...

    def poll(self) -> Key | None:
        """Handle pending events and return the key that was pressed, if any."""
        ...

    def close(self) -> None:
        """Close the sink."""
        ...


class Window:
    """An OpenCV window. Call `check_display` first: without a display OpenCV aborts the process."""

    name, has_text = SinkName.WINDOW.value, True

    def __init__(self, title: str = "unmask") -> None:
        self._title, self._shown = title, False
        cv2.namedWindow(title, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO | cv2.WINDOW_GUI_NORMAL)
        self._size: tuple[int, int] | None = None

    def show(self, image_bgr: NDArray[np.uint8]) -> None:
        """Draw a frame; the window is resized when the frame's size changes."""
        size = (image_bgr.shape[1], image_bgr.shape[0])
        if size != self._size:
            cv2.resizeWindow(self._title, *size)
            self._size = size
        cv2.imshow(self._title, image_bgr)
        self._shown = True

    def poll(self) -> Key | None:
        """Handle the window's events; Esc and the close button return `Key.QUIT`."""
        code = cv2.pollKey()
        if self._shown and self._is_closed():
            return Key.QUIT
        if code < 0:
            return None
        letter = chr(code & 0xFF).lower()
        if letter == _ESCAPE:
            return Key.QUIT
        return next((key for key in Key if key.value == letter), None)

    def _is_closed(self) -> bool:
        try:
            return cv2.getWindowProperty(self._title, cv2.WND_PROP_VISIBLE) < 1
        except cv2.error:  # the Qt backend raises once the last window is closed
            return True

    def close(self) -> None:
        """Close the window."""
        cv2.destroyAllWindows()
        cv2.pollKey()


class NullSink:
    """Shows nothing: for measuring or recording."""

    name, has_text = SinkName.NONE.value, False

    def show(self, image_bgr: NDArray[np.uint8]) -> None:
        """Do nothing."""

    def poll(self) -> Key | None:
        """Return None: there are no keys."""
        return None

    def close(self) -> None:
        """Do nothing."""


def check_sink(name: SinkName) -> None:
    """Refuse a sink that does not work here, before any model is loaded.

    Raises:
        UserError: the message says why and what to do.
    """
    if name is SinkName.WINDOW:
        check_display()
    elif name is SinkName.VIRTUAL_CAMERA:
        check_virtual_camera()


def open_sink(name: SinkName, fps: float) -> Sink:
    """Open a sink that passed `check_sink`, from the main thread; `fps` is the rate to announce."""
    if name is SinkName.WINDOW:
        return Window()
    if name is SinkName.VIRTUAL_CAMERA:
        return VirtualCamera(fps)
    return NullSink()


def find_display() -> str | None:
    """Return the display's name, without opening a window; None if there is none."""
    if sys.platform in ("win32", "darwin"):
        return sys.platform
    return os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY") or None


def check_display() -> None:
    """Refuse if no window can be opened.

    GUI toolkits abort the whole process if the display cannot be reached, so a child process tries it.

    Raises:
        UserError: there is no display, or OpenCV cannot use it.
    """
    if find_display() is None:
        raise UserError(f"no display: a window cannot be shown; {_DISPLAY_FIX}")
    try:
        child = subprocess.run(
            [sys.executable, "-c", _OPEN_WINDOW],
            capture_output=True,
            timeout=_OPEN_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise UserError(f"the display does not answer; {_DISPLAY_FIX}") from None
    if child.returncode:
        lines = child.stderr.decode(errors="replace").strip().splitlines() or ["it ended"]
        why = next((line for line in lines if "could not" in line), lines[-1])
        raise UserError(f"no window can be shown ({why}); {_DISPLAY_FIX}")

"""Sinks: a frame is shown in a window, sent to a virtual camera, or both, or neither."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from typing import Protocol

from inpaint_model.errors import UserError
from realtime.live.choices import Key, SinkName
from realtime.live.view import Preview
from realtime.live.virtual_camera import VirtualCamera, check_virtual_camera
from realtime.live.window import Window

_OPEN_WINDOW = "import cv2; cv2.namedWindow('unmask tries the display'); cv2.waitKey(1)"
_OPEN_TIMEOUT_S = 20
_DISPLAY_FIX = (
    "--sink none or --sink virtual-camera needs no display; `unmask video` works on files"
)


class Sink(Protocol):
    """Shows frames; used only in the thread that opened it."""

    @property
    def name(self) -> str:
        """As in the report."""
        ...

    @property
    def interactive(self) -> bool:
        """The user looks at it and presses keys, so it is drawn anew without a new frame too."""
        ...

    def show(self, preview: Preview) -> None:
        """Show a frame."""
        ...

    def poll(self) -> Key | None:
        """Handle pending events and return the key that was pressed, if any."""
        ...

    def close(self) -> None:
        """Close the sink."""
        ...


class NullSink:
    """Shows nothing: for measuring or recording."""

    name, interactive = SinkName.NONE.value, False

    def show(self, preview: Preview) -> None:
        """Do nothing."""

    def poll(self) -> Key | None:
        """Return None: there are no keys."""
        return None

    def close(self) -> None:
        """Do nothing."""


class SeveralSinks:
    """Shows each frame in several sinks; the first key that one of them returns counts.

    Args:
        sinks: they are closed with this one.
    """

    def __init__(self, sinks: Sequence[Sink]) -> None:
        self._sinks = tuple(sinks)
        self.name = " + ".join(sink.name for sink in self._sinks)
        self.interactive = any(sink.interactive for sink in self._sinks)

    def show(self, preview: Preview) -> None:
        """Show a frame in each."""
        for sink in self._sinks:
            sink.show(preview)

    def poll(self) -> Key | None:
        """Handle the events of each and return the first key that was pressed, if any."""
        keys = [sink.poll() for sink in self._sinks]
        return next((key for key in keys if key is not None), None)

    def close(self) -> None:
        """Close each."""
        for sink in self._sinks:
            sink.close()


def check_sinks(names: Iterable[SinkName]) -> None:
    """Refuse a sink that does not work here, before any model is loaded.

    Raises:
        UserError: the message says why and what to do.
    """
    for name in names:
        if name is SinkName.WINDOW:
            check_display()
        elif name is SinkName.VIRTUAL_CAMERA:
            check_virtual_camera()


def open_sinks(names: Iterable[SinkName], fps: float) -> Sink:
    """Open sinks that passed `check_sinks`, each once, from the main thread; `fps` is announced."""
    return SeveralSinks([_open_sink(name, fps) for name in dict.fromkeys(names)])


def _open_sink(name: SinkName, fps: float) -> Sink:
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
            [sys.executable, "-P", "-c", _OPEN_WINDOW],  # -P: no cv2.py of this folder,
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

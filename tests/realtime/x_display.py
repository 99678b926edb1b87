"""A display in memory, and a user in front of it: presses keys, resizes and closes windows, and looks."""

from __future__ import annotations

import ctypes
import ctypes.util
import os
import shutil
import struct
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

_DISPLAY, _XID = ctypes.c_void_p, ctypes.c_ulong
_POINTER_ROOT, _CURRENT_TIME = 1, 0
_CLIENT_MESSAGE, _FORMAT_BITS = 33, 32
_TIMEOUT_S = 30.0  # for anything to happen
_MISSED_S = 1.5  # a window that has painted nothing for this time will not
_KEYSYMS = {"Escape": 0xFF1B, "Shift": 0xFFE1}  # of other keys the keysym is the Latin-1 code


@ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
def _live_on(_display: int, _event: int) -> int:
    """Windows may close between two questions about them; Xlib's own handler ends the process then."""
    return 0


def wait_until(condition: Callable[[], object], seconds: float = _TIMEOUT_S) -> None:
    """Wait until a condition holds; fail if it does not in time."""
    ends_s = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends_s, "it did not happen in time"
        time.sleep(0.02)


def _library(name: str) -> ctypes.CDLL:
    path = ctypes.util.find_library(name)
    if path is None:
        pytest.skip(f"lib{name} is not installed")
    return ctypes.CDLL(path)


class XDisplay:
    """A connection to an X server.

    Args:
        name: such as ":1".
        frame_buffer: the file of the server's option -fbdir.

    Attributes:
        name: as given.
    """

    def __init__(self, name: str, frame_buffer: Path) -> None:
        self.name, self._frame_buffer = name, frame_buffer
        self._x11, self._xtst = _library("X11"), _library("Xtst")
        self._x11.XOpenDisplay.restype = _DISPLAY
        self._x11.XDefaultRootWindow.restype = self._x11.XInternAtom.restype = _XID
        self._x11.XKeycodeToKeysym.restype = _XID
        self._x11.XSetErrorHandler(_live_on)
        self._connection = _DISPLAY(self._x11.XOpenDisplay(name.encode()))
        self._root = _XID(self._x11.XDefaultRootWindow(self._connection))

    def environment(self) -> dict[str, str]:
        """The environment of a program that uses this display."""
        return {**os.environ, "DISPLAY": self.name}

    def windows(self, title: str = "unmask") -> list[int]:
        """Return the windows with this title."""
        ids, count, unused = ctypes.POINTER(_XID)(), ctypes.c_uint(), _XID()
        references = [ctypes.byref(value) for value in (unused, unused, ids, count)]
        self._x11.XQueryTree(self._connection, self._root, *references)
        return [ids[n] for n in range(count.value) if self._title(ids[n]) == title]

    def wait_for_window(self, process: subprocess.Popen[str]) -> int:
        """Wait until a program's window shows something, and return it.

        On a busy machine Qt 5 now and then misses that its window was mapped, and never paints it. A user
        would minimise and restore it; so does this.
        """
        ends_s, remap_s = time.monotonic() + _TIMEOUT_S, 0.0
        while time.monotonic() < ends_s and process.poll() is None:
            for window in self.windows():
                if self.look(window).any():
                    return window
                remap_s = remap_s or time.monotonic() + _MISSED_S
                if time.monotonic() > remap_s:
                    self._remap(window)
                    remap_s = 0.0
            time.sleep(0.02)
        raise AssertionError(f"no window shows anything; exit status {process.poll()}")

    def _remap(self, window: int) -> None:
        for change in (self._x11.XUnmapWindow, self._x11.XMapWindow):
            change(self._connection, _XID(window))
            self._x11.XSync(self._connection, 0)
            time.sleep(0.2)

    def _title(self, window: int) -> str:
        name = ctypes.c_char_p()
        self._x11.XFetchName(self._connection, _XID(window), ctypes.byref(name))
        return (name.value or b"").decode()

    def box(self, window: int) -> tuple[int, int, int, int]:
        """Return a window's left, top, width and height, pixels."""
        root, unused = _XID(), ctypes.c_uint()
        x, y, width, height = ctypes.c_int(), ctypes.c_int(), ctypes.c_uint(), ctypes.c_uint()
        references = [ctypes.byref(v) for v in (root, x, y, width, height, unused, unused)]
        self._x11.XGetGeometry(self._connection, _XID(window), *references)
        return x.value, y.value, width.value, height.value

    def resize(self, window: int, width: int, height: int) -> None:
        """Give a window another size, as a user does with the mouse."""
        self._x11.XResizeWindow(self._connection, _XID(window), width, height)
        self._x11.XSync(self._connection, 0)

    def press(self, window: int, key: str) -> None:
        """Press a key of the keyboard while a window has the focus: a character, or "Escape"."""
        focus = self._connection, _XID(window), _POINTER_ROOT, _CURRENT_TIME
        self._x11.XSetInputFocus(*focus)
        keysym = _KEYSYMS.get(key) or ord(key)
        code = self._x11.XKeysymToKeycode(self._connection, _XID(keysym))
        shift = self._x11.XKeysymToKeycode(self._connection, _XID(_KEYSYMS["Shift"]))
        plain = self._x11.XKeycodeToKeysym(self._connection, code, 0) == keysym
        for down in (True, False):
            keys = [code] if plain else [shift, code]
            for pressed in keys if down else reversed(keys):
                self._xtst.XTestFakeKeyEvent(self._connection, pressed, down, _XID(0))
        self._x11.XSync(self._connection, 0)

    def close(self, window: int) -> None:
        """Do what a window manager does when the user clicks on the cross (WM_DELETE_WINDOW)."""
        protocols, delete = (
            self._x11.XInternAtom(self._connection, name, False)
            for name in (b"WM_PROTOCOLS", b"WM_DELETE_WINDOW")
        )
        # XClientMessageEvent: type, serial, send_event, display, window, message, format, data
        event = (ctypes.c_long * 24)(
            _CLIENT_MESSAGE, 0, 1, 0, window, protocols, _FORMAT_BITS, delete
        )
        self._x11.XSendEvent(self._connection, _XID(window), 0, 0, ctypes.byref(event))
        self._x11.XSync(self._connection, 0)

    def look(self, window: int) -> NDArray[np.uint8]:
        """Return what the screen shows of a window, uint8 [H, W, 3], BGR."""
        content = self._frame_buffer.read_bytes()
        fields = struct.unpack(">25I", content[:100])  # of XWD, the X window dump
        header, screen_height, row_bytes, colours = fields[0], fields[5], fields[12], fields[19]
        pixels = np.frombuffer(content, np.uint8, row_bytes * screen_height, header + colours * 12)
        x, y, width, height = self.box(window)
        screen = pixels.reshape(screen_height, row_bytes // 4, 4)
        return screen[y : y + height, x : x + width, :3].copy()


@contextmanager
def display_in_memory(folder: Path) -> Iterator[XDisplay]:
    """Run an X server without a screen; the test is skipped where there is none."""
    server = shutil.which("Xvfb")
    if server is None:
        pytest.skip("Xvfb is not installed: apt-get install xvfb")
    receiving, sending = os.pipe()
    screen = ["-screen", "0", "1400x900x24", "-fbdir", str(folder)]
    command = [server, "-displayfd", str(sending), *screen]
    with subprocess.Popen(command, pass_fds=[sending], stderr=subprocess.DEVNULL) as process:
        os.close(sending)
        try:
            with os.fdopen(receiving) as numbers:
                number = numbers.readline().strip()
            yield XDisplay(f":{number}", folder / "Xvfb_screen0")
        finally:
            process.terminate()

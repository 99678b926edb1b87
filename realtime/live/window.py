"""The window of OpenCV: it shows the picture as large as the user made the window, and reads the keys."""

from __future__ import annotations

import cv2
import numpy as np

from realtime.live.canvas import bar_height, draw_canvas
from realtime.live.choices import Key, SinkName
from realtime.live.view import Preview

_ESCAPE = "\x1b"
_SAME_KEY = {"=": Key.STRONGER, "_": Key.WEAKER, "/": Key.HELP}  # the same keys, Shift or not
_MAX_SIZE = 1280, 720  # of the picture when the window opens, pixels; a larger picture is scaled
_MIN_WIDTH = 320  # of the window when it opens, pixels


class Window:
    """A sink with keys. Call `check_display` first: without a display OpenCV aborts the process.

    The window opens with the first frame, in its size but at most 1280x720; later only the user changes it.
    """

    name, interactive = SinkName.WINDOW.value, True

    def __init__(self, title: str = "unmask") -> None:
        self._title, self._shown, self._full_screen = title, False, False
        self._canvas_bgr = np.empty((0, 0, 3), np.uint8)

    def show(self, preview: Preview) -> None:
        """Draw a frame with the status bar and messages, in the window's present size."""
        width, height = self._size() if self._shown else self._open(preview)
        if self._canvas_bgr.shape[:2] != (height, width):
            self._canvas_bgr = np.empty((height, width, 3), np.uint8)
        draw_canvas(self._canvas_bgr, preview)
        cv2.imshow(self._title, self._canvas_bgr)
        self._shown = True

    def _open(self, preview: Preview) -> tuple[int, int]:
        """Open the window, and return its size: width and height, pixels."""
        height, width = preview.processed.result.frame.shape[:2]
        width *= 1 + preview.view.side_by_side
        scale = min(max(_MIN_WIDTH / width, 1), _MAX_SIZE[0] / width, _MAX_SIZE[1] / height)
        size = round(width * scale), round(height * scale)
        size = size[0], size[1] + bar_height(size, preview.view)
        how = cv2.WINDOW_NORMAL | cv2.WINDOW_FREERATIO | cv2.WINDOW_GUI_NORMAL
        cv2.namedWindow(self._title, how)
        cv2.resizeWindow(self._title, *size)
        return size

    def _size(self) -> tuple[int, int]:
        """Return the width and height of the window's content, pixels; if it is minimised, the last."""
        width, height = cv2.getWindowImageRect(self._title)[2:]
        if width < 1 or height < 1:
            return self._canvas_bgr.shape[1], self._canvas_bgr.shape[0]
        return width, height

    def poll(self) -> Key | None:
        """Handle the window's events; the close button and Esc return `Key.QUIT`.

        Full screen is the window's own matter: f turns it on and off, and Esc ends it.
        """
        if not self._shown:
            return None
        code = cv2.pollKey()
        if self._is_closed():
            return Key.QUIT
        if code < 0:
            return None
        letter = chr(code & 0xFF).lower()
        if letter == Key.FULL_SCREEN or (letter == _ESCAPE and self._full_screen):
            self._full_screen = not self._full_screen
            cv2.setWindowProperty(self._title, cv2.WND_PROP_FULLSCREEN, float(self._full_screen))
            return None
        if letter == _ESCAPE:
            return Key.QUIT
        return next((key for key in Key if key.value == letter), _SAME_KEY.get(letter))

    def _is_closed(self) -> bool:
        try:
            return cv2.getWindowProperty(self._title, cv2.WND_PROP_VISIBLE) < 1
        except cv2.error:  # the Qt backend raises once the last window is closed
            return True

    def close(self) -> None:
        """Close the window."""
        if self._shown:
            cv2.destroyAllWindows()
            cv2.pollKey()

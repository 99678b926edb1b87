"""Messages for the user: each is printed at once, and the window shows it for a moment."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

_SECONDS = 4.0  # that a message stays
_MOST = 3  # messages that the window shows at once, the newest


class Toasts:
    """Collects messages from any thread.

    Args:
        notify: prints one line.
    """

    def __init__(self, notify: Callable[[str], None] = lambda _line: None) -> None:
        self._notify = notify
        self._lines: deque[tuple[str, float]] = deque(maxlen=_MOST)
        self._answer = ("", 0.0)

    def __call__(self, line: str) -> None:
        """Print a line and show it."""
        self._notify(line)
        self._lines.append((line, time.monotonic()))

    def answer(self, line: str) -> None:
        """Show what a key did, in the window only; the next answer takes its place."""
        self._answer = line, time.monotonic()

    def current(self) -> tuple[str, ...]:
        """Return the lines that are to be seen now, the oldest first and the answer last."""
        now_s = time.monotonic()
        lines = (*tuple(self._lines), self._answer)
        return tuple(line for line, at_s in lines if line and now_s - at_s < _SECONDS)

"""Reconnects a live source that is lost, and notifies the user."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from inpaint_model.errors import LostError, UserError
from realtime.capture.frame import Capture, CapturedFrame, CaptureLost, RateMeter

_RETRY_INTERVAL_S = 0.5
Notify = Callable[[str], None]
"""Called with one line for the user."""


class Reconnecting:
    """A live source that is opened again when it is lost.

    Args:
        open_source: opens the source; raises `CaptureLost` if it is not available now.
        notify: called with one line for the user.
        timeout_s: give up after the source has been away for this time.

    Attributes:
        name, nominal_fps, warnings: as in `Capture`.
        lost: why the source is lost now; empty while frames arrive.
        losses: how often it was lost.

    Raises:
        UserError: it cannot be opened the first time.
    """

    def __init__(
        self, open_source: Callable[[], Capture], notify: Notify, timeout_s: float = 60.0
    ) -> None:
        self._open, self._notify, self._timeout_s = open_source, notify, timeout_s
        self._stop = threading.Event()
        self._rate = RateMeter()
        self._next_index, self._first_index = 0, 0
        self.lost, self.losses = "", 0
        self._lost_since_s: float | None = None  # since the last frame, not since it was opened
        try:
            self._source: Capture | None = open_source()
        except CaptureLost as error:
            raise UserError(str(error)) from None
        self.name, self.nominal_fps = self._source.name, self._source.nominal_fps
        self.warnings = self._source.warnings

    @property
    def fps(self) -> float:
        """The measured rate of recent frames."""
        return self._rate.fps

    def read(self) -> CapturedFrame | None:
        """Wait for the next frame, however often the source is lost; None at its end or after `stop`.

        Raises:
            LostError: it did not come back in time, or it came back unusable.
            UserError: it gives what cannot be used, such as frames that are too large.
        """
        while not self._stop.is_set():
            if self._source is None:
                self._source = self._reconnect()
                continue
            try:
                captured = self._source.read()
            except CaptureLost as error:
                self._lose(str(error))
                continue
            if captured is None:
                return None
            self._lost_since_s = None
            self._next_index = self._first_index + captured.index + 1
            self._rate.tick(captured.captured_s)
            return CapturedFrame(captured.image_bgr, self._next_index - 1, captured.captured_s)
        return None

    def _lose(self, why: str) -> None:
        if self._source is not None:
            self._source.close()
        self._source = None
        self.lost, self.losses = f"{self.name}: {why}", self.losses + 1
        if self._lost_since_s is None:
            self._lost_since_s = time.monotonic()
            self._notify(f"{self.lost}; waiting for it to come back")
        elif self._is_timed_out():  # it is opened again and again, and gives no frame
            raise LostError(f"{self.lost}; not back after {self._timeout_s:.0f} s")

    def _is_timed_out(self) -> bool:
        began_s = self._lost_since_s
        return began_s is not None and time.monotonic() - began_s >= self._timeout_s

    def _reconnect(self) -> Capture | None:
        """Try to open the source until it is available; None after `stop`."""
        while not self._stop.wait(_RETRY_INTERVAL_S):
            try:
                source = self._open()
            except (CaptureLost, UserError) as error:
                if not self._is_timed_out():
                    continue
                raise LostError(
                    f"{self.lost}; not back after {self._timeout_s:.0f} s ({error})"
                ) from None
            self._first_index, self._rate, self.lost = self._next_index, RateMeter(), ""
            self._notify(f"{self.name}: is back")
            return source
        return None

    def stop(self) -> None:
        """Make `read` return soon; may be called from any thread."""
        self._stop.set()

    def close(self) -> None:
        """Release the source; no thread may be reading."""
        self.stop()
        if self._source is not None:
            self._source.close()
            self._source = None

"""Keeps a live source going: where it is lost it is opened again and again, and the user is told."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from inpaint_model.errors import UserError
from realtime.capture.frame import Capture, CapturedFrame, CaptureLost, RateMeter

_PAUSE_S = 0.5
Tell = Callable[[str], None]


class Reconnecting:
    """A live source that is opened again when it is lost.

    Args:
        open_source: opens it; raises `CaptureLost` where it is not there now.
        tell: takes a line for the user.
        patience_s: give up after so long without a picture.

    Attributes:
        name, nominal_fps, notes: as in `Capture`.
        lost: what is wrong now; empty while pictures come.
        losses: how often it was lost.

    Raises:
        UserError: it cannot be opened the first time.
    """

    def __init__(
        self, open_source: Callable[[], Capture], tell: Tell, patience_s: float = 60.0
    ) -> None:
        self._open, self._tell, self._patience_s = open_source, tell, patience_s
        self._stop = threading.Event()
        self._rate = RateMeter()
        self._next_index, self._base = 0, 0
        self.lost, self.losses = "", 0
        try:
            self._source: Capture | None = open_source()
        except CaptureLost as error:
            raise UserError(str(error)) from None
        self.name, self.nominal_fps = self._source.name, self._source.nominal_fps
        self.notes = self._source.notes

    @property
    def fps(self) -> float:
        """The rate at which pictures really come."""
        return self._rate.fps

    def read(self) -> CapturedFrame | None:
        """Wait for the next picture, however often the source is lost; None at its end or on `stop`.

        Raises:
            UserError: it did not come back in time, or what came back is of no use.
        """
        while not self._stop.is_set():
            if self._source is None:
                self._source = self._come_back()
                continue
            try:
                shot = self._source.read()
            except CaptureLost as error:
                self._lose(str(error))
                continue
            if shot is None:
                return None
            self._next_index = self._base + shot.index + 1
            self._rate.tick(shot.captured_s)
            return CapturedFrame(shot.image_bgr, self._next_index - 1, shot.captured_s)
        return None

    def _lose(self, why: str) -> None:
        if self._source is not None:
            self._source.close()
        self._source = None
        self.lost, self.losses = f"{self.name}: {why}", self.losses + 1
        self._tell(f"{self.lost}; waiting for it to come back")

    def _come_back(self) -> Capture | None:
        """Try to open it until it is there; None on `stop`."""
        began_s = time.monotonic()
        while not self._stop.wait(_PAUSE_S):
            try:
                source = self._open()
            except (CaptureLost, UserError) as error:
                if time.monotonic() - began_s < self._patience_s:
                    continue
                raise UserError(
                    f"{self.lost}; not back after {self._patience_s:.0f} s ({error})"
                ) from None
            self._base, self._rate, self.lost = self._next_index, RateMeter(), ""
            self._tell(f"{self.name}: is back")
            return source
        return None

    def stop(self) -> None:
        """Make `read` return soon; from any thread."""
        self._stop.set()

    def close(self) -> None:
        """Give the source free; nobody may be reading."""
        self.stop()
        if self._source is not None:
            self._source.close()
            self._source = None

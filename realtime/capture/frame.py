"""The interface of a live source, the frames that it returns, and a meter of their rate."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class CapturedFrame:
    """One frame of a live source.

    Attributes:
        image_bgr: uint8 [H, W, 3], BGR, upright.
        index: counts the source's frames from 0; a gap means that the source itself skipped frames.
        captured_s: `time.perf_counter()` when it arrived.
    """

    image_bgr: NDArray[np.uint8]
    index: int
    captured_s: float


class CaptureLost(Exception):
    """The source returns no more frames but may come back: it is unplugged, or the network is down."""


class Capture(Protocol):
    """A live source of frames.

    Attributes:
        name: as shown to the user.
        nominal_fps: the frame rate that it announces; 0: unknown.
        warnings: one line each.
    """

    name: str
    nominal_fps: float
    warnings: list[str]

    def read(self) -> CapturedFrame | None:
        """Wait for the next frame; None at the end.

        Raises:
            CaptureLost: it returns no frames now but may come back.
            UserError: it will not return frames again.
        """
        ...

    def close(self) -> None:
        """Release the device."""
        ...


class RateMeter:
    """Measures the rate of recent events.

    Args:
        window: the number of intervals to average over.
    """

    def __init__(self, window: int = 60) -> None:
        self._times_s: deque[float] = deque(maxlen=window + 1)

    def tick(self, now_s: float) -> None:
        """Record an event at this time, seconds."""
        self._times_s.append(now_s)

    @property
    def fps(self) -> float:
        """Events a second; 0 before the second event."""
        if len(self._times_s) < 2:
            return 0.0
        return (len(self._times_s) - 1) / max(self._times_s[-1] - self._times_s[0], 1e-9)

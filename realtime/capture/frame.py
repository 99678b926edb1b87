"""What every source of live pictures gives, and how fast it really gives it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class CapturedFrame:
    """One picture of a live source.

    Attributes:
        image_bgr: uint8 [H, W, 3], BGR, upright.
        index: counts the source's pictures from 0; a gap means that the source itself left some out.
        captured_s: `time.perf_counter()` when it was there to be had.
    """

    image_bgr: NDArray[np.uint8]
    index: int
    captured_s: float


class CaptureLost(Exception):
    """The source gives no pictures any more, but may come back: unplugged, or the network is gone."""


class Capture(Protocol):
    """A source of live pictures.

    Attributes:
        name: what the user calls it.
        nominal_fps: the rate it says it has; 0 where it does not say.
        notes: what the user should know of it, one line each.
    """

    name: str
    nominal_fps: float
    notes: list[str]

    def read(self) -> CapturedFrame | None:
        """Wait for the next picture; None at the end.

        Raises:
            CaptureLost: there is none for now.
            UserError: there will be none.
        """
        ...

    def close(self) -> None:
        """Give the device free."""
        ...


class RateMeter:
    """Measures a rate over the last pictures.

    Args:
        window: over so many.
    """

    def __init__(self, window: int = 60) -> None:
        self._times_s: deque[float] = deque(maxlen=window + 1)

    def tick(self, now_s: float) -> None:
        """Take one event's time, seconds."""
        self._times_s.append(now_s)

    @property
    def fps(self) -> float:
        """Events a second; 0 until two have come."""
        if len(self._times_s) < 2:
            return 0.0
        return (len(self._times_s) - 1) / max(self._times_s[-1] - self._times_s[0], 1e-9)

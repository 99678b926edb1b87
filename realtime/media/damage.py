"""Keeps account of what could not be decoded, so that it can be said where a video is damaged."""

from __future__ import annotations

from fractions import Fraction

_MOST_STRETCHES = 8
_NEAR_S = 1.0


class Damage:
    """Frames lost and patched up while reading a file.

    Attributes:
        errors: how often reading or decoding failed.
        lost: frames that could not be decoded.
        patched: frames that were decoded in part.
    """

    def __init__(self) -> None:
        self.errors = self.lost = self.patched = 0
        self._times: list[int] = []

    def lose(self, pts: int) -> None:
        """Note a frame that is missing."""
        self.lost += 1
        self._note(pts)

    def patch(self, pts: int) -> None:
        """Note a frame that the decoder had to guess in part."""
        self.patched += 1
        self._note(pts)

    def _note(self, pts: int) -> None:
        if len(self._times) < 100_000:
            self._times.append(pts)

    def __bool__(self) -> bool:
        return bool(self.errors or self.lost or self.patched)

    def summary(self, time_base: Fraction, origin_s: Fraction) -> str:
        """Say in one line how much is damaged, and where, in seconds from the beginning."""
        times_s = sorted(float(pts * time_base - origin_s) for pts in self._times)
        stretches: list[list[float]] = []
        for time_s in times_s:
            if stretches and time_s - stretches[-1][1] < _NEAR_S:
                stretches[-1][1] = time_s
            else:
                stretches.append([time_s, time_s])
        where = ", ".join(f"{a:.2f}-{b:.2f} s" for a, b in stretches[:_MOST_STRETCHES])
        if len(stretches) > _MOST_STRETCHES:
            where += f" and {len(stretches) - _MOST_STRETCHES} more places"
        counts = f"{self.lost} frames passed over, {self.patched} decoded in part"
        return f"the input is damaged{' at ' + where if where else ''}: {counts}"

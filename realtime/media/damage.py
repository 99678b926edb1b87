"""Records which frames could not be decoded, to report where a video is damaged."""

from __future__ import annotations

from fractions import Fraction

_MAX_LISTED = 8  # damaged intervals named in the summary
_MERGE_S = 1.0  # damage less than this apart is one interval
_MAX_TIMES = 100_000  # recorded timestamps; later ones are only counted


class Damage:
    """Counts of damaged frames in a file.

    Attributes:
        errors: how often reading or decoding failed.
        lost: frames that could not be decoded.
        corrupt: frames that were decoded only in part.
    """

    def __init__(self) -> None:
        self.errors = self.lost = self.corrupt = 0
        self._times: list[int] = []

    def add_lost(self, pts: int) -> None:
        """Count a frame that could not be decoded."""
        self.lost += 1
        self._add_time(pts)

    def add_corrupt(self, pts: int) -> None:
        """Count a frame that the decoder had to conceal in part."""
        self.corrupt += 1
        self._add_time(pts)

    def _add_time(self, pts: int) -> None:
        if len(self._times) < _MAX_TIMES:
            self._times.append(pts)

    def __bool__(self) -> bool:
        return bool(self.errors or self.lost or self.corrupt)

    def summary(self, time_base: Fraction, origin_s: Fraction) -> str:
        """Return one line: how many frames are damaged, and where, in seconds from the start."""
        times_s = sorted(float(pts * time_base - origin_s) for pts in self._times)
        intervals: list[list[float]] = []
        for time_s in times_s:
            if intervals and time_s - intervals[-1][1] < _MERGE_S:
                intervals[-1][1] = time_s
            else:
                intervals.append([time_s, time_s])
        where = ", ".join(f"{a:.2f}-{b:.2f} s" for a, b in intervals[:_MAX_LISTED])
        if len(intervals) > _MAX_LISTED:
            where += f" and {len(intervals) - _MAX_LISTED} more places"
        counts = f"{self.lost} frames skipped, {self.corrupt} decoded in part"
        return f"the input is damaged{' at ' + where if where else ''}: {counts}"

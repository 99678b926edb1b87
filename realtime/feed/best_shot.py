"""Best shots: for each track the one record whose crop suits recognition best, given once it has ended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from realtime.feed.record import FaceRecord

ENDED_AFTER_S = 2.0
"""Seconds without a face after which its track has ended: the tracker gives a number back for 1.2 s."""


@dataclass(eq=False)
class _Shot:
    best: FaceRecord
    last_seen_s: float


class BestShots:
    """Keeps the record of the highest quality of each track until the track ends.

    A track ends when its face has not been seen for a while, by the clock of `FaceRecord.pts_s`. A number
    that is seen again after that begins another track. The memory holds one record for each face seen in
    that while, if `ended` is called for every frame, also for those without a face.

    Args:
        ended_after_s: seconds out of sight after which a track has ended.
    """

    def __init__(self, ended_after_s: float = ENDED_AFTER_S) -> None:
        self._ended_after_s = ended_after_s
        self._shots: dict[int, _Shot] = {}

    def __len__(self) -> int:
        """The number of tracks that are remembered."""
        return len(self._shots)

    def add(self, record: FaceRecord) -> None:
        """Take the record of a face in one frame; of two equally good ones the first is kept."""
        shot = self._shots.setdefault(record.track_id, _Shot(record, record.pts_s))
        shot.last_seen_s = max(shot.last_seen_s, record.pts_s)
        if record.quality > shot.best.quality:
            shot.best = record

    def ended(self, now_s: float) -> list[FaceRecord]:
        """Give and forget the best shots of the tracks that have ended.

        Args:
            now_s: `pts_s` of the frame that was just read.

        Returns:
            Their records with the event "best_shot" and "-best" after their keys, in the order in which
            the tracks were first seen.
        """
        return self._taken(lambda shot: now_s - shot.last_seen_s > self._ended_after_s)

    def finish(self) -> list[FaceRecord]:
        """Give and forget the best shots of all tracks that are left, as `ended`: the source has ended."""
        return self._taken(lambda _: True)

    def _taken(self, wanted: Callable[[_Shot], bool]) -> list[FaceRecord]:
        tracks = [track for track, shot in self._shots.items() if wanted(shot)]
        return [_as_best_shot(self._shots.pop(track).best) for track in tracks]


def _as_best_shot(record: FaceRecord) -> FaceRecord:
    return replace(record, event="best_shot", key=f"{record.key}-best")

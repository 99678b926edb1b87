"""The state of one tracked face. It never leaves this folder; other stages get a `TrackedFace`."""

from __future__ import annotations

from dataclasses import dataclass

from realtime.frames import Face, TrackedFace
from realtime.settings import TRACK
from realtime.track.association import MotionModel


@dataclass(eq=False)
class Track:
    """One tracked face.

    Attributes:
        track_id: the number that stays with the face.
        face: where it was found last.
        motion: predicts where it is.
        undetected_s: seconds since the networks found it; optical flow may have followed it since.
        misses: frames since it was found last.
        hits: frames in which it was found; a face that was found once is not kept through a miss.
        restarted: stages must forget earlier crops of it; True until the next snapshot.
        doubts: checks in a row in which it was neither recognised nor masked.
    """

    track_id: int
    face: Face
    motion: MotionModel
    undetected_s: float = 0.0
    misses: int = 0
    hits: int = 1
    restarted: bool = True
    doubts: int = 0

    @property
    def is_shown(self) -> bool:
        """Whether it is in sight, or was so shortly ago; a face found once does not outlast a miss."""
        return self.motion.unseen_s <= TRACK.shown_unseen_s and self.misses < self.hits

    @property
    def is_remembered(self) -> bool:
        """Whether it gets its number back when it appears again."""
        known = self.misses < self.hits or self.hits >= TRACK.remembered_hits
        return self.motion.unseen_s <= TRACK.remembered_s and known

    @property
    def check_is_due(self) -> bool:
        """Whether the face should be examined more closely in this frame."""
        return not self.misses and (self.restarted or self.hits % TRACK.check_every_n == 1)

    def snapshot(self) -> TrackedFace:
        """Return the track as it stands in this frame, to hand on."""
        found, restarted, check_due = not self.misses, self.restarted, self.check_is_due
        self.restarted = False
        return TrackedFace(self.track_id, self.face, self.face.matrix, found, restarted, check_due)

"""One tracked face: what the tracker needs to know to follow it. It never leaves this folder."""

from __future__ import annotations

from dataclasses import dataclass

from realtime.frames import Face, TrackedFace
from realtime.track.association import Motion

SHOWN_UNSEEN_S = 5.5 / 30  # how long a face that is out of sight is shown where it was
_INSISTING_HITS = (
    3  # detections after which the detector alone is believed beside faces followed already
)
_CHECK_EVERY = 15  # detections between two closer examinations
_REMEMBERED_S = 1.2  # how long a face that is out of sight keeps its number


@dataclass(eq=False)
class Track:
    """One tracked face.

    Attributes:
        track_id: the number that stays with the face.
        face: where it was found last.
        motion: where it should be.
        misses: frames since it was found last.
        hits: frames in which it was found; a face that was found once is not kept through a miss.
        began_alone: no other face was followed when it appeared.
        restarted: what is remembered of its crop counts no more; True until it has been handed on so.
        doubts: detections in a row that leapt away from where optical flow sees the face.
    """

    track_id: int
    face: Face
    motion: Motion
    misses: int = 0
    hits: int = 1
    began_alone: bool = True
    restarted: bool = True
    doubts: int = 0

    @property
    def is_in_sight(self) -> bool:
        """Whether it was found in the last frame."""
        return not self.motion.unseen_s

    @property
    def is_trusted(self) -> bool:
        """Whether it counts: beside faces that are followed already, the detector alone must insist."""
        landmarked = self.face.landmarks is not None
        return self.began_alone or landmarked or self.hits >= _INSISTING_HITS

    @property
    def is_shown(self) -> bool:
        """Whether it is in view, or was so shortly ago; a face found once does not outlast a miss."""
        return self.motion.unseen_s <= SHOWN_UNSEEN_S and self.misses < self.hits

    @property
    def is_remembered(self) -> bool:
        """Whether it gets its number back when it appears again."""
        known = self.misses < self.hits or self.hits >= _INSISTING_HITS
        return self.motion.unseen_s <= _REMEMBERED_S and known

    def snapshot(self) -> TrackedFace:
        """Return the track as it stands in this frame, to hand on."""
        found, restarted = not self.misses, self.restarted
        check_due = found and (restarted or self.hits % _CHECK_EVERY == 1)
        self.restarted = False
        return TrackedFace(self.track_id, self.face, self.face.matrix, found, restarted, check_due)

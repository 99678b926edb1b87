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
        misses: frames since it was found last.
        hits: frames in which it was found; a face that was found once is not kept through a miss.
        began_alone: no other face was followed when it appeared.
        restarted: stages must forget earlier crops of it; True until the next snapshot.
        overruled: detections in a row that optical flow contradicted.
    """

    track_id: int
    face: Face
    motion: MotionModel
    misses: int = 0
    hits: int = 1
    began_alone: bool = True
    restarted: bool = True
    overruled: int = 0

    @property
    def is_in_sight(self) -> bool:
        """Whether it was found in the last frame."""
        return not self.motion.unseen_s

    @property
    def is_trusted(self) -> bool:
        """Whether it counts: a face without landmarks beside followed ones needs several detections."""
        landmarked = self.face.landmarks is not None
        return self.began_alone or landmarked or self.hits >= TRACK.trusted_hits

    @property
    def is_shown(self) -> bool:
        """Whether it is in sight, or was so shortly ago; a face found once does not outlast a miss."""
        return self.motion.unseen_s <= TRACK.shown_unseen_s and self.misses < self.hits

    @property
    def is_remembered(self) -> bool:
        """Whether it gets its number back when it appears again."""
        known = self.misses < self.hits or self.hits >= TRACK.trusted_hits
        return self.motion.unseen_s <= TRACK.remembered_s and known

    def snapshot(self) -> TrackedFace:
        """Return the track as it stands in this frame, to hand on."""
        found, restarted = not self.misses, self.restarted
        check_due = found and (restarted or self.hits % TRACK.check_every_n == 1)
        self.restarted = False
        return TrackedFace(self.track_id, self.face, self.face.matrix, found, restarted, check_due)

"""One followed face, and what is remembered of it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from realtime.composite.prepared_fill import Finish
from realtime.frames import Face
from realtime.inpaint.temporal_blend import TemporalBlend
from realtime.segment.crop_fitting import Framing
from realtime.segment.mask_memory import MaskMemory
from realtime.track.association import Motion
from realtime.track.one_euro import OneEuro

SHOWN_UNSEEN_S = 5.5 / 30
_INSISTING_HITS, _TWICE_EVERY, _REMEMBERED_S = 3, 15, 1.2


@dataclass(eq=False)
class Track:
    """One followed face.

    Attributes:
        track_id: a number that stays with the face.
        face: where it was last found.
        matrix: float64 [2, 3], smoothed, frame pixels to crop pixels.
        motion: where it should be.
        misses: frames since it was last found.
        hits: frames in which it was found; one found once is not kept through a miss.
        began_alone: no other face was followed when it appeared.
        fresh: it has just appeared, come back, or been found after a scene cut: what is remembered of
            its crop counts no more.
        memory: what was seen before, in crop space; left to who segments.
        texture: what was filled before; left to who fills.
        finish: what was last shown; left to who blends.
        framing: how much wider than the canonical crop its crop is, to hold the whole mask.
        confirmed: the landmark model, strict, took it for a face; what is not confirmed counts only while
            it wears a mask.
    """

    track_id: int
    face: Face
    matrix: NDArray[np.float64]
    filter: OneEuro
    motion: Motion
    misses: int = 0
    hits: int = 1
    began_alone: bool = True
    fresh: bool = True
    memory: MaskMemory = field(default_factory=MaskMemory)
    texture: TemporalBlend = field(default_factory=TemporalBlend)
    finish: Finish = field(default_factory=Finish)
    framing: Framing = field(default_factory=Framing)
    confirmed: bool = False
    doubts: int = 0

    @property
    def is_trusted(self) -> bool:
        """Beside faces that are followed already, the detector alone must insist before it counts."""
        landmarked = self.face.landmarks is not None
        return self.began_alone or landmarked or self.hits >= _INSISTING_HITS

    @property
    def is_due(self) -> bool:
        """Whether it is this frame's turn to be looked at twice: the first, and now and again."""
        return (self.fresh or self.hits % _TWICE_EVERY == 1) and not self.misses

    @property
    def is_shown(self) -> bool:
        """Whether it is there, or was so shortly ago; a face found once does not outlast a miss."""
        return self.motion.unseen_s <= SHOWN_UNSEEN_S and self.misses < self.hits

    @property
    def is_remembered(self) -> bool:
        """Whether it gets its number back when it appears again."""
        known = self.misses < self.hits or self.hits >= _INSISTING_HITS
        return self.motion.unseen_s <= _REMEMBERED_S and known

"""Finds the mask of each face seen in a frame: crop, framing, second looks, what is remembered."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from realtime.align.affine import compose, invert, scale_of
from realtime.align.crop_window import moved_to_place
from realtime.align.warp_crop import warp_crop_rgb
from realtime.frames import Seen, Sight, Work
from realtime.segment.mask_cleaning import hole_of, mask_pixels
from realtime.segment.mask_decision import FaceEvidence, is_worn
from realtime.segment.segmenter import MaskSegmenter
from realtime.track.track import Track
from realtime.track.tracker import followed_s

_BEHIND_SHARE = 0.7  # a face smaller than this share of the largest one is in the background
_UNSEEN_PX, _MOST_SLACK = 2.0, 1.6  # frame pixels that a rim moves unseen; crop pixels at most
_PATIENCE = 1.5  # of a face that would be looked at in a frame in which another one was
_SMALL_SHARE = 0.3  # of the picture's shorter side


class MaskFinder:
    """Finds masks in frames that follow one another or stand alone.

    Args:
        still: the frames are unrelated pictures; doubt gets a second look in each.
        thrifty: a crop that looks as before is passed over in the frames between those `followed_s` apart.
    """

    def __init__(self, *, still: bool, thrifty: bool) -> None:
        self._still, self._thrifty = still, thrifty
        self._segmenter = MaskSegmenter()
        self._frames = self._looks = 0

    def __call__(self, seen: Seen) -> list[Work]:
        """Find the masks of a frame; return all that was seen in it, masked or bare.

        Faces whose turn it is come first: the others wait rather than make one frame take much longer.
        """
        self._frames, self._looks = self._frames + 1, 0
        largest = max((sight.face.size for sight in seen.sights), default=0.0)
        turns = sorted(seen.sights, key=lambda sight: self._may_pass_over(sight.track, seen))
        work = {id(sight): self._mark(seen, sight, largest) for sight in turns}
        return [work[id(sight)] for sight in seen.sights]

    def close(self) -> None:
        """Free the segmenter."""
        self._segmenter.close()

    def _mark(self, seen: Seen, sight: Sight, largest: float) -> Work:
        """Find the mask; what may be no face is looked at from further off before that is said.

        In pictures also where a mask seems to lie, if only the detector's points say where the face is.
        """
        track, memory = sight.track, sight.track.memory
        if sight.fresh:
            memory.forget()
        first = work = self._look_at(seen, sight, _trust_in(sight, largest, seen.frame_bgr))
        due = self._still or sight.due
        while due and not (work.worn or track.confirmed) and track.framing.widen():
            memory.reframe()
            work = self._look_at(seen, sight, FaceEvidence.DOUBTFUL)
        if work.worn or work is first:
            return work
        move = None
        if self._still and sight.face.landmarks is None:
            move = moved_to_place(work.mask, work.valid, work.framing)
        track.framing.reset()
        memory.reframe()
        if move is not None:
            sight = replace(sight, matrix=compose(move, sight.matrix))
            work = self._look_at(seen, sight, _trust_in(sight, largest, seen.frame_bgr))
        return work if work.worn else first

    def _look_at(self, seen: Seen, sight: Sight, trust: FaceEvidence) -> Work:
        """Find the mask in a face's crop; where the crop cuts it off, look again at others."""
        track, memory, worn = sight.track, sight.track.memory, False
        while True:
            framing = track.framing.matrix
            matrix = track.framing.of(sight.matrix)
            crop, valid = warp_crop_rgb(seen.frame_bgr, matrix)
            memory.see(crop, seen.interval_s)
            if self._may_pass_over(track, seen):
                kept = self._as_before(seen, sight, crop, valid)
                if kept is not None:
                    return kept
            self._looks += 1
            probability = memory.outline(self._segmenter(crop))
            mask = mask_pixels(probability, crop)
            here = is_worn(mask, probability, valid, before=memory.worn, trust=trust)
            worn = worn or here
            if not track.framing.must_look_again(mask, valid, worn=worn, worn_here=here):
                break
            memory.reframe()
        worn = worn and bool(mask.any())  # a wider crop may show that it was none
        masked, outline = memory.decide(worn, probability)
        if outline is not probability:
            mask = mask_pixels(outline, crop)
        hole, moment = hole_of(mask), memory.moment
        memory.keep(mask, hole)
        if track.framing.matrix is not framing:  # the next crop is the canonical one again
            memory.reframe()
        return Work(sight, framing, matrix, crop, valid, mask, hole, worn, masked, moment, crop)

    def _as_before(
        self, seen: Seen, sight: Sight, crop: NDArray[np.uint8], valid: NDArray[np.bool_]
    ) -> Work | None:
        """The face with the mask of the last time, moved as that has; None where it looks different."""
        memory, framing = sight.track.memory, sight.track.framing
        matrix, unsettled = framing.of(sight.matrix), crop
        move = memory.settle(crop)
        if move is not None:
            matrix = compose(move, matrix)
            sight = replace(sight, matrix=compose(invert(framing.matrix), matrix))
            crop, valid = warp_crop_rgb(seen.frame_bgr, matrix)
            memory.see(crop)
        patience = _PATIENCE if self._looks else 1.0
        if not memory.is_same(_slack(matrix), settled=move is not None, patience=patience):
            memory.see(unsettled)
            return None
        at = sight, framing.matrix, matrix, crop, valid, *memory.kept()
        return Work(*at, memory.worn, memory.worn, memory.moment, crop, same=True)

    def _may_pass_over(self, track: Track, seen: Seen) -> bool:
        """Whether it is not this face's turn; not all faces have their turn in the same frame."""
        period = int(followed_s(len(seen.sights)) / seen.interval_s) + 1
        return self._thrifty and bool((self._frames + track.track_id) % period)


def _slack(matrix: NDArray[np.float64]) -> float:
    """How far a mask's rim may move unseen, in crop pixels: further the smaller the face is shown."""
    return float(np.clip(_UNSEEN_PX * scale_of(matrix), 1.0, _MOST_SLACK))


def _trust_in(sight: Sight, largest: float, frame: NDArray[np.uint8]) -> FaceEvidence:
    """How much is known of a face but the mask it may wear."""
    size = sight.face.size
    behind, small = size < _BEHIND_SHARE * largest, size < _SMALL_SHARE * min(frame.shape[:2])
    if behind or (small and not sight.track.confirmed):
        return FaceEvidence.DOUBTFUL
    return FaceEvidence.CONFIRMED if sight.track.confirmed else FaceEvidence.FOUND

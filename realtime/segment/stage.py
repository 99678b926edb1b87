"""The segmentation stage: finds the mask of each tracked face.

Crop, window, second looks, what is remembered.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from realtime.align.affine import compose, invert, scale_of
from realtime.align.warp_crop import warp_crop_rgb
from realtime.frames import (
    Face,
    SegmentedFace,
    SegmentedFrame,
    TrackedFace,
    TrackedFrame,
)
from realtime.segment.crop_fitting import CropFitting
from realtime.segment.mask_cleaning import hole_from_mask, mask_pixels
from realtime.segment.mask_decision import FaceEvidence, is_worn
from realtime.segment.mask_memory import MaskMemory
from realtime.segment.segmenter import MaskSegmenter
from realtime.stages import PerTrack
from realtime.track.tracker import detection_interval_s

_BEHIND_SHARE = 0.7  # a face smaller than this share of the largest one is in the background
_SMALL_SHARE = 0.3  # of the picture's shorter side: smaller faces need more evidence
_UNSEEN_PX, _MOST_SLACK = 2.0, 1.6  # frame pixels that a rim moves unseen; crop pixels at most
_PATIENCE = 1.5  # allowed change of a face in a frame in which another face was segmented

Confirm = Callable[[NDArray[np.uint8], Face], bool]
"""Says whether the strict landmark model takes a detection in a frame, uint8 [H, W, 3] BGR, for a face."""


@dataclass
class _Memory:
    """What the stage remembers of one face."""

    mask: MaskMemory
    fitting: CropFitting = field(default_factory=CropFitting)
    confirmed: bool = False


class SegmentStage:
    """Finds masks in frames that follow one another or stand alone.

    Args:
        confirm: asked about faces that wear no mask, now and again until it agrees.
        unrelated: the frames are unrelated pictures: doubt gets a second look in each, and nothing is
        smoothed.
        smoothing: keep masks calm from frame to frame.
        reuse: a crop that looks unchanged keeps its mask between segmentations that are
            `detection_interval_s` apart.
    """

    def __init__(
        self,
        confirm: Confirm,
        *,
        unrelated: bool = False,
        smoothing: bool = True,
        reuse: bool = True,
    ) -> None:
        smoothing = smoothing and not unrelated
        self._confirm, self._unrelated = confirm, unrelated
        self._reuse = reuse and smoothing
        self._segmenter = MaskSegmenter()
        self._memory = PerTrack(lambda: _Memory(MaskMemory(smoothing=smoothing)))
        self._frames = self._segmented = 0

    def __call__(self, tracked: TrackedFrame) -> SegmentedFrame:
        """Find the masks of a frame.

        Faces whose turn it is come first; the others wait rather than make one frame take much longer.
        """
        self._frames, self._segmented = self._frames + 1, 0
        self._memory.keep_only(tracked.known_tracks)
        largest = max((face.face.size for face in tracked.faces), default=0.0)
        turns = sorted(tracked.faces, key=lambda face: self._may_reuse(face, tracked))
        found = {face.track_id: self._segment(tracked, face, largest) for face in turns}
        return SegmentedFrame(tracked, tuple(found[face.track_id] for face in tracked.faces))

    def reset(self) -> None:
        """Forget all faces."""
        self._memory.clear()
        self._frames = 0

    def close(self) -> None:
        """Free the segmenter."""
        self._segmenter.close()

    def _segment(
        self, tracked: TrackedFrame, face: TrackedFace, largest_px: float
    ) -> SegmentedFace:
        """Find the mask of a face.

        A detection that may be no face is looked at in wider windows before it counts as none. In
        pictures the crop is also moved to where a mask seems to lie, if only the detector's points say
        where the face is.
        """
        memory = self._memory[face.track_id]
        self._confirm_if_due(tracked, face, memory)
        if face.restarted:
            memory.mask.forget()
        evidence = _evidence_for(face, memory.confirmed, largest_px, tracked.frame_bgr)
        first = self._look_at(tracked, face, evidence)
        if first.shows_mask or memory.confirmed or not (self._unrelated or face.check_due):
            return first
        widest = None
        while memory.fitting.widen():
            memory.mask.change_window()
            widest = self._look_at(tracked, face, FaceEvidence.DOUBTFUL)
            if widest.shows_mask:
                return widest
        if widest is None:
            return first
        memory.fitting.reset()
        memory.mask.change_window()
        move = None
        if self._unrelated and face.face.landmarks is None:
            move = widest.window.moved_to_mask(widest.mask, widest.valid)
        if move is None:
            return first
        moved = self._look_at(tracked, replace(face, matrix=move.of(face.matrix)), evidence)
        return moved if moved.shows_mask else first

    def _confirm_if_due(self, tracked: TrackedFrame, face: TrackedFace, memory: _Memory) -> None:
        """Ask the strict landmark model about a face that wears no mask, until it confirms it."""
        memory.confirmed &= not face.restarted
        if face.check_due and not (memory.confirmed or memory.mask.wears_mask):
            memory.confirmed = self._confirm(tracked.frame_bgr, face.face)

    def _look_at(
        self, tracked: TrackedFrame, face: TrackedFace, evidence: FaceEvidence
    ) -> SegmentedFace:
        """Find the mask in a face's crop; where the crop cuts it off, look again with other windows."""
        memory = self._memory[face.track_id]
        shows_mask = False
        while True:
            window = memory.fitting.window
            matrix = window.of(face.matrix)
            crop, valid = warp_crop_rgb(tracked.frame_bgr, matrix)
            memory.mask.observe(crop, tracked.interval_s)
            if self._may_reuse(face, tracked):
                reused = self._reused(tracked, face, memory, crop, valid)
                if reused is not None:
                    return reused
            self._segmented += 1
            probability = memory.mask.smooth(self._segmenter(crop))
            mask = mask_pixels(probability, crop)
            before = memory.mask.wears_mask
            here = is_worn(mask, probability, valid, before=before, evidence=evidence)
            shows_mask = shows_mask or here
            if not memory.fitting.must_look_again(mask, valid, worn=shows_mask, worn_here=here):
                break
            memory.mask.change_window()
        shows_mask = shows_mask and bool(mask.any())  # another window may show that it was none
        wears_mask, probability, is_earlier = memory.mask.decide(shows_mask, probability)
        if is_earlier:
            mask = mask_pixels(probability, crop)
        stored, change = memory.mask.store(mask, hole_from_mask(mask)), memory.mask.change
        if memory.fitting.window != window:  # the next crop is the canonical one again
            memory.mask.change_window()
        return SegmentedFace(
            face,
            window,
            matrix,
            crop,
            valid,
            stored.mask,
            stored.hole,
            shows_mask,
            wears_mask,
            memory.confirmed,
            change,
            stored.version,
        )

    def _reused(
        self,
        tracked: TrackedFrame,
        face: TrackedFace,
        memory: _Memory,
        crop: NDArray[np.uint8],
        valid: NDArray[np.bool_],
    ) -> SegmentedFace | None:
        """The face with its stored mask, moved as the mask has moved.

        None where the crop looks different.
        """
        window = memory.fitting.window
        matrix, unmoved = window.of(face.matrix), crop
        move = memory.mask.register(crop)
        if move is not None:
            matrix = compose(move, matrix)
            face = replace(face, matrix=compose(invert(window.matrix), matrix))
            crop, valid = warp_crop_rgb(tracked.frame_bgr, matrix)
            memory.mask.observe(crop)
        if not memory.mask.looks_unchanged(
            _slack_px(matrix),
            registered=move is not None,
            patience=_PATIENCE if self._segmented else 1.0,
        ):
            memory.mask.observe(unmoved)
            return None
        stored, worn = memory.mask.stored, memory.mask.wears_mask
        return SegmentedFace(
            face,
            window,
            matrix,
            crop,
            valid,
            stored.mask,
            stored.hole,
            worn,
            worn,
            memory.confirmed,
            memory.mask.change,
            stored.version,
            mask_kept=True,
        )

    def _may_reuse(self, face: TrackedFace, tracked: TrackedFrame) -> bool:
        """Whether it is not this face's turn; not all faces have their turn in the same frame."""
        period = int(detection_interval_s(len(tracked.faces)) / tracked.interval_s) + 1
        return self._reuse and bool((self._frames + face.track_id) % period)


def _slack_px(matrix: NDArray[np.float64]) -> float:
    """How far a mask's rim may move unseen, crop pixels: further the smaller the face is shown."""
    return float(np.clip(_UNSEEN_PX * scale_of(matrix), 1.0, _MOST_SLACK))


def _evidence_for(
    face: TrackedFace, confirmed: bool, largest_px: float, frame_bgr: NDArray[np.uint8]
) -> FaceEvidence:
    """What besides the mask speaks for a face."""
    size = face.face.size
    behind = size < _BEHIND_SHARE * largest_px
    small = size < _SMALL_SHARE * min(frame_bgr.shape[:2])
    if behind or (small and not confirmed):
        return FaceEvidence.DOUBTFUL
    return FaceEvidence.CONFIRMED if confirmed else FaceEvidence.DETECTED

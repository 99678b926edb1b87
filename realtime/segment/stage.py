"""The segmentation stage: cuts out the crop of each tracked face and finds its mask in it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from realtime.align.affine import apply, compose, invert
from realtime.align.crop_window import CANONICAL, CropWindow
from realtime.align.face_silhouette import open_eyes
from realtime.align.warp_crop import warp_crop_rgb
from realtime.frames import SegmentedFace, SegmentedFrame, TrackedFace, TrackedFrame
from realtime.segment.cloth import outline_above_cloth
from realtime.segment.crop_fitting import SegmentedCrop, fit_window
from realtime.segment.mask_cleaning import hole_from_mask, mask_pixels, spare_eyes
from realtime.segment.mask_decision import (
    FaceEvidence,
    evidence_for,
    is_worn,
    largest_plausible,
)
from realtime.segment.mask_memory import MaskMemory
from realtime.segment.segmenter import MaskSegmenter
from realtime.segment.vague_mask import find_mask
from realtime.settings import SEGMENT
from realtime.stages import PerTrack, Stage


@dataclass
class _Memory:
    """What the stage remembers of one face.

    Attributes:
        mask: its crops.
        window: the window of its crop.
        segmentations: how often its crop was segmented with that window.
    """

    mask: MaskMemory
    window: CropWindow = CANONICAL
    segmentations: int = 0

    def use(self, window: CropWindow) -> None:
        """Show the face in another window from now on."""
        if window != self.window:
            self.window, self.segmentations = window, 0
            self.mask.change_window()


class SegmentStage(Stage[TrackedFrame, SegmentedFrame]):
    """Finds masks in frames that follow one another or stand alone.

    Args:
        unrelated: the frames are unrelated pictures: each crop is segmented in both poses, doubtful faces
            are examined in wider windows in each, and nothing is smoothed.
        smoothing: smooth masks from frame to frame.
        reuse: a crop that looks unchanged keeps its mask between two segmentations, which are the farther
            apart the more faces there are.

    Attributes:
        artefact: the segmenter's file that runs.
    """

    def __init__(
        self,
        *,
        unrelated: bool = False,
        smoothing: bool = True,
        reuse: bool = True,
    ) -> None:
        smoothing = smoothing and not unrelated
        self._unrelated, self._smoothing = unrelated, smoothing
        self._reuse = reuse and smoothing
        self._segmenter = MaskSegmenter()
        self.artefact = self._segmenter.artefact
        self._memory = PerTrack(lambda: _Memory(MaskMemory(smoothing=smoothing)))
        self._frames = self._segmented = 0

    def __call__(self, tracked: TrackedFrame) -> SegmentedFrame:
        """Find the masks of a frame.

        Faces whose turn it is come first; the others wait rather than make one frame take much longer.
        """
        self._frames += 1
        self._segmented = 0
        self._memory.keep_only(tracked.known_tracks)
        largest = largest_plausible(tracked.faces)
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

        An unconfirmed detection without a mask is segmented in wider windows too before it counts as no
        face. In pictures the crop is also moved to where a mask seems to lie, if the face has no landmarks.
        """
        memory = self._memory[face.track_id]
        if face.restarted:
            memory.mask.forget()
        evidence = evidence_for(face, largest_px, tracked.frame_bgr)
        first = self._segment_crop(tracked, face, evidence)
        if first.shows_mask or face.face.confirmed or not (self._unrelated or face.check_due):
            return first
        widest = first
        while (wider := widest.window.widened((False, False, True))) is not None:
            memory.use(wider)
            widest = self._segment_crop(tracked, face, FaceEvidence.DOUBTFUL)
            if widest.shows_mask:
                return widest
        memory.use(CANONICAL)
        move = None
        if self._unrelated and face.face.landmarks is None:
            move = widest.window.moved_to_mask(widest.mask, widest.valid)
        if move is None:
            return first
        moved = self._segment_crop(tracked, replace(face, matrix=move.of(face.matrix)), evidence)
        return moved if moved.shows_mask else first

    def _segment_crop(
        self, tracked: TrackedFrame, face: TrackedFace, evidence: FaceEvidence
    ) -> SegmentedFace:
        """Find the mask in a face's crop, in the window that `fit_window` chooses.

        A mask that is cloth that goes on below the chin is looked for again, on the face alone.
        """
        memory = self._memory[face.track_id]
        shown = warp_crop_rgb(tracked.frame_bgr, memory.window.of(face.matrix))
        memory.mask.observe(shown[0], tracked.interval_s)
        if self._may_reuse(face, tracked):
            reused = self._reused(tracked, face, memory, *shown)
            if reused is not None:
                return reused
        before = memory.mask.wears_mask

        def segment(window: CropWindow) -> SegmentedCrop:
            in_use = window == memory.window
            matrix = window.of(face.matrix)
            crop, valid = shown if in_use else warp_crop_rgb(tracked.frame_bgr, matrix)
            probability = self._probability(crop, memory)
            if memory.mask.outline is not None:
                probability = memory.mask.outline.within(probability, window)
            if in_use:
                probability = memory.mask.smooth(probability)
            mask, probability = find_mask(probability, crop, valid, face.face, evidence)
            shows_mask = is_worn(mask, probability, valid, before=before, evidence=evidence)
            return SegmentedCrop(window, crop, valid, probability, mask, shows_mask)

        self._segmented += 1
        closer = memory.segmentations % SEGMENT.closer_window_every_n == 0
        found, shows_mask = fit_window(segment, memory.window, closer=closer)
        if shows_mask and memory.mask.outline is None:
            memory.mask.outline = outline_above_cloth(face, found)
            if memory.mask.outline is not None:
                memory.mask.change_window()
                memory.mask.observe(shown[0])
                found, _ = fit_window(segment, CANONICAL, closer=False)
        if found.window != memory.window:
            memory.use(found.window)
            memory.mask.observe(found.crop_rgb, tracked.interval_s)
            memory.mask.smooth(found.probability)
        memory.segmentations += 1
        return self._decided(face, memory, found, shows_mask=shows_mask)

    def _probability(self, crop: NDArray[np.uint8], memory: _Memory) -> NDArray[np.float32]:
        """Segment a crop: in both poses in a picture and when a face is new, after that in one.

        Successive crops have the other pose where they are smoothed over time.
        """
        if self._unrelated or not memory.segmentations:
            return self._segmenter.in_both_poses(crop)
        return self._segmenter(crop, mirrored=self._smoothing and bool(memory.segmentations % 2))

    def _decided(
        self, face: TrackedFace, memory: _Memory, crop: SegmentedCrop, *, shows_mask: bool
    ) -> SegmentedFace:
        """Return the face with the mask that its memory decides on."""
        mask = crop.mask
        shows_mask = shows_mask and bool(mask.any())  # a wider window may show no mask
        wears_mask, probability, is_earlier = memory.mask.decide(shows_mask, crop.probability)
        if is_earlier:
            mask = mask_pixels(probability, crop.crop_rgb)
        matrix, hole = crop.window.of(face.matrix), hole_from_mask(mask)
        if face.face.landmarks is not None:
            eyes = open_eyes(apply(matrix, face.face.landmarks), hole.shape)
            hole = spare_eyes(hole, eyes, probability)
        stored, change = memory.mask.store(mask, hole), memory.mask.change
        if not (shows_mask or wears_mask):
            memory.use(CANONICAL)
            memory.mask.outline = None
        return SegmentedFace(
            face,
            crop.window,
            matrix,
            crop.crop_rgb,
            crop.valid,
            stored.mask,
            stored.hole,
            shows_mask=shows_mask,
            wears_mask=wears_mask,
            confirmed=face.face.confirmed,
            change=change,
            mask_version=stored.version,
        )

    def _reused(
        self,
        tracked: TrackedFrame,
        face: TrackedFace,
        memory: _Memory,
        crop: NDArray[np.uint8],
        valid: NDArray[np.bool_],
    ) -> SegmentedFace | None:
        """Return the face with its stored mask, aligned by registration; None where the crop changed."""
        window = memory.window
        matrix, unmoved = window.of(face.matrix), crop
        move = memory.mask.register(crop)
        if move is not None:
            matrix = compose(move, matrix)
            face = replace(face, matrix=compose(invert(window.matrix), matrix))
            crop, valid = warp_crop_rgb(tracked.frame_bgr, matrix)
            memory.mask.observe(crop)
        if not memory.mask.looks_unchanged(
            registered=move is not None,
            tolerance=SEGMENT.wait_factor if self._segmented else 1.0,
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
            shows_mask=worn,
            wears_mask=worn,
            confirmed=face.face.confirmed,
            change=memory.mask.change,
            mask_version=stored.version,
            mask_kept=True,
        )

    def _may_reuse(self, face: TrackedFace, tracked: TrackedFrame) -> bool:
        """Whether it is not this face's turn; not all faces have their turn in the same frame."""
        period = int(_interval_s(len(tracked.faces)) / tracked.interval_s) + 1
        return self._reuse and bool((self._frames + face.track_id) % period)


def _interval_s(faces: int) -> float:
    """Seconds between two segmentations of a face; the longer the more faces there are."""
    return SEGMENT.interval_s + SEGMENT.interval_per_face_s * (max(faces, 1) - 1)

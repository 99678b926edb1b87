"""The inpainting stage: fills the masks of a frame in one batch and corrects the fills in crop space."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from inpaint_model.holes import mark_beside_face
from realtime.frames import (
    Fill,
    InpaintedFace,
    InpaintedFrame,
    SegmentedFace,
    SegmentedFrame,
)
from realtime.inpaint.appearance import FillStep, apply_steps
from realtime.inpaint.layered_fill import Generator, Pass, fill_in_layers
from realtime.stages import PerTrack, Stage


class InpaintStage(Stage[SegmentedFrame, InpaintedFrame]):
    """Fills the holes of all faces that wear a mask.

    Args:
        generator: fills crops.
        passes: in which each crop is filled.
        steps: appearance steps, in order.
    """

    def __init__(
        self,
        generator: Generator,
        passes: Sequence[Pass],
        steps: Sequence[FillStep],
    ) -> None:
        self._generator, self._passes, self._steps = generator, passes, steps
        self._last: PerTrack[InpaintedFace | None] = PerTrack(lambda: None)
        self._versions = itertools.count(1)

    def __call__(self, segmented: SegmentedFrame) -> InpaintedFrame:
        """Fill the masks of a frame; detections that do not count as faces are left out."""
        known = segmented.tracked.known_tracks
        self._last.keep_only(known)
        for step in self._steps:
            step.keep_only(known)
        done: dict[int, InpaintedFace] = {}
        new: list[SegmentedFace] = []
        for face in segmented.faces:
            if not face.is_face:
                continue
            reused = self._reused(face) if face.wears_mask else InpaintedFace(face)
            if reused is None:
                new.append(face)
            else:
                done[face.track_id] = reused
        for filled in self._fill(new):
            done[filled.segmented.track_id] = self._last[filled.segmented.track_id] = filled
        faces = tuple(done[face.track_id] for face in segmented.faces if face.is_face)
        return InpaintedFrame(segmented, faces)

    def _reused(self, face: SegmentedFace) -> InpaintedFace | None:
        """Return the face with its last fill, if that filled this mask and the crop looks unchanged."""
        last = self._last[face.track_id]
        if last is None or not face.mask_kept:
            return None
        mask = last.segmented.mask_version, last.segmented.change.epoch
        if mask != (face.mask_version, face.change.epoch):
            return None
        return replace(last, segmented=face)

    def _fill(self, faces: Sequence[SegmentedFace]) -> list[InpaintedFace]:
        """Fill faces in one batch; pixels outside the picture belong to the hole."""
        if not faces:
            return []
        crops = np.stack([face.crop_rgb for face in faces])
        holes = np.stack([_marked_hole(face) for face in faces])
        each = fill_in_layers(self._generator, crops, holes, self._passes)
        filled = []
        for face, rgb in zip(faces, each, strict=True):
            fill = apply_steps(self._steps, Fill(rgb, next(self._versions)), face)
            filled.append(InpaintedFace(face, fill, face))
        return filled

    def reset(self) -> None:
        """Forget all faces."""
        self._last.clear()
        for step in self._steps:
            step.reset()

    def close(self) -> None:
        """Do nothing: the generator belongs to the caller."""


def _marked_hole(face: SegmentedFace) -> NDArray[np.uint8]:
    """Mark what to fill in a crop, also outside the picture, and what of it lies beside the face.

    Returns:
        uint8 [128, 128], of `inpaint_model.holes`.
    """
    hole = face.hole | ~face.valid
    if face.silhouette is None:
        return hole.view(np.uint8)
    return mark_beside_face(hole, face.silhouette)

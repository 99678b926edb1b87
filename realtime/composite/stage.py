"""The compositing stage: puts the fills of a frame's faces back into it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.align.canonical_crop import CROP_SIZE
from realtime.align.warp_crop import warp_square_rgb
from realtime.composite.feathering import feather
from realtime.composite.paste_back import paste
from realtime.frames import (
    CANONICAL,
    FaceResult,
    Fill,
    InpaintedFace,
    InpaintedFrame,
    UnmaskResult,
)
from realtime.inpaint.appearance import FillStep, FrameStep, apply_steps
from realtime.settings import COMPOSITE
from realtime.stages import PerTrack, Stage


@dataclass
class _Prepared:
    """A fill after the steps taken once, its opacity, float32 [128, 128], and the fill after all steps."""

    fill: Fill
    opacity: NDArray[np.float32]
    finished: Fill | None = None


class CompositeStage(Stage[InpaintedFrame, UnmaskResult]):
    """Pastes filled crops into frames, as sharp and grainy as their surroundings.

    Args:
        steps: appearance steps that are taken once for each fill, in order.
        frame_steps: those that are taken in every frame after these, in order.
        take_turns: of many faces not all have their grain renewed in each frame.
    """

    def __init__(
        self,
        steps: Sequence[FillStep],
        frame_steps: Sequence[FrameStep] = (),
        *,
        take_turns: bool = True,
    ) -> None:
        self._steps, self._frame_steps = steps, frame_steps
        self._take_turns = take_turns
        self._prepared: PerTrack[_Prepared | None] = PerTrack(lambda: None)
        self._frames = 0

    def __call__(self, inpainted: InpaintedFrame) -> UnmaskResult:
        """Paste every fill into a copy of the frame.

        Without any the result holds the given frame itself.
        """
        self._frames += 1
        tracked = inpainted.segmented.tracked
        for memory in (self._prepared, *self._steps, *self._frame_steps):
            memory.keep_only(tracked.known_tracks)
        frame = tracked.frame_bgr
        replaced = np.zeros(frame.shape[:2], dtype=np.uint8)
        filled = [face for face in inpainted.faces if face.fill is not None]
        is_copy = False
        for face in filled:
            fill, opacity = self._finish(face, tracked.frame_bgr, len(filled))
            patch = paste(frame, fill, opacity, face.segmented.matrix)
            if patch is None:
                continue
            if not is_copy:
                frame, is_copy = frame.copy(), True
            height, width = patch.replaced.shape
            rows, columns = slice(patch.y, patch.y + height), slice(patch.x, patch.x + width)
            frame[rows, columns] = patch.image
            replaced[rows, columns][patch.replaced] = 255
        results = [_result_of(face, tracked.frame_bgr, frame) for face in inpainted.faces]
        return UnmaskResult(frame, replaced, results, faces_left_out=tracked.faces_left_out)

    def _finish(
        self, face: InpaintedFace, frame_bgr: NDArray[np.uint8], faces: int
    ) -> tuple[Fill, NDArray[np.float32]]:
        """Return the fill to paste and its opacity; its grain is renewed in each frame or in turns."""
        fill, filled = face.fill, face.filled
        assert fill is not None
        assert filled is not None
        track_id = face.segmented.track_id
        prepared = self._prepared[track_id]
        if prepared is None or prepared.fill.version != fill.version:
            opacity = feather(filled.hole)
            prepared = _Prepared(apply_steps(self._steps, fill, filled), opacity)
            self._prepared[track_id] = prepared
        in_turns = self._take_turns and faces >= COMPOSITE.many_faces
        waits = in_turns and (self._frames + track_id) % COMPOSITE.grain_turns
        if prepared.finished is None or not waits:
            fill = prepared.fill
            for step in self._frame_steps:
                fill = step(fill, filled, frame_bgr, face.segmented.matrix)
            prepared.finished = fill
        return prepared.finished, prepared.opacity

    def reset(self) -> None:
        """Forget all faces."""
        self._prepared.clear()
        self._frames = 0
        for step in (*self._steps, *self._frame_steps):
            step.reset()

    def close(self) -> None:
        """Free the steps' networks."""
        for step in (*self._steps, *self._frame_steps):
            step.close()


def _result_of(
    face: InpaintedFace, frame_bgr: NDArray[np.uint8], finished_bgr: NDArray[np.uint8]
) -> FaceResult:
    """Describe what was done with a face; its crops are of the frame as given and as finished."""
    segmented = face.segmented
    matrix = segmented.tracked.matrix
    before = segmented.crop_rgb
    if segmented.window != CANONICAL or not segmented.valid.all():
        before = _canonical_crop(frame_bgr, matrix)
    inpainted = face.fill is not None
    return FaceResult(
        segmented.track_id,
        segmented.tracked.face.box,
        segmented.tracked.face.keypoints,
        float(segmented.mask.mean()),
        inpainted,
        before,
        _canonical_crop(finished_bgr, matrix) if inpainted else before,
    )


def _canonical_crop(frame_bgr: NDArray[np.uint8], matrix: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Cut the canonical crop out of a frame, uint8 [128, 128, 3] RGB; black outside the frame."""
    return warp_square_rgb(frame_bgr, matrix, CROP_SIZE, cv2.BORDER_CONSTANT)

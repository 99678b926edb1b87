"""An unmasker that notes where each crop was taken: the transform that a fill was drawn with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmarks.finding.matching import Eyes
from realtime import Unmasker, UnmaskResult
from realtime.align.affine import apply, invert
from realtime.align.canonical_crop import CROP_SIZE, EYE_LINE_Y
from realtime.frames import InpaintedFace, InpaintedFrame

_EYES_APART = 32.0  # crop pixels; any distance does, as crops are compared with crops
# The person's right and left eye in the canonical crop, x and y in crop pixels.
_CANONICAL_EYES = np.array(
    [((CROP_SIZE - 1 + side * _EYES_APART) / 2, EYE_LINE_Y) for side in (-1, 1)]
)


@dataclass(frozen=True, eq=False)
class Crop:
    """Where a crop was taken.

    Attributes:
        eyes: where the smoothed transform has the eyes, float64 [2, 2], pixels of the frame.
        scale: of the crop's window; below 1 the crop was widened.
    """

    eyes: Eyes
    scale: float


class CropRecorder(Unmasker):
    """An unmasker with a memory of its crops.

    Attributes:
        crops: by track id, for each frame since it was opened or reset.
    """

    crops: list[dict[int, Crop]]

    def composite(self, inpainted: InpaintedFrame) -> UnmaskResult:
        """Note the crops of a frame, and put the fills into it."""
        self.crops.append({face.segmented.track_id: _crop_of(face) for face in inpainted.faces})
        return super().composite(inpainted)

    def reset(self) -> None:
        """Forget all faces and crops."""
        self.crops = []
        super().reset()


def _crop_of(face: InpaintedFace) -> Crop:
    segmented = face.segmented
    eyes = apply(invert(segmented.tracked.matrix), _CANONICAL_EYES)
    return Crop(eyes, segmented.window.scale)

"""Cloth that goes on below the chin: a gaiter, a scarf or a hood is taken off the face alone.

A mask ends at the chin. Where its pixels go on over the neck, the generator would have to draw neck and
chest, and the crop would show the face small. So the cloth below and beside the face stays, as if it were
pulled down.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from realtime.align.affine import apply
from realtime.align.crop_window import CropWindow
from realtime.align.face_regions import CHIN, FACE_OVAL
from realtime.align.face_silhouette import enclosed
from realtime.frames import TrackedFace
from realtime.imaging.mask_regions import dilated
from realtime.segment.crop_fitting import SegmentedCrop
from realtime.settings import SEGMENT


@dataclass(frozen=True, eq=False)
class FaceOutline:
    """The outline of a face whose cloth goes on below it.

    Attributes:
        points: float64 [36, 2], x and y in canonical crop px; those of a turned head may lie outside the
            canonical crop, so that a picture of it would not do.
    """

    points: NDArray[np.float64]

    def within(self, probability: NDArray[np.float32], window: CropWindow) -> NDArray[np.float32]:
        """Return mask probabilities, float32 [128, 128], with 0 away from the face.

        Args:
            probability: of a crop.
            window: of that crop.
        """
        face = enclosed([apply(window.matrix, self.points)], probability.shape)
        return probability * dilated(face, round(SEGMENT.outline_margin_px * window.scale))


def outline_above_cloth(face: TrackedFace, crop: SegmentedCrop) -> FaceOutline | None:
    """Return the face's outline where much of the mask lies below its chin; else None.

    Args:
        face: with landmarks; None is returned without them.
        crop: its crop, which shows the whole mask.
    """
    if face.face.landmarks is None:
        return None
    points = apply(face.matrix, face.face.landmarks)
    low = points[CHIN] + (0.0, SEGMENT.cloth_below_px)
    row = max(round(float(apply(crop.window.matrix, low[None])[0, 1])), 0)
    below_px = np.count_nonzero((crop.mask & crop.valid)[row:]) / crop.window.scale**2
    return FaceOutline(points[list(FACE_OVAL)]) if below_px >= SEGMENT.least_cloth_px else None

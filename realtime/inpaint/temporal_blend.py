"""Temporal blend: smooths one face's fill over time, in crop space."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.frames import Fill, SegmentedFace
from realtime.inpaint.appearance import FillStep
from realtime.settings import INPAINT
from realtime.stages import PerTrack
from realtime.track.one_euro import low_pass_share


@dataclass(frozen=True)
class _Earlier:
    """The last blended fill, float32 [128, 128, 3], its hole, and the epoch it belongs to."""

    rgb: NDArray[np.float32]
    hole: NDArray[np.bool_]
    epoch: int


class TemporalBlend(FillStep):
    """Blends each fill with the fills before it; the more moves, the more the new fill counts."""

    name = "temporal blend"

    def __init__(self) -> None:
        self._earlier: PerTrack[_Earlier | None] = PerTrack(lambda: None)

    def __call__(self, fill: Fill, face: SegmentedFace) -> Fill:
        """Blend the fill with the earlier ones of this face; see `FillStep`."""
        earlier = self._earlier[face.track_id]
        new = fill.rgb.astype(np.float32)
        if earlier is not None and earlier.epoch == face.change.epoch:
            new = _blended(new, earlier, face)
        self._earlier[face.track_id] = _Earlier(new, face.hole, face.change.epoch)
        return replace(fill, rgb=np.rint(new).astype(np.uint8))

    def keep_only(self, track_ids: Collection[int]) -> None:
        """Forget all other faces."""
        self._earlier.keep_only(track_ids)

    def reset(self) -> None:
        """Forget all faces."""
        self._earlier.clear()


def _blended(
    new: NDArray[np.float32], earlier: _Earlier, face: SegmentedFace
) -> NDArray[np.float32]:
    """Blend float32 [128, 128, 3] with the earlier fill where both filled."""
    motion = face.change.motion
    still, moving = INPAINT.still_levels, INPAINT.moving_levels
    if motion >= moving:
        return new
    moved = (motion - still) / (moving - still)
    least = max(low_pass_share(INPAINT.blend_s, face.change.interval_s), moved)
    red, green, blue = cv2.split(cv2.absdiff(new, earlier.rgb))
    difference = cv2.max(cv2.max(red, green), blue)
    same, other = INPAINT.same_levels, INPAINT.other_levels
    share = np.clip((difference - same) / (other - same), least, 1)
    share[~(face.hole & earlier.hole)] = 1
    return cv2.blendLinear(new, earlier.rgb, share, 1 - share).astype(np.float32)

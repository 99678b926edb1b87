"""Refinement: gives nose and mouth of a fill the fine detail of a face that is larger than its crop."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from inpaint_model.artefacts import find_refiner
from inpaint_model.engines.image_network import ImageNetwork
from realtime.align.affine import compose, invert, scale_of
from realtime.align.warp_crop import warp_square_rgb
from realtime.frames import Detail, Fill, SegmentedFace
from realtime.inpaint.appearance import FrameStep
from realtime.settings import COMPOSITE
from realtime.stages import PerTrack

_SIDE_PX = 128  # of the network's square, which shows nose and mouth at twice the crop's resolution
# Canonical crop pixels to pixels of the square.
_OF_CANONICAL = np.array([[2.0, 0.0, 0.5 - 2 * 32], [0.0, 2.0, 0.5 - 2 * 60]])
_FADE_PX = 12  # from the square's edge, where nothing is added, to where all is, px of the square


class Refinement(FrameStep):
    """Asks the refiner (`inpaint_model.networks.refiner`) once for each fill.

    There is nothing to refine on a face so small that the fill is as fine as the frame.
    """

    name = "refinement"

    def __init__(self) -> None:
        self._network = ImageNetwork(find_refiner(), _SIDE_PX, channels=4)
        self._details: PerTrack[tuple[int, Detail] | None] = PerTrack(lambda: None)

    def __call__(
        self,
        fill: Fill,
        face: SegmentedFace,
        frame_bgr: NDArray[np.uint8],
        matrix: NDArray[np.float64],
    ) -> Fill:
        """Add detail to the fill; its pixels stay; see `FrameStep`."""
        to_square = compose(_OF_CANONICAL, invert(face.window.matrix))
        if scale_of(compose(to_square, matrix)) * COMPOSITE.refined_scale > 2:
            return fill
        known = self._details[face.track_id]
        if known is None or known[0] != fill.version:
            patch = _patch(fill.rgb, face.hole, to_square, frame_bgr, matrix)
            (levels,) = self._network(patch)
            faded = np.rint(levels[0] * _FADE[..., None]).astype(np.int16)
            known = fill.version, Detail(np.ascontiguousarray(faded[..., ::-1]), to_square)
            self._details[face.track_id] = known
        return replace(fill, detail=known[1])

    def keep_only(self, track_ids: Collection[int]) -> None:
        """Forget all other faces."""
        self._details.keep_only(track_ids)

    def reset(self) -> None:
        """Forget all faces."""
        self._details.clear()

    def close(self) -> None:
        """Free the network."""
        self._network.close()


def _patch(
    fill_rgb: NDArray[np.uint8],
    hole: NDArray[np.bool_],
    to_square: NDArray[np.float64],
    frame_bgr: NDArray[np.uint8],
    matrix: NDArray[np.float64],
) -> NDArray[np.float32]:
    """Lay a fill over its frame in the network's square.

    Args:
        fill_rgb: uint8 [128, 128, 3], RGB.
        hole: bool [128, 128].
        to_square: float64 [2, 3], crop pixels to pixels of the square.
        frame_bgr: uint8 [H, W, 3].
        matrix: float64 [2, 3], frame pixels to crop pixels.

    Returns:
        float32 [128, 128, 4], as the network takes it.
    """
    size = _SIDE_PX, _SIDE_PX
    of_frame = compose(to_square, matrix)
    around = warp_square_rgb(frame_bgr, of_frame, _SIDE_PX, cv2.BORDER_REPLICATE)
    fill = cv2.warpAffine(
        fill_rgb, to_square, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    opacity = cv2.warpAffine(hole.astype(np.float32), to_square, size, flags=cv2.INTER_LINEAR)
    filled = cv2.blendLinear(
        fill.astype(np.float32), around.astype(np.float32), opacity, 1 - opacity
    )
    return np.dstack([filled, opacity])


def _fade() -> NDArray[np.float32]:
    """Rise linearly from the square's edges: float32 [128, 128]."""
    inwards = np.minimum(np.arange(_SIDE_PX), np.arange(_SIDE_PX)[::-1])
    share = np.minimum(inwards / _FADE_PX, 1).astype(np.float32)
    return np.minimum.outer(share, share)


_FADE = _fade()

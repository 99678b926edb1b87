"""MediaPipe's face landmark network on one face, in a region that is turned upright."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from inpaint_model.engines.image_network import ImageNetwork
from inpaint_model.model_files import Artefact
from realtime.align.affine import apply, compose, invert
from realtime.align.warp_crop import warp_square_rgb

_SIDE_PX = 256
_LANDMARKS = 478
# The region in the canonical crop in which the network puts the chin where MediaPipe's graph does; it puts
# the chin lower in a larger region.
_REGION_CENTRE = np.array([64.0, 66.0])  # x and y, crop px
_REGION_PX = 134.0  # side, crop px


class FaceMesh:
    """Finds the 478 landmarks of a face whose place is known.

    Args:
        task: `face_landmarker.task`, which holds the network.
    """

    def __init__(self, task: Artefact) -> None:
        self._network = ImageNetwork(task, _SIDE_PX, "face_landmarks_detector")
        scale = _SIDE_PX / _REGION_PX
        offset = _SIDE_PX / 2 - scale * _REGION_CENTRE
        self._from_canonical = np.column_stack([np.eye(2) * scale, offset])

    def close(self) -> None:
        """Free the network."""
        self._network.close()

    def __call__(
        self, image_bgr: NDArray[np.uint8], to_canonical: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], float]:
        """Find the landmarks.

        Args:
            image_bgr: uint8 [H, W, 3], BGR.
            to_canonical: float64 [2, 3], picture pixels to pixels of the face's canonical crop; a guess of
                it that is off by a fifth of the face is good enough.

        Returns:
            The landmarks, float64 [478, 2], picture pixels, and the presence score, 0..1: masks lower it.
        """
        to_region = compose(self._from_canonical, to_canonical)
        region = warp_square_rgb(image_bgr, to_region, _SIDE_PX, cv2.BORDER_REPLICATE)
        points, presence, _ = self._network(region.astype(np.float32) / 255)
        landmarks = points.reshape(_LANDMARKS, 3)[:, :2].astype(np.float64) - 0.5
        logit = float(np.clip(presence.ravel()[0], -50, 50))
        return apply(invert(to_region), landmarks), 1 / (1 + float(np.exp(-logit)))

"""Says whether a square shows a face, whether it wears a mask, and how it lies in the square.

The detector sees faces in sleeves and textures, and takes the chin of a masked face for a forehead. This
network was trained for these cases, with faces in masks turned by any angle
(`inpaint_model.networks.face_aligner`).
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from inpaint_model.artefacts import find_face_aligner
from inpaint_model.engines.image_network import ImageNetwork
from realtime.align.affine import compose, invert
from realtime.align.canonical_crop import MIRROR
from realtime.align.warp_crop import warp_square_rgb

_SIDE_PX = 64
# Canonical crop pixels to pixels of the network's square, which shows the crop at half its size.
_FROM_CANONICAL = np.array([[0.5, 0, -0.25], [0, 0.5, -0.25]])
_CENTRE = 63.5  # of the canonical crop, x and y in crop px
_UNIT_PX = 48.0  # length of the direction that the network gives, crop px


class Alignment(NamedTuple):
    """What the network says of a square.

    Attributes:
        face: probability that it shows a face, 0..1.
        mask: probability that the face wears a mask, 0..1.
        to_canonical: float64 [2, 3], picture pixels to pixels of the face's canonical crop.
    """

    face: float
    mask: float
    to_canonical: NDArray[np.float64]


class FaceAligner:
    """Aligns a face whose place and size are roughly known, in any orientation."""

    def __init__(self) -> None:
        self._network = ImageNetwork(find_face_aligner(), _SIDE_PX)

    def close(self) -> None:
        """Free the network."""
        self._network.close()

    def __call__(
        self,
        image_bgr: NDArray[np.uint8],
        to_canonical: NDArray[np.float64],
        *,
        mirrored: bool = False,
    ) -> Alignment:
        """Look at the canonical crop of a face, or at what might be one.

        Args:
            image_bgr: uint8 [H, W, 3], BGR.
            to_canonical: float64 [2, 3], picture pixels to canonical crop pixels: a guess. The place may be
                off by a fifth of the crop, the size by a third, and the orientation by any angle.
            mirrored: look at the mirrored crop.
        """
        if mirrored:
            to_canonical = compose(MIRROR, to_canonical)
        to_square = compose(_FROM_CANONICAL, to_canonical)
        square = warp_square_rgb(image_bgr, to_square, _SIDE_PX, cv2.BORDER_REPLICATE)
        (values,) = self._network(square.astype(np.float32))
        face, mask, x, y, across, down = values[0].astype(np.float64)
        linear = np.array([[across, -down], [down, across]]) * (_SIDE_PX / _UNIT_PX)
        centre = (np.array([x, y]) + 0.5) * _SIDE_PX
        of_canonical = np.column_stack([linear, centre - linear @ (_CENTRE, _CENTRE)])
        aligned = compose(invert(of_canonical), to_square)
        if mirrored:
            aligned = compose(MIRROR, aligned)
        return Alignment(_probability(face), _probability(mask), aligned)


def _probability(logit: float) -> float:
    return 1 / (1 + float(np.exp(-np.clip(logit, -50, 50))))

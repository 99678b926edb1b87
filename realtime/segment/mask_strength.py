"""Says how surely a face that was only detected wears a mask, before it counts as a face."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inpaint_model.artefacts import find_segmenter
from inpaint_model.engines.tflite import TfliteNetwork
from realtime.align.canonical_crop import CROP_SIZE, EYE_LINE_Y
from realtime.align.face_regions import NOSE_AND_MOUTH
from realtime.align.warp_crop import warp_crop
from realtime.settings import SEGMENT

_MASK_CHANNEL = 1  # the network's output channel for mask; 0 is everything else


class MaskStrength:
    """Segments the canonical crop of a face alone, without memory.

    The segmenter is loaded on first use.
    """

    def __init__(self) -> None:
        self._network: TfliteNetwork | None = None

    def __call__(self, image_rgb: NDArray[np.uint8], to_canonical: NDArray[np.float64]) -> float:
        """Return the mask's mean probability times the share of nose and mouth that it covers, 0..1.

        It is 0 where too little is surely mask, or where brows and eyes are covered too.

        Args:
            image_rgb: uint8 [H, W, 3], RGB.
            to_canonical: float64 [2, 3], picture pixels to canonical crop pixels.
        """
        if self._network is None:
            self._network = TfliteNetwork(find_segmenter(), CROP_SIZE)
        crop, valid = warp_crop(image_rgb, to_canonical)
        (masks,) = self._network(crop.astype(np.float32) / 127.5 - 1)
        probability = masks[0, ..., _MASK_CHANNEL]
        sure = valid & (probability > SEGMENT.sure_probability)
        low, high = SEGMENT.vague_probability
        vague = np.count_nonzero(valid & (probability > low) & (probability < high))
        covered = np.count_nonzero(sure)
        if covered < SEGMENT.least_strength_share * valid.sum() or covered < vague:
            return 0.0
        if sure[: int(EYE_LINE_Y)].mean() > SEGMENT.most_above_share:
            return 0.0
        return float(probability[sure].mean() * sure[NOSE_AND_MOUTH].mean())

    def close(self) -> None:
        """Free the segmenter."""
        if self._network is not None:
            self._network.close()
            self._network = None

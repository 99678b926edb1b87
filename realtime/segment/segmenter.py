"""Segments a crop: the probability of each pixel of being mask, by our network.

MediaPipe Image Segmenter runs the file too. OpenVINO runs it here, as it runs the networks that find faces:
it is loaded in a quarter of the time and takes four fifths of the time a crop.
"""

from __future__ import annotations

from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from inpaint_model.artefacts import find_segmenter
from inpaint_model.engines.image_network import ImageNetwork
from inpaint_model.errors import UserError
from realtime.align.canonical_crop import CROP_SIZE

_MASK_CHANNEL = 1  # the network's output channel for mask; 0 is everything else
_MEAN = _DEVIATION = 127.5  # of the values that the network expects, as its metadata says


class MaskSegmenter:
    """Finds the pixels of a worn mask.

    Args:
        path: the `.tflite`; the project's own by default.

    Attributes:
        artefact: the file that runs.

    Raises:
        UserError: the model file is missing or is not a segmenter.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.artefact = find_segmenter(path)
        try:
            self._network = ImageNetwork(self.artefact, CROP_SIZE)
        except RuntimeError as error:
            reason = str(error).strip().splitlines()[-1]
            raise UserError(f"{self.artefact.path}: not a segmenter ({reason})") from None

    def __call__(
        self, crop_rgb: NDArray[np.uint8], *, mirrored: bool = False
    ) -> NDArray[np.float32]:
        """Return each pixel's probability of being mask.

        Args:
            crop_rgb: uint8 [128, 128, 3], RGB.
            mirrored: show the network the mirror image of the crop.

        Returns:
            float32 [128, 128], 0..1, of the pixels of the crop as it is given.
        """
        shown = np.ascontiguousarray(crop_rgb[:, ::-1]) if mirrored else crop_rgb
        (masks,) = self._network((shown.astype(np.float32) - _MEAN) / _DEVIATION)
        probability = masks[0, ..., _MASK_CHANNEL]
        return probability[:, ::-1] if mirrored else probability

    def in_both_poses(self, crop_rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the mean of the probabilities of a crop and of its mirror image (self-ensemble)."""
        return (self(crop_rgb) + self(crop_rgb, mirrored=True)) * np.float32(0.5)

    def close(self) -> None:
        """Free the network."""
        self._network.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

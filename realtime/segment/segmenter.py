"""Segments a crop: the probability of each pixel of being mask, by our network in MediaPipe."""

from __future__ import annotations

from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from inpaint_model.artefacts import find_segmenter
from inpaint_model.errors import UserError
from realtime.align.canonical_crop import CROP_SIZE

_MASK_LABEL = 1  # the network's output channel for mask; 0 is everything else


class MaskSegmenter:
    """Finds the pixels of a worn mask with MediaPipe Image Segmenter.

    Args:
        path: the `.tflite` with metadata; the project's own by default.

    Attributes:
        artefact: the file that runs.

    Raises:
        UserError: the model file is missing or MediaPipe refuses it.
    """

    def __init__(self, path: Path | None = None) -> None:
        from mediapipe.tasks.python import BaseOptions, vision

        self.artefact = find_segmenter(path)
        path = self.artefact.path
        try:
            self._segmenter = vision.ImageSegmenter.create_from_options(
                vision.ImageSegmenterOptions(
                    base_options=BaseOptions(model_asset_buffer=path.read_bytes()),
                    output_confidence_masks=True,
                    output_category_mask=False,
                )
            )
        except (RuntimeError, ValueError) as error:
            raise UserError(f"{path}: not a segmenter MediaPipe can run ({error})") from None

    def __call__(self, crop_rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return each pixel's probability of being mask.

        Args:
            crop_rgb: uint8 [128, 128, 3], RGB, contiguous.

        Returns:
            float32 [128, 128], 0..1.
        """
        import mediapipe as mp

        picture = mp.Image(image_format=mp.ImageFormat.SRGB, data=crop_rgb)
        masks = self._segmenter.segment(picture).confidence_masks
        view = masks[_MASK_LABEL].numpy_view()
        return np.array(view, dtype=np.float32).reshape(CROP_SIZE, CROP_SIZE)

    def close(self) -> None:
        """Free the MediaPipe graph."""
        self._segmenter.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

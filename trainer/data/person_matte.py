"""Mattes: how much of each pixel is a person before the background, by MediaPipe's selfie segmenter.

The wheels of MediaPipe 0.10.21 and before hold the network, `selfie_segmentation.tflite`, in the folder
`mediapipe/modules/selfie_segmentation`.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from inpaint_model.errors import UserError
from realtime.align.face_silhouette import face_silhouette
from trainer.data.coded_face import CodedFace, decode, encode_matte

_LEAST_VALID = 0.5  # share of the crop inside the photograph; of less no matte is made
_UNSURE = 26, 230  # mattes from the one to the other are neither person nor background
# A matte is taken if the person covers so much of the face, and at most so much of the crop is unsure.
_LEAST_FACE, _MOST_UNSURE = 0.97, 0.15


class SelfieSegmenter:
    """Finds the people in a picture, hair and clothes included.

    Args:
        path: `selfie_segmentation.tflite`.

    Raises:
        UserError: the file is missing or is no such network.
    """

    def __init__(self, path: Path) -> None:
        from mediapipe.tasks.python import BaseOptions, vision

        from trainer.export.tflite_metadata import add_metadata

        if not path.is_file():
            raise UserError(f"{path}: no such file of the selfie segmenter")
        try:
            content = add_metadata(path.read_bytes(), mean=0.0, deviation=255.0)
            options = vision.ImageSegmenterOptions(
                base_options=BaseOptions(model_asset_buffer=content),
                output_confidence_masks=True,
            )
            self._segmenter = vision.ImageSegmenter.create_from_options(options)
        except Exception as error:  # the metadata's writer lets errors of every kind through
            raise UserError(f"{path}: not a segmenter ({error})") from None

    def __call__(self, picture_rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the matte of a picture, uint8 [H, W, 3] RGB: uint8 [H, W], 255 is the person."""
        import mediapipe

        pixels = np.ascontiguousarray(picture_rgb)
        picture = mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=pixels)
        masks = self._segmenter.segment(picture).confidence_masks
        opacity = masks[-1].numpy_view().reshape(picture_rgb.shape[:2])
        return np.rint(opacity * 255).astype(np.uint8)

    def close(self) -> None:
        """Free the network."""
        self._segmenter.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def with_matte(face: CodedFace, segmenter: SelfieSegmenter) -> CodedFace:
    """Return a face with its matte, if enough of its surroundings is known and the matte is sure."""
    if face.valid.mean() < _LEAST_VALID:
        return face
    matte = segmenter(decode(face))
    inside = face.valid & face_silhouette(face.landmarks + face.margin_px, matte.shape)
    unsure = (matte > _UNSURE[0]) & (matte < _UNSURE[1])
    if matte[inside].mean() < 255 * _LEAST_FACE or unsure[face.valid].mean() > _MOST_UNSURE:
        return face
    return replace(face, matte=encode_matte(matte))

"""Confirms detections with the strict landmark model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from inpaint_model.artefacts import find_face_landmarker
from realtime.detect.face_geometry import is_same_face, mirrored, moved, scaled_and_shifted
from realtime.detect.landmark_stream import open_landmarker
from realtime.detect.mediapipe_faces import face_of_landmarks
from realtime.frames import Face
from realtime.settings import DETECT

if TYPE_CHECKING:
    from mediapipe.tasks.python.vision.face_landmarker import FaceLandmarker

_ENLARGED_PX = 384  # longer side to which a small face and its surroundings are enlarged, pixels
_MARGIN = 0.6  # surroundings on each side of the bounding box, in sizes of the face


class FaceConfirmation:
    """Says whether the landmark model with strict thresholds confirms a detection.

    The model refuses many masked faces, so a detection that it does not confirm may still be a face with a
    mask. It is loaded on first use.

    Args:
        models_dir: folder searched first for `face_landmarker.task`.
    """

    def __init__(self, models_dir: Path | None = None) -> None:
        self._models_dir = models_dir
        self._landmarker: FaceLandmarker | None = None

    def __call__(self, frame_bgr: NDArray[np.uint8], face: Face) -> bool:
        """Run the model on a face as it is and mirrored; both must agree.

        Args:
            frame_bgr: uint8 [H, W, 3], BGR, the picture in which the face was found.
            face: the detection.
        """
        if self._landmarker is None:
            task = find_face_landmarker(self._models_dir).path
            self._landmarker = open_landmarker(
                task, 1, DETECT.confirming_score, DETECT.confirming_presence, video=False
            )
        image_rgb = np.asarray(cv2.cvtColor(frame_bgr, cv2.COLOR_BGR2RGB), dtype=np.uint8)
        if landmarks_of_one(self._landmarker, image_rgb, face) is None:
            return False
        return landmarks_of_one(self._landmarker, *mirrored(image_rgb, face)) is not None

    def close(self) -> None:
        """Free the MediaPipe graph."""
        if self._landmarker is not None:
            self._landmarker.close()
            self._landmarker = None


def landmarks_of_one(
    landmarker: FaceLandmarker, image_rgb: NDArray[np.uint8], face: Face
) -> Face | None:
    """Run the landmark model on one face and its surroundings, enlarged if they are small.

    Args:
        landmarker: opened for pictures.
        image_rgb: uint8 [H, W, 3], RGB.
        face: where the face was detected.

    Returns:
        The face with landmarks, in pixels of the picture; None where the model finds no face there.
    """
    import mediapipe as mp

    height, width = image_rgb.shape[:2]
    margin = _MARGIN * face.size
    x0, y0 = np.maximum(np.array(face.box[:2]) - margin, 0).astype(int)
    x1, y1 = np.minimum(np.array(face.box[2:]) + margin, [width, height]).astype(int)
    if min(x1 - x0, y1 - y0) < DETECT.least_confirmed_px:
        return None
    scale = max(1.0, _ENLARGED_PX / max(x1 - x0, y1 - y0))
    part = cv2.resize(image_rgb[y0:y1, x0:x1], None, fx=scale, fy=scale)
    picture = mp.Image(image_format=mp.ImageFormat.SRGB, data=np.ascontiguousarray(part))
    for points in landmarker.detect(picture).face_landmarks:
        found = face_of_landmarks(points, part.shape[1], part.shape[0])
        found = moved(found, scaled_and_shifted(1 / scale, x0, y0))
        if is_same_face(found, face):
            return found
    return None

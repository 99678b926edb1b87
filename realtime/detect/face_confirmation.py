"""Confirms detections with the strict landmark model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from inpaint_model.artefacts import find_face_landmarker
from realtime.detect.face_geometry import is_same_face, mirrored, moved, placed
from realtime.detect.landmark_stream import open_landmarker
from realtime.detect.mediapipe_faces import face_of_landmarks
from realtime.frames import Face

if TYPE_CHECKING:
    from mediapipe.tasks.python.vision.face_landmarker import FaceLandmarker

_DETECTION, _PRESENCE = 0.5, 0.8  # thresholds of the detector and of the landmark model, 0..1
_ENLARGED_PX = 384  # the longer side that a small face and its surroundings are enlarged to
_MARGIN = 0.6  # of the face's size, shown round its bounding box
_LEAST_SIDE_PX = 16  # what is smaller is not asked about


class FaceConfirmation:
    """Says whether the landmark model, with strict thresholds, takes a detection for a face.

    It refuses many masked faces: a detection that it does not confirm may still be one if it wears a mask.
    The model is loaded on first use.

    Args:
        models_dir: folder searched first for `face_landmarker.task`.
    """

    def __init__(self, models_dir: Path | None = None) -> None:
        self._models_dir = models_dir
        self._landmarker: FaceLandmarker | None = None

    def __call__(self, frame_bgr: NDArray[np.uint8], face: Face) -> bool:
        """Ask the model about a face, as it is and mirrored.

        Args:
            frame_bgr: uint8 [H, W, 3], BGR, the picture in which the face was found.
            face: the detection.
        """
        if self._landmarker is None:
            task = find_face_landmarker(self._models_dir).path
            self._landmarker = open_landmarker(task, 1, _DETECTION, _PRESENCE, video=False)
        image_rgb = np.asarray(cv2.cvtColor(frame_bgr, cv2.COLOR_BGR2RGB), dtype=np.uint8)
        if landmarks_alone(self._landmarker, image_rgb, face) is None:
            return False
        return landmarks_alone(self._landmarker, *mirrored(image_rgb, face)) is not None

    def close(self) -> None:
        """Free the MediaPipe graph."""
        if self._landmarker is not None:
            self._landmarker.close()
            self._landmarker = None


def landmarks_alone(
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
    if min(x1 - x0, y1 - y0) < _LEAST_SIDE_PX:
        return None
    scale = max(1.0, _ENLARGED_PX / max(x1 - x0, y1 - y0))
    part = cv2.resize(image_rgb[y0:y1, x0:x1], None, fx=scale, fy=scale)
    picture = mp.Image(image_format=mp.ImageFormat.SRGB, data=np.ascontiguousarray(part))
    for points in landmarker.detect(picture).face_landmarks:
        found = face_of_landmarks(points, part.shape[1], part.shape[0])
        found = moved(found, placed(x0, y0, 1 / scale))
        if is_same_face(found, face):
            return found
    return None

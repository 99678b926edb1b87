"""Turns MediaPipe's landmarks and detections into faces, in pixels of the picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from realtime.align.canonical_crop import similarity_from_keypoints, similarity_from_landmarks
from realtime.frames import Face

if TYPE_CHECKING:
    import mediapipe as mp
    from mediapipe.tasks.python.components.containers.detections import (
        DetectionResult as FaceDetectorResult,
    )
    from mediapipe.tasks.python.vision.face_landmarker import FaceLandmarkerResult

# Landmarks whose mean is each keypoint: the corners of either eye, nose tip, mouth corners.
_EYES_NOSE_MOUTH = ((33, 133), (362, 263), (1,), (61,), (291,))

_HALF_MOUTH = 0.35  # half the mouth's width, of the distance between the eyes


def faces_of_result(result: FaceLandmarkerResult, picture: mp.Image) -> list[Face]:
    """Turn the landmark model's result on a picture into Faces in pixels."""
    size = picture.width, picture.height
    return [face_of_landmarks(points, *size) for points in result.face_landmarks]


def face_of_landmarks(points: list, width: int, height: int) -> Face:
    """Turn one normalised landmark list into a Face in pixels."""
    landmarks = np.array([(point.x, point.y) for point in points]) * (width, height)
    x0, y0 = landmarks.min(0)
    x1, y1 = landmarks.max(0)
    keypoints = np.stack([landmarks[list(indices)].mean(0) for indices in _EYES_NOSE_MOUTH])
    return Face(
        (float(x0), float(y0), float(x1), float(y1)),
        keypoints,
        landmarks,
        similarity_from_landmarks(landmarks),
    )


def faces_of_detections(
    result: FaceDetectorResult, width: int, height: int, least_score: float = 0.0
) -> list[Face]:
    """Turn the detector's boxes and six points into Faces in pixels."""
    faces = []
    for detection in result.detections:
        box = detection.bounding_box
        points = np.array([(p.x, p.y) for p in detection.keypoints or ()]) * (width, height)
        if len(points) != 6 or (detection.categories[0].score or 0) < least_score:
            continue
        half_mouth = (points[1] - points[0]) * _HALF_MOUTH
        keypoints = np.stack(
            [points[0], points[1], points[2], points[3] - half_mouth, points[3] + half_mouth]
        )
        faces.append(
            Face(
                (
                    float(box.origin_x),
                    float(box.origin_y),
                    float(box.origin_x + box.width),
                    float(box.origin_y + box.height),
                ),
                keypoints,
                None,
                similarity_from_keypoints(points),
            )
        )
    return faces

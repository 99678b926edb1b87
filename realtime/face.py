"""One found face: what MediaPipe's landmark model or its detector says of it, in pixels of the picture."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from realtime.alignment import (
    apply,
    compose,
    invert,
    similarity_from_keypoints,
    similarity_from_landmarks,
)

if TYPE_CHECKING:
    import mediapipe as mp
    from mediapipe.tasks.python.components.containers.detections import (
        DetectionResult as FaceDetectorResult,
    )
    from mediapipe.tasks.python.vision.face_landmarker import FaceLandmarkerResult

_EYES_NOSE_MOUTH = ((33, 133), (362, 263), (1,), (61,), (291,))
_OTHER_SIDE = [1, 0, 2, 4, 3]


@dataclass(frozen=True)
class Face:
    """One found face.

    Attributes:
        box: x0, y0, x1, y1 in pixels.
        keypoints: float64 [5, 2], pixels: right eye, left eye, nose tip, right and left mouth corner
            (the person's own right and left). A detector's face knows one mouth point; both corners
            are then placed round it.
        landmarks: float64 [478, 2], pixels, or None where the landmark model refused the face.
        matrix: float64 [2, 3], picture pixels to canonical crop pixels.
    """

    box: tuple[float, float, float, float]
    keypoints: NDArray[np.float64]
    landmarks: NDArray[np.float64] | None
    matrix: NDArray[np.float64]

    @property
    def centre(self) -> NDArray[np.float64]:
        """The middle between the eyes, float64 [2], pixels."""
        return self.keypoints[:2].mean(0)

    @property
    def size(self) -> float:
        """The box's longer side in pixels."""
        return max(self.box[2] - self.box[0], self.box[3] - self.box[1])


def mirrored(image_rgb: NDArray[np.uint8], face: Face) -> tuple[NDArray[np.uint8], Face]:
    """Turn a picture and the face in it left to right."""
    width = image_rgb.shape[1]
    x0, y0, x1, y1 = face.box
    keypoints = (face.keypoints * (-1, 1) + (width - 1, 0))[_OTHER_SIDE]
    picture = np.ascontiguousarray(image_rgb[:, ::-1])
    box = (width - 1 - x1, y0, width - 1 - x0, y1)
    return picture, replace(face, box=box, keypoints=keypoints)


def faces_of_result(result: FaceLandmarkerResult, picture: mp.Image) -> list[Face]:
    """Turn what the landmark model says of a picture into Faces in pixels."""
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
        half_mouth = (points[1] - points[0]) * 0.35
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


def moved(face: Face, move: NDArray[np.float64]) -> Face:
    """The face, moved by a similarity, float64 [2, 3]."""
    x0, y0, x1, y1 = face.box
    centre = apply(move, np.array([[(x0 + x1) / 2, (y0 + y1) / 2]]))[0]
    half = np.array([x1 - x0, y1 - y0]) / 2 * np.hypot(move[0, 0], move[1, 0])
    (left, top), (right, bottom) = centre - half, centre + half
    return replace(
        face,
        box=(float(left), float(top), float(right), float(bottom)),
        keypoints=apply(move, face.keypoints),
        landmarks=None if face.landmarks is None else apply(move, face.landmarks),
        matrix=compose(face.matrix, invert(move)),
    )


def placed(x: float, y: float, scale: float = 1.0) -> NDArray[np.float64]:
    """Return what brings a part's pixels back into the whole picture, float64 [2, 3]."""
    return np.array([[scale, 0.0, x], [0.0, scale, y]])


def is_same_face(one: Face, other: Face) -> bool:
    """Two finds of one face lie closer than half its size."""
    return float(np.hypot(*(one.centre - other.centre))) < 0.5 * max(one.size, other.size)

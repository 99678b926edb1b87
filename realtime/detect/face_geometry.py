"""Makes faces of what the networks find, moves them, and says whether two are the same face."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from realtime.align.affine import apply, compose, invert
from realtime.align.canonical_crop import similarity_from_keypoints, similarity_from_landmarks
from realtime.detect.blazeface import Detection
from realtime.frames import Face
from realtime.settings import DETECT

# Landmarks whose mean is each keypoint: the corners of either eye, nose tip, mouth corners.
_EYES_NOSE_MOUTH = ((33, 133), (362, 263), (1,), (61,), (291,))
_HALF_MOUTH = 0.35  # half the mouth's width, of the distance between the eyes
# Corners of the box of a mean face in the canonical crop, crop px.
_BOX = np.array([[25.0, 25], [102, 25], [25, 103], [102, 103]])

MEAN_KEYPOINTS = np.array([[47.5, 46], [79.5, 46], [63.5, 68], [52.5, 86], [74.5, 86]])
"""Eyes, nose tip and mouth corners of a mean face in the canonical crop, float64 [5, 2], crop px."""


def face_of_landmarks(landmarks: NDArray[np.float64]) -> Face:
    """Make a face of the landmark model's points, float64 [478, 2], pixels."""
    x0, y0 = landmarks.min(0)
    x1, y1 = landmarks.max(0)
    box = (float(x0), float(y0), float(x1), float(y1))
    keypoints = keypoints_of_landmarks(landmarks)
    return Face(box, keypoints, landmarks, similarity_from_landmarks(landmarks))


def keypoints_of_landmarks(landmarks: NDArray[np.float64]) -> NDArray[np.float64]:
    """Take eyes, nose tip and mouth corners, float64 [5, 2], of the landmark model's points, [478, 2]."""
    return np.stack([landmarks[list(indices)].mean(0) for indices in _EYES_NOSE_MOUTH])


def face_of_detection(detection: Detection) -> Face:
    """Make a face of the detector's box and six points."""
    points = detection.points
    half_mouth = (points[1] - points[0]) * _HALF_MOUTH
    keypoints = np.stack(
        [points[0], points[1], points[2], points[3] - half_mouth, points[3] + half_mouth]
    )
    (x0, y0), (x1, y1) = (detection.centre + sign * detection.size / 2 for sign in (-1, 1))
    box = (float(x0), float(y0), float(x1), float(y1))
    return Face(box, keypoints, None, similarity_from_keypoints(points))


def face_of_alignment(to_canonical: NDArray[np.float64]) -> Face:
    """Make a face of its canonical transform, float64 [2, 3], with the points of a mean face."""
    to_picture = invert(to_canonical)
    corners = apply(to_picture, _BOX)
    (x0, y0), (x1, y1) = corners.min(0), corners.max(0)
    box = (float(x0), float(y0), float(x1), float(y1))
    return Face(box, apply(to_picture, MEAN_KEYPOINTS), None, to_canonical)


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


def scaled_and_shifted(scale: float, x: float, y: float) -> NDArray[np.float64]:
    """Return the transform that scales by a factor and then shifts by x, y pixels, float64 [2, 3]."""
    return np.array([[scale, 0.0, x], [0.0, scale, y]])


def is_same_face(one: Face, other: Face) -> bool:
    """Whether two faces are one: their eyes are close, or the smaller box lies mostly in the other."""
    distance_px = float(np.hypot(*(one.centre - other.centre)))
    if distance_px < DETECT.same_face_share * max(one.size, other.size):
        return True
    return _shared(one.box, other.box) > DETECT.most_shared


def _shared(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    """Intersection of two boxes, x0, y0, x1, y1, over the area of the smaller one."""
    wide = min(one[2], other[2]) - max(one[0], other[0])
    high = min(one[3], other[3]) - max(one[1], other[1])
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return max(wide, 0.0) * max(high, 0.0) / max(min(areas), 1e-6)

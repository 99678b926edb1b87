"""Moves and mirrors detected faces, and says whether two detections are of the same face."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from realtime.align.affine import apply, compose, invert
from realtime.frames import Face
from realtime.settings import DETECT

# Order of the five keypoints after left and right are exchanged.
_MIRRORED_KEYPOINTS = [1, 0, 2, 4, 3]


def mirrored(image_rgb: NDArray[np.uint8], face: Face) -> tuple[NDArray[np.uint8], Face]:
    """Mirror a picture, uint8 [H, W, 3], and the face in it left to right."""
    width = image_rgb.shape[1]
    x0, y0, x1, y1 = face.box
    keypoints = (face.keypoints * (-1, 1) + (width - 1, 0))[_MIRRORED_KEYPOINTS]
    picture = np.ascontiguousarray(image_rgb[:, ::-1])
    box = (width - 1 - x1, y0, width - 1 - x0, y1)
    return picture, replace(face, box=box, keypoints=keypoints)


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
    """Whether two detections lie so close, for their size, that they are of one face."""
    distance_px = float(np.hypot(*(one.centre - other.centre)))
    return distance_px < DETECT.same_face_share * max(one.size, other.size)

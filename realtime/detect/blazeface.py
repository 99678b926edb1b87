"""MediaPipe's short-range face detector (BlazeFace, Bazarevsky et al. 2019) on a square of a picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from inpaint_model.engines.image_network import ImageNetwork
from inpaint_model.model_files import Artefact
from realtime.align.affine import apply, invert, scale_of
from realtime.align.warp_crop import warp_square_rgb
from realtime.settings import DETECT

_SIDE_PX = 128
# Cells of a side of each feature map, and anchors in each cell.
_FEATURE_MAPS = (16, 2), (8, 6)


class Detection(NamedTuple):
    """What the detector says of one face, in pixels of the picture.

    Attributes:
        score: 0..1.
        centre: float64 [2], of the bounding box.
        size: side of the bounding box, which is a square in the direction of the face.
        points: float64 [6, 2]: right eye, left eye, nose tip, mouth, right ear, left ear.
    """

    score: float
    centre: NDArray[np.float64]
    size: float
    points: NDArray[np.float64]

    @property
    def roll(self) -> float:
        """Direction from the right eye to the left one, radians; 0 is upright, more is clockwise."""
        x, y = self.points[1] - self.points[0]
        return float(np.arctan2(y, x))


class BlazeFace:
    """Detects faces in squares of a picture.

    It finds faces from about 0.15 to 0.9 of the square's side, and turned by up to 45 degrees.

    Args:
        task: `face_landmarker.task`, which holds the network.
    """

    def __init__(self, task: Artefact) -> None:
        self._network = ImageNetwork(task, _SIDE_PX, "face_detector")
        self._anchors = _anchors()

    def close(self) -> None:
        """Free the network."""
        self._network.close()

    def __call__(
        self,
        image_bgr: NDArray[np.uint8],
        to_square: NDArray[np.float64],
        least_score: float,
    ) -> list[Detection]:
        """Detect the faces in a square of a picture.

        Args:
            image_bgr: uint8 [H, W, 3], BGR.
            to_square: float64 [2, 3], a similarity, picture pixels to the pixels 0..128 of the square.
            least_score: of a detection, 0..1.

        Returns:
            The detections, the best first.
        """
        square = warp_square_rgb(image_bgr, to_square, _SIDE_PX, cv2.BORDER_REFLECT_101)
        values, logits = self._network(square.astype(np.float32) / 127.5 - 1)
        scores = 1 / (1 + np.exp(-np.clip(logits[0, :, 0].astype(np.float64), -50, 50)))
        seen = np.flatnonzero(scores >= least_score)
        if not len(seen):
            return []
        pairs = values[0, seen].astype(np.float64).reshape(-1, 8, 2)
        sizes = pairs[:, 1].mean(1) / scale_of(to_square)
        places = np.delete(pairs, 1, axis=1) + self._anchors[seen, None]
        points = apply(invert(to_square), places.reshape(-1, 2)).reshape(-1, 7, 2)
        return _merged(scores[seen], sizes, points)


def _merged(
    scores: NDArray[np.float64], sizes: NDArray[np.float64], points: NDArray[np.float64]
) -> list[Detection]:
    """Weighted non-maximum suppression: detections of one face become their mean, weighted by score.

    Args:
        scores, sizes: float64 [N].
        points: float64 [N, 7, 2], the centre of the box and the six points.

    Returns:
        The detections, the best first.
    """
    found, left = [], np.argsort(-scores)
    while len(left):
        best = left[0]
        distances = np.hypot(*(points[left, 0] - points[best, 0]).T)
        same = distances < DETECT.same_detection_share * np.maximum(sizes[left], sizes[best])
        ones, left = left[same], left[~same]
        weights = scores[ones] / scores[ones].sum()
        mean = np.tensordot(weights, points[ones], 1)
        size = float(weights @ sizes[ones])
        found.append(Detection(float(scores[best]), mean[0], size, mean[1:]))
    return found


def merged(detections: Sequence[Detection]) -> list[Detection]:
    """Join the detections of the same faces from several squares; return the best first."""
    if not detections:
        return []
    return _merged(
        np.array([one.score for one in detections]),
        np.array([one.size for one in detections]),
        np.array([[one.centre, *one.points] for one in detections]),
    )


def _anchors() -> NDArray[np.float64]:
    """Centres of the cells, one row for each anchor, pixels of the network's input, float64 [896, 2]."""
    rows = []
    for cells, each in _FEATURE_MAPS:
        centres = (np.arange(cells) + 0.5) * (_SIDE_PX / cells) - 0.5
        x, y = np.meshgrid(centres, centres)
        rows.append(np.repeat(np.stack([x, y], axis=-1).reshape(-1, 2), each, axis=0))
    return np.concatenate(rows)

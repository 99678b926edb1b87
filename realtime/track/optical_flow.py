"""Follows faces from one frame to the next by optical flow, in a tenth of the time of a detection."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.align.affine import apply, invert
from realtime.detect.face_geometry import moved
from realtime.frames import Face
from realtime.settings import TRACK

# Points in the canonical crop on eyes, brows, forehead and the bridge of the nose, which no mask covers.
_COLUMNS, _ROWS = np.arange(36.0, 93.0, 8.0), np.arange(22.0, 63.0, 8.0)
_UPPER_FACE = np.stack(np.meshgrid(_COLUMNS, _ROWS), axis=-1).reshape(-1, 2)
# Corners of the region that is compared, crop px.
_REGION = np.array([[8.0, -8.0], [120, -8], [120, 92], [8, 92]])
_SIDE_PX = 96  # longer side to which that region is shrunk, pixels
_LEAST_PX = 26  # shorter side of that region from which it is compared, frame pixels
_WINDOW_PX, _LEVELS = 13, 2  # side of Lucas-Kanade's window, pixels; pyramid levels above the first


class OpticalFlow:
    """Remembers the last frame, and finds its faces in the next one (pyramidal Lucas-Kanade)."""

    def __init__(self) -> None:
        self._before: NDArray[np.uint8] | None = None

    def remember(self, grey: NDArray[np.uint8]) -> None:
        """Take the frame, uint8 [H, W], that the faces given to `follow` next are from."""
        self._before = grey

    def forget(self) -> None:
        """The next frame is unrelated."""
        self._before = None

    def follow(self, face: Face, grey: NDArray[np.uint8]) -> Face | None:
        """Follow a face of the remembered frame into the next one.

        Args:
            face: where it was.
            grey: uint8 [H, W], the next frame.

        Returns:
            Where it is, or None where that is not sure: it was covered, turned, or moved too far.
        """
        if self._before is None or self._before.shape != grey.shape:
            return None
        region = _region(face, grey.shape)
        if region is None:
            return None
        x0, y0, x1, y1, scale = region
        size = (max(round((x1 - x0) * scale), 1), max(round((y1 - y0) * scale), 1))
        before, now = (
            cv2.resize(image[y0:y1, x0:x1], size, interpolation=cv2.INTER_AREA)
            for image in (self._before, grey)
        )
        points = (apply(invert(face.matrix), _UPPER_FACE) - (x0, y0)) * scale
        move = _similarity(before, now, points.astype(np.float32))
        if move is None:
            return None
        move[:, 2] = move[:, 2] / scale + (x0, y0) - move[:, :2] @ (x0, y0)
        return moved(face, move)


def _region(face: Face, shape: tuple[int, ...]) -> tuple[int, int, int, int, float] | None:
    """The rectangle round the upper face inside the frame, x0, y0, x1, y1, and its factor of shrinking."""
    corners = apply(invert(face.matrix), _REGION)
    height, width = shape[:2]
    x0, y0 = np.clip(np.floor(corners.min(0)).astype(int), 0, [width, height])
    x1, y1 = np.clip(np.ceil(corners.max(0)).astype(int), 0, [width, height])
    if min(x1 - x0, y1 - y0) < _LEAST_PX:
        return None
    return int(x0), int(y0), int(x1), int(y1), min(1.0, _SIDE_PX / max(x1 - x0, y1 - y0))


def _similarity(
    before: NDArray, now: NDArray, points: NDArray[np.float32]
) -> NDArray[np.float64] | None:
    """The similarity, float64 [2, 3], that most points agree on."""
    height, width = before.shape
    inside = ((points >= 0) & (points < (width, height))).all(axis=1)
    if not inside.any():
        return None
    starts = points[inside]
    ends = starts.copy()
    window = (_WINDOW_PX, _WINDOW_PX)
    ends, found, errors = cv2.calcOpticalFlowPyrLK(
        before, now, starts, ends, winSize=window, maxLevel=_LEVELS
    )
    good = (found.ravel() > 0) & np.isfinite(errors.ravel())
    if good.sum() < TRACK.flow_least_share * len(points):
        return None
    move, agreeing = cv2.estimateAffinePartial2D(
        starts[good], ends[good], ransacReprojThreshold=TRACK.flow_most_error_px
    )
    if move is None or agreeing.sum() < TRACK.flow_least_share * good.sum():
        return None
    zoom = float(np.hypot(move[0, 0], move[1, 0]))
    if not 1 / TRACK.flow_most_zoom < zoom < TRACK.flow_most_zoom:
        return None
    return np.asarray(move, dtype=np.float64)

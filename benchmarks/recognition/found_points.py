"""What the product says of the five points of a face whose true points are known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.finding.faces import TestFace
from benchmarks.finding.matching import FOUND_SHIFT
from benchmarks.finding.options import FindOptions
from benchmarks.finding.placing import still
from realtime import Unmasker
from realtime.detect.face_finder import FaceFinder
from realtime.feed.masked_points import MaskedPoints
from realtime.unmasker import Mode

Points = NDArray[np.float64]
"""Five keypoints, float64 [5, 2], pixels."""

Move = Callable[[NDArray[np.uint8]], tuple[NDArray[np.uint8], Callable[[Points], Points]]]
"""Moves a photograph, uint8 [H, W, 3]; also gives what brings points of the result back."""

STREAM_FRAMES = 12
SMALL_PX = 48.0
"""Width of a small face, pixels of the frame."""
_SIDES_SWAPPED = [1, 0, 2, 4, 3]
_SHIFT_PX = 3.5, -2.5  # of the shifted photograph


@dataclass(frozen=True, eq=False)
class Case:
    """One face with its true points and those that are compared with them.

    Attributes:
        face: the face, which the groups of a table are made by.
        truth: the true points.
        points: the found points; None where the face is not found.
    """

    face: TestFace
    truth: Points
    points: Points | None


@dataclass(frozen=True, eq=False)
class Seen:
    """What the product says of a masked face.

    Attributes:
        points: its keypoints, as the feed gives them; None where the face is not found.
        by_landmarks: those that the landmark network gives of the masked face; None where it refuses it.
    """

    points: Points | None = None
    by_landmarks: Points | None = None


class Look:
    """Shows faces to the product and takes their points.

    Args:
        options: of the benchmark.
        mode: of the unmasker.
    """

    def __init__(self, options: FindOptions, mode: Mode) -> None:
        self._unmasker = Unmasker(options.model, options.engine, options.max_faces, mode=mode)
        self._points = MaskedPoints()

    def __call__(
        self,
        face: TestFace,
        frame_bgr: NDArray[np.uint8],
        time_s: float | None = None,
        scale: float = 1.0,
    ) -> Seen:
        """Show a frame; take the face whose eyes are near the true ones.

        Args:
            face: the face.
            frame_bgr: uint8 [H, W, 3], BGR, its photograph.
            time_s: when the frame is shown, seconds; None for pictures.
            scale: by which the photograph was resized.
        """
        tracked = self._unmasker.detect_and_track(frame_bgr, time_s)
        segmented = self._unmasker.segment(tracked)
        result = self._unmasker.composite(self._unmasker.inpaint(segmented))
        near = [one for one in result.faces if _is_near(one.keypoints, face, scale)]
        if not near:
            return Seen()
        found = near[0]
        points = self._points(result.frame, found, found.track_id, time_s)
        (given,) = (one.face for one in tracked.faces if one.track_id == found.track_id)
        return Seen(points, None if given.landmarks is None else given.keypoints)

    def stream(self, face: TestFace) -> Seen:
        """Show the masked photograph as a stream of equal frames; what is seen in the last one."""
        self._unmasker.reset()
        *_, last = (self(face, *frame) for frame in still(face.masked_bgr, STREAM_FRAMES))
        return last

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._unmasker.close()
        self._points.close()


def case_of(face: TestFace, points: Points | None) -> Case:
    """Compare points of the photograph as it is with the true ones."""
    return Case(face, face.keypoints, points)


def small_case(look: Look, face: TestFace) -> Case:
    """Shrink the photograph, so that the face is small."""
    height, width = face.masked_bgr.shape[:2]
    size = [max(round(side * min(SMALL_PX / face.width, 1.0)), 1) for side in (width, height)]
    frame = cv2.resize(face.masked_bgr, size, interpolation=cv2.INTER_AREA).astype(np.uint8)
    scale = size[0] / width
    truth = (face.keypoints + 0.5) * (scale, size[1] / height) - 0.5
    return Case(face, truth, look(face, frame, scale=scale).points)


def _mirrored(picture: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], Callable[[Points], Points]]:
    last = picture.shape[1] - 1
    mirrored = np.ascontiguousarray(picture[:, ::-1])
    return mirrored, lambda points: np.array([last, 0] + points[_SIDES_SWAPPED] * [-1, 1])


def _shifted(picture: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], Callable[[Points], Points]]:
    matrix = np.column_stack([np.eye(2), _SHIFT_PX])
    height, width = picture.shape[:2]
    moved = cv2.warpAffine(picture, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, np.uint8), lambda points: points - _SHIFT_PX


MOVES: dict[str, Move] = {"mirrored": _mirrored, "shifted": _shifted}


def found_again(finder: FaceFinder, face: TestFace, move: Move) -> Case:
    """Find the true points again on a moved photograph: how far they are off is the noise of the truth."""
    picture, back = move(face.bare_bgr)
    found = finder.portrait(picture)
    points = None if found is None else back(found.keypoints)
    if points is not None and not _is_near(points, face, 1.0):  # another face of the photograph
        points = None
    return case_of(face, points)


def _is_near(points: Points, face: TestFace, scale: float) -> bool:
    """Whether the eyes are those of the face, by their place in its photograph, resized by a scale."""
    away_px = np.hypot(*(points[:2].mean(0) - face.eyes.mean(0) * scale))
    return bool(away_px <= FOUND_SHIFT * face.width * scale)

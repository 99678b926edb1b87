"""Follows faces from frame to frame: stable numbers, a smoothed similarity transform for each."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from realtime.faces import Face, FaceFinder
from realtime.framing import Framing

_NOMINAL_INTERVAL_S = 1 / 30
_MOST_MISSES, _INSISTING_HITS, _CONFIRM_EVERY = 5, 3, 15


class OneEuro:
    """The one-euro filter (Casiez, Roussel, Vogel 2012) on a vector.

    Args:
        min_cutoff_hz: cut-off at rest; lower is calmer.
        beta: how fast the cut-off rises with speed; higher lags less.
    """

    def __init__(self, min_cutoff_hz: float = 1.5, beta: float = 0.15) -> None:
        self._min_cutoff_hz, self._beta = min_cutoff_hz, beta
        self._value: NDArray[np.float64] | None = None
        self._speed: NDArray[np.float64] | None = None

    def __call__(
        self, value: NDArray[np.float64], interval_s: float = _NOMINAL_INTERVAL_S
    ) -> NDArray[np.float64]:
        """Take the next raw value, float64 [K]; return the smoothed one."""
        if self._value is None or self._speed is None:
            self._value, self._speed = value, np.zeros_like(value)
            return value
        raw_speed = (value - self._value) / interval_s
        speed = self._speed + _share(1.0, interval_s) * (raw_speed - self._speed)
        cutoff_hz = self._min_cutoff_hz + self._beta * np.abs(speed)
        smoothed = self._value + _share(cutoff_hz, interval_s) * (value - self._value)
        self._value, self._speed = smoothed, speed
        return smoothed


def _share(cutoff_hz: float | NDArray[np.float64], interval_s: float):
    """How much of a new value a low-pass of this cut-off takes."""
    return 1 / (1 + 1 / (2 * np.pi * np.maximum(cutoff_hz, 1e-6) * interval_s))


def _to_vector(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Write a similarity as what is seen: crop centre in the frame, log size and angle.

    All four are in pixels of motion at the crop's edge, so that one filter fits them.
    """
    scale = np.hypot(matrix[0, 0], matrix[1, 0])
    angle = np.arctan2(matrix[1, 0], matrix[0, 0])
    linear = matrix[:, :2]
    centre = np.linalg.solve(linear, np.array([63.5, 63.5]) - matrix[:, 2])
    return np.array([*(centre * scale), -np.log(scale) * 64, angle * 64])


def _to_matrix(vector: NDArray[np.float64]) -> NDArray[np.float64]:
    """The inverse of `_to_vector`."""
    scale, angle = np.exp(-vector[2] / 64), vector[3] / 64
    linear = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    centre = vector[:2] / scale
    return np.column_stack([linear, np.array([63.5, 63.5]) - linear @ centre])


@dataclass
class Track:
    """One followed face.

    Attributes:
        track_id: a number that stays with the face.
        face: where it was last found.
        matrix: float64 [2, 3], smoothed, frame pixels to crop pixels.
        misses: frames since it was last found.
        hits: frames in which it was found; one found once is not kept through a miss.
        began_alone: no other face was followed when it appeared.
        framing: how much wider than the canonical crop its crop is, to hold the whole mask.
        probability: float32 [128, 128], the mask's smoothed probability in crop space, or None.
        masked: whether it wore a mask in the last frame.
        confirmed: the landmark model, strict, took it for a face; what is not confirmed counts only while
            it wears a mask.
    """

    track_id: int
    face: Face
    matrix: NDArray[np.float64]
    filter: OneEuro
    misses: int = 0
    hits: int = 1
    began_alone: bool = True
    framing: Framing = field(default_factory=Framing)
    probability: NDArray[np.float32] | None = None
    masked: bool = False
    confirmed: bool = False

    @property
    def is_trusted(self) -> bool:
        """Beside faces that are followed already, the detector alone must insist before it counts."""
        landmarked = self.face.landmarks is not None
        return self.began_alone or landmarked or self.hits >= _INSISTING_HITS


class FaceTracker:
    """Finds faces in each frame and follows them.

    Args:
        max_faces: at most this many.
        still: pictures are unrelated: nothing is remembered or smoothed.
        models_dir: folder searched first for MediaPipe's models.
    """

    def __init__(
        self, max_faces: int = 4, *, still: bool = False, models_dir: Path | None = None
    ) -> None:
        self._max_faces, self._still, self._models_dir = max_faces, still, models_dir
        self._numbers = itertools.count()
        self._tracks: list[Track] = []
        self._finder: FaceFinder | None = None

    def __call__(self, image_rgb: NDArray[np.uint8]) -> list[Track]:
        """Take the next frame, uint8 [H, W, 3] RGB, contiguous; return its tracks."""
        if self._finder is None:
            self._finder = FaceFinder(
                self._max_faces, video=not self._still, models_dir=self._models_dir
            )
        faces = self._finder(image_rgb)
        known = [] if self._still else self._tracks
        free = list(faces)
        for track in known:
            nearest = min(free, key=lambda face: _distance(track.face, face), default=None)
            if nearest is not None and _distance(track.face, nearest) < 0.6:
                free = [face for face in free if face is not nearest]
                track.face, track.misses, track.hits = nearest, 0, track.hits + 1
                track.matrix = _to_matrix(track.filter(_to_vector(nearest.matrix)))
            else:
                track.misses += 1
        kept = [track for track in known if track.misses <= min(_MOST_MISSES, track.hits - 1)]
        kept += [self._begin(face, alone=not kept) for face in free]
        self._tracks = sorted(kept, key=lambda track: track.misses)[: self._max_faces]
        for track in self._tracks:
            if track.hits % _CONFIRM_EVERY == 1 and not (track.confirmed or track.masked):
                track.confirmed = self._finder.is_face(image_rgb, track.face)
        return [track for track in self._tracks if self._still or track.is_trusted]

    def _begin(self, face: Face, *, alone: bool) -> Track:
        smooth = OneEuro()
        smooth(_to_vector(face.matrix))
        return Track(next(self._numbers), face, face.matrix, smooth, began_alone=alone)

    def reset(self) -> None:
        """Forget every track; numbers begin again."""
        self._tracks = []
        self._numbers = itertools.count()
        if self._finder is not None and not self._still:
            self.close()

    def close(self) -> None:
        """Free the models."""
        if self._finder is not None:
            self._finder.close()
            self._finder = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _distance(one: Face, other: Face) -> float:
    """Distance between the eyes' middles, in sizes of the face; a large change of size is far."""
    size = max(one.size, other.size, 1e-6)
    if min(one.size, other.size) < 0.4 * size:
        return np.inf
    return float(np.hypot(*(one.centre - other.centre))) / size

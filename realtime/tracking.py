"""Follows faces from frame to frame: stable numbers, a smoothed similarity transform for each."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.association import Motion, Place, match
from realtime.faces import Face, FaceFinder
from realtime.flow import FaceFlow
from realtime.framing import Framing
from realtime.stability import CropMemory
from realtime.texture import TextureMemory

NOMINAL_INTERVAL_S = 1 / 30
_INSISTING_HITS, _TWICE_EVERY = 3, 15
_SHOWN_UNSEEN_S, _REMEMBERED_S = 5.5 / 30, 1.2
_REMEMBERED_TRACKS = 16
FOLLOWED_S = 0.045  # of a thrifty run: so long after a thorough look another is due


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
        self, value: NDArray[np.float64], interval_s: float = NOMINAL_INTERVAL_S
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


@dataclass(eq=False)
class Track:
    """One followed face.

    Attributes:
        track_id: a number that stays with the face.
        face: where it was last found.
        matrix: float64 [2, 3], smoothed, frame pixels to crop pixels.
        motion: where it should be.
        misses: frames since it was last found.
        hits: frames in which it was found; one found once is not kept through a miss.
        began_alone: no other face was followed when it appeared.
        fresh: it has just appeared, or come back: what is remembered of its crop counts no more.
        memory: what was seen before, in crop space; left to who segments.
        texture: what was filled before; left to who fills.
        framing: how much wider than the canonical crop its crop is, to hold the whole mask.
        confirmed: the landmark model, strict, took it for a face; what is not confirmed counts only while
            it wears a mask.
    """

    track_id: int
    face: Face
    matrix: NDArray[np.float64]
    filter: OneEuro
    motion: Motion
    misses: int = 0
    hits: int = 1
    began_alone: bool = True
    fresh: bool = True
    memory: CropMemory = field(default_factory=CropMemory)
    texture: TextureMemory = field(default_factory=TextureMemory)
    framing: Framing = field(default_factory=Framing)
    confirmed: bool = False

    @property
    def is_trusted(self) -> bool:
        """Beside faces that are followed already, the detector alone must insist before it counts."""
        landmarked = self.face.landmarks is not None
        return self.began_alone or landmarked or self.hits >= _INSISTING_HITS

    @property
    def is_due(self) -> bool:
        """Whether it is this frame's turn to be looked at twice: the first, and now and again."""
        return self.hits % _TWICE_EVERY == 1 and not self.misses

    @property
    def is_shown(self) -> bool:
        """Whether it is there, or was so shortly ago; a face found once does not outlast a miss."""
        return self.motion.unseen_s <= _SHOWN_UNSEEN_S and self.misses < self.hits

    @property
    def is_remembered(self) -> bool:
        """Whether it gets its number back when it appears again."""
        known = self.misses < self.hits or self.hits >= _INSISTING_HITS
        return self.motion.unseen_s <= _REMEMBERED_S and known


class FaceTracker:
    """Finds faces in each frame and follows them.

    Args:
        max_faces: at most this many.
        still: pictures are unrelated: nothing is remembered or smoothed.
        smoothing: calm the transforms.
        thrifty: find faces in the frames `FOLLOWED_S` apart alone, and follow them by optical flow in
            between.
        models_dir: folder searched first for MediaPipe's models.
    """

    def __init__(
        self,
        max_faces: int = 4,
        *,
        still: bool = False,
        smoothing: bool = True,
        thrifty: bool = False,
        models_dir: Path | None = None,
    ) -> None:
        self._max_faces, self._still, self._models_dir = max_faces, still, models_dir
        self._smoothing = smoothing and not still
        self._numbers = itertools.count()
        self._tracks: list[Track] = []
        self._finder: FaceFinder | None = None
        self._flow = FaceFlow() if thrifty and not still else None
        self._since_found_s = 0.0

    def __call__(
        self, image_rgb: NDArray[np.uint8], interval_s: float = NOMINAL_INTERVAL_S
    ) -> list[Track]:
        """Take the next frame, uint8 [H, W, 3] RGB, contiguous; return its tracks.

        A face that is out of sight is returned for a moment more, and its number is remembered for a
        second.
        """
        faces = self._find(image_rgb, interval_s)
        if self._still:
            self._tracks = []
        else:
            self._follow(faces, interval_s)
        shown = [track for track in self._tracks if track.is_shown]
        found = {id(track.face) for track in self._tracks}
        begun = [self._begin(f, alone=not shown) for f in faces if id(f) not in found]
        shown = sorted([*shown, *begun], key=lambda track: track.misses)[: self._max_faces]
        hidden = [track for track in self._tracks if track not in shown]
        self._tracks = [*shown, *hidden][:_REMEMBERED_TRACKS]
        self._confirm(image_rgb, shown)
        return [track for track in shown if self._still or track.is_trusted]

    def _confirm(self, image_rgb: NDArray[np.uint8], tracks: list[Track]) -> None:
        """Ask the strict landmark model about those that wear no mask, now and again until it agrees."""
        assert self._finder is not None
        for track in tracks:
            if track.is_due and not (track.confirmed or track.memory.worn):
                track.confirmed = self._finder.is_face(image_rgb, track.face)

    def _find(self, image_rgb: NDArray[np.uint8], interval_s: float) -> list[Face]:
        """Find the faces, or follow all of them where they were found a moment ago."""
        if self._finder is None:
            self._finder = FaceFinder(
                self._max_faces, video=not self._still, models_dir=self._models_dir
            )
        if self._flow is None:
            return self._finder(image_rgb)
        grey = cv2.cvtColor(image_rgb, cv2.COLOR_RGB2GRAY).astype(np.uint8, copy=False)
        self._since_found_s += interval_s
        followed: list[Face] = []
        if self._since_found_s < FOLLOWED_S:
            followed = self._flow.follow_all([track.face for track in self._in_sight], grey)
        self._flow.remember(grey)
        if followed:
            return followed
        self._since_found_s = 0.0
        return self._finder(image_rgb)

    @property
    def _in_sight(self) -> list[Track]:
        return [track for track in self._tracks if not track.motion.unseen_s]

    def _follow(self, faces: list[Face], interval_s: float) -> None:
        """Give each track the face that is its own; forget those out of sight for too long."""
        for track in self._tracks:
            track.motion.advance(interval_s)
        pairs = match([track.motion for track in self._tracks], [_place(face) for face in faces])
        for number, track in enumerate(self._tracks):
            if number not in pairs:
                track.misses, track.fresh = track.misses + 1, False
                continue
            face = faces[pairs[number]]
            track.fresh = track.motion.unseen_s > _SHOWN_UNSEEN_S
            if track.fresh:
                track.filter = OneEuro()
            track.face, track.misses, track.hits = face, 0, track.hits + 1
            track.motion.see(_place(face))
            track.matrix = face.matrix
            if self._smoothing:
                track.matrix = _to_matrix(track.filter(_to_vector(face.matrix), interval_s))
        self._tracks = [track for track in self._tracks if track.is_remembered]

    def _begin(self, face: Face, *, alone: bool) -> Track:
        smooth = OneEuro()
        smooth(_to_vector(face.matrix))
        motion = Motion(_place(face))
        return Track(
            next(self._numbers),
            face,
            face.matrix,
            smooth,
            motion,
            began_alone=alone,
            memory=CropMemory(smoothing=self._smoothing),
            texture=TextureMemory(smoothing=self._smoothing),
        )

    def reset(self) -> None:
        """Forget every track; numbers begin again."""
        self._tracks, self._since_found_s = [], 0.0
        self._numbers = itertools.count()
        if self._flow is not None:
            self._flow.forget()
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


def _place(face: Face) -> Place:
    return Place(face.centre, face.size)

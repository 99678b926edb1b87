"""Tracks faces from frame to frame: stable numbers, and optical flow between detections."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.align.affine import apply, invert
from realtime.frames import NOMINAL_INTERVAL_S, Face, TrackedFace
from realtime.settings import TRACK
from realtime.stages import Stage
from realtime.track.association import MotionModel, Place, match
from realtime.track.background_detection import BackgroundDetector
from realtime.track.optical_flow import OpticalFlow
from realtime.track.scene_cut import SceneCut
from realtime.track.track import Track

_CORNERS = np.array([[32.0, 30.0], [96, 30], [32, 90], [96, 90]])  # of the upper face, crop px


class Detector(Protocol):
    """Detects faces in pictures, as `realtime.detect.face_detector.FaceDetector` does."""

    def __call__(self, image_rgb: NDArray[np.uint8], /) -> list[Face]:
        """Find the faces of a picture, uint8 [H, W, 3] RGB, contiguous; the largest first."""
        ...

    def close(self) -> None:
        """Free the models."""
        ...


class FaceTracker(Stage[NDArray[np.uint8], list[TrackedFace]]):
    """Detects faces in some frames, and follows them by optical flow in between.

    Args:
        open_detector: opens a face detector, again after each `reset`.
        max_faces: at most this many.
        unrelated: frames are unrelated pictures: faces are detected in each, and nothing is remembered.
        detect_every_n: detect faces in the frames `detection_interval_s` apart alone, and follow them by
            optical flow in between.
        background: while faces are followed, detect in a thread of its own, and take its result when it is
            there: no frame waits for it.
    """

    def __init__(
        self,
        open_detector: Callable[[], Detector],
        max_faces: int = 4,
        *,
        unrelated: bool = False,
        detect_every_n: bool = True,
        background: bool = False,
    ) -> None:
        self._open_detector, self._max_faces = open_detector, max_faces
        self._unrelated, self._detect_every_n = unrelated, detect_every_n
        self._detector: Detector | None = None
        self._background = BackgroundDetector(self._detect) if background else None
        self._flow, self._scenes = OpticalFlow(), SceneCut()
        self.reset()

    def __call__(
        self, image_rgb: NDArray[np.uint8], interval_s: float = NOMINAL_INTERVAL_S
    ) -> list[TrackedFace]:
        """Take the next frame, uint8 [H, W, 3] RGB, contiguous; return the faces in view.

        A face that is out of sight is returned for a moment more, and its number is remembered for a
        second.
        """
        if self._unrelated:
            self._tracks, new = [], self._detect(image_rgb)
        else:
            grey = cv2.cvtColor(image_rgb, cv2.COLOR_RGB2GRAY).astype(np.uint8, copy=False)
            cut = self._scenes(grey)
            if cut:
                self._flow.forget()
                self._stop_background()
            faces = self._detect_or_follow(image_rgb, grey, interval_s)
            new = self._update_tracks(faces, grey, interval_s, cut=cut)
            self._flow.remember(grey)
        shown = [track for track in self._tracks if track.is_shown]
        begun = [self._new_track(face, alone=not shown) for face in new]
        shown = sorted([*shown, *begun], key=lambda track: track.misses)[: self._max_faces]
        shown_ids = {track.track_id for track in shown}
        hidden = [track for track in self._tracks if track.track_id not in shown_ids]
        self._tracks = [*shown, *hidden][: TRACK.most_tracks]
        return [track.snapshot() for track in shown if self._unrelated or track.is_trusted]

    @property
    def known_tracks(self) -> frozenset[int]:
        """The numbers of all tracks that are remembered."""
        return frozenset(track.track_id for track in self._tracks)

    def _detect(self, image_rgb: NDArray[np.uint8]) -> list[Face]:
        if self._detector is None:
            self._detector = self._open_detector()
        return self._detector(image_rgb)

    def _detect_or_follow(
        self, image_rgb: NDArray[np.uint8], grey: NDArray[np.uint8], interval_s: float
    ) -> list[Face]:
        """Detect the faces, or follow all of them by optical flow from the last frame."""
        self._since_detection_s += interval_s
        background = self._background
        found = background.take(grey) if background is not None else None
        if found is not None:
            return found
        in_sight = [track for track in self._tracks if track.is_in_sight]
        due = self._since_detection_s >= detection_interval_s(len(in_sight))
        if self._detect_every_n and (background is not None or not due):
            followed = self._flow.follow_all([track.face for track in in_sight], grey)
            if followed:
                if due and background is not None and not background.is_busy:
                    background.begin(image_rgb, grey)
                    self._since_detection_s = 0.0
                return followed
        self._since_detection_s = 0.0
        return self._detect(image_rgb) if background is None else background.now(image_rgb)

    def _stop_background(self) -> None:
        """Drop a running detection: its frame is of another scene."""
        if self._background is not None:
            self._background.discard()

    def _update_tracks(
        self, faces: Sequence[Face], grey: NDArray[np.uint8], interval_s: float, *, cut: bool
    ) -> list[Face]:
        """Update each track with its matching face; return the faces that match no track.

        Tracks that are out of sight for too long are forgotten.
        """
        in_sight = {track.track_id for track in self._tracks if track.is_in_sight}
        for track in self._tracks:
            track.motion.advance(interval_s)
        pairs = match([track.motion for track in self._tracks], [_place(face) for face in faces])
        for number, track in enumerate(self._tracks):
            if number not in pairs:
                track.misses += 1
                track.restarted |= cut
                continue
            face = faces[pairs[number]]
            if track.track_id in in_sight:
                face = self._checked_by_flow(track, face, grey)
            track.restarted |= cut or track.motion.unseen_s > TRACK.shown_unseen_s
            track.face, track.misses, track.hits = face, 0, track.hits + 1
            track.motion.update(_place(face))
        self._tracks = [track for track in self._tracks if track.is_remembered]
        return [face for index, face in enumerate(faces) if index not in pairs.values()]

    def _checked_by_flow(self, track: Track, face: Face, grey: NDArray[np.uint8]) -> Face:
        """Return the detection; the face that flow follows where the detection jumps and flow disagrees."""
        followed = None
        jumps = _distance_px(track.face, face) > TRACK.jump_px
        if jumps and track.overruled < TRACK.most_overruled:
            followed = self._flow.follow(track.face, grey)
        if followed is None or _distance_px(followed, face) < TRACK.jump_px:
            track.overruled = 0
            return face
        track.overruled += 1
        return followed

    def _new_track(self, face: Face, *, alone: bool) -> Track:
        return Track(next(self._numbers), face, MotionModel(_place(face)), began_alone=alone)

    def reset(self) -> None:
        """Forget every track; numbers begin again."""
        self._stop_background()
        self._tracks: list[Track] = []
        self._since_detection_s = 0.0
        self._numbers = itertools.count()
        self._flow.forget()
        self._scenes.forget()
        if not self._unrelated:
            self._close_detector()

    def close(self) -> None:
        """Free the models."""
        if self._background is not None:
            self._background.close()
        self._close_detector()

    def _close_detector(self) -> None:
        if self._detector is not None:
            self._detector.close()
            self._detector = None


def detection_interval_s(faces: int) -> float:
    """Seconds between two detections; the longer the more faces there are."""
    further = max(faces, 1) - 1
    return TRACK.detection_interval_s + TRACK.detection_interval_per_face_s * further


def _distance_px(one: Face, other: Face) -> float:
    """The largest distance between the upper face's corners by two detections, crop pixels."""
    ends = apply(one.matrix, apply(invert(other.matrix), _CORNERS))
    return float(np.hypot(*(ends - _CORNERS).T).max())


def _place(face: Face) -> Place:
    return Place(face.centre, face.size)

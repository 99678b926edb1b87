"""Runs MediaPipe Face Landmarker on a stream, and looks for new faces only now and then.

While it follows fewer faces than asked for, MediaPipe runs its detector in every frame. That is a third of
its time, and what the detector says throws faces off that are followed well. So as many faces as there are
are followed by a landmarker of their own, and the detector is asked in between whether there are more.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    import mediapipe as mp
    from mediapipe.tasks.python.vision.face_landmarker import FaceLandmarker, FaceLandmarkerResult

F = TypeVar("F")
_FRAME_MS = 33
_STEADY_FRAMES, _BACK_OFF_FRAMES, _DETECT_EVERY = 3, 60, 2
_REFUSED_FRAMES = 20  # so long what is no face to the landmark model is not looked at again


def open_landmarker(
    task: Path, faces: int, detection: float, presence: float, *, video: bool
) -> FaceLandmarker:
    """Load the landmark model.

    Args:
        task: `face_landmarker.task`.
        faces: at most so many.
        detection, presence: thresholds of the detector and of the landmark model, 0..1.
        video: pictures follow one another.
    """
    from mediapipe.tasks.python import BaseOptions, vision

    return vision.FaceLandmarker.create_from_options(
        vision.FaceLandmarkerOptions(
            base_options=BaseOptions(model_asset_path=str(task)),
            running_mode=vision.RunningMode.VIDEO if video else vision.RunningMode.IMAGE,
            num_faces=faces,
            min_face_detection_confidence=detection,
            min_face_presence_confidence=presence,
            min_tracking_confidence=presence,
        )
    )


class LandmarkStream(Generic[F]):
    """Landmarks of the faces in successive pictures.

    Args:
        open_for: opens a landmarker for so many faces.
        faces_of: turns its result on a picture into faces.
        detect: finds faces with the detector alone.
        is_same: whether two finds are of one face.
        max_faces: at most so many.
    """

    def __init__(
        self,
        open_for: Callable[[int], FaceLandmarker],
        faces_of: Callable[[FaceLandmarkerResult, mp.Image], list[F]],
        detect: Callable[[mp.Image], list[F]],
        is_same: Callable[[F, F], bool],
        max_faces: int,
    ) -> None:
        self._open_for, self._faces_of, self._detect = open_for, faces_of, detect
        self._is_same, self._max_faces = is_same, max_faces
        self._landmarker = open_for(max_faces)
        self._follows = max_faces  # as many as the open landmarker looks for
        self._time_ms = self._steady = self._calls = 0
        self._last: list[F] = []
        self._refused: list[F] = []
        self._refused_until = 0

    def __call__(self, picture: mp.Image) -> list[F]:
        """Find the faces of the next picture."""
        self._time_ms += _FRAME_MS
        faces = self._run(self._landmarker, picture)
        if self._follows < self._max_faces:
            self._calls += 1
            if not self._holds(faces, picture):
                faces = self._widen(faces, picture)
        else:
            there = 0 < len(faces) == len(self._last) < self._max_faces
            self._steady = self._steady + 1 if there else min(self._steady, 0)
            if self._steady >= _STEADY_FRAMES:
                self._narrow(faces, picture)
        self._last = faces
        return faces

    def _run(self, landmarker: FaceLandmarker, picture: mp.Image) -> list[F]:
        return self._faces_of(landmarker.detect_for_video(picture, self._time_ms), picture)

    def _holds(self, faces: list[F], picture: mp.Image) -> bool:
        """Whether these are the faces followed, and there is no other one."""
        if not self._are_known(faces, self._last) or len(faces) < self._follows:
            return False
        if self._calls % _DETECT_EVERY:
            return True
        if self._time_ms > self._refused_until:
            self._refused = []
        detected = self._detect(picture)
        if not self._are_known(detected, faces + self._refused):
            self._refused = [face for face in detected if not self._are_known([face], faces)]
            return False
        moved = [face for face in detected if not self._are_known([face], faces)]
        self._refused = moved or self._refused
        return True

    def _are_known(self, faces: list[F], known: list[F]) -> bool:
        return all(any(self._is_same(face, other) for other in known) for face in faces)

    def _narrow(self, faces: list[F], picture: mp.Image) -> None:
        """Follow these faces alone, if a landmarker that begins here finds them too."""
        narrow = self._open_for(len(faces))
        if self._are_known(faces, self._run(narrow, picture)):
            self._landmarker.close()
            self._landmarker, self._follows, self._calls = narrow, len(faces), 0
        else:  # one is held by being followed only
            narrow.close()
            self._steady = -_BACK_OFF_FRAMES

    def _widen(self, faces: list[F], picture: mp.Image) -> list[F]:
        """Look for all faces again; those followed until now stay."""
        held = [face for face in faces if self._are_known([face], self._last)]
        self._landmarker.close()
        self._landmarker, self._follows = self._open_for(self._max_faces), self._max_faces
        self._steady = 0
        self._refused_until = self._time_ms + _REFUSED_FRAMES * _FRAME_MS
        found = self._run(self._landmarker, picture)
        return found + [face for face in held if not self._are_known([face], found)]

    def close(self) -> None:
        """Free the MediaPipe graph."""
        self._landmarker.close()

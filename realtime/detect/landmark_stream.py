"""Runs MediaPipe Face Landmarker on a stream, and searches for new faces only in some frames.

While MediaPipe follows fewer faces than it was opened for, it runs its detector in every frame. That takes
a third of its time, and its detections disturb faces that are followed well. So a landmarker is opened for
exactly the faces that are there, and the detector alone is run in between to find new ones.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

from realtime.settings import DETECT

if TYPE_CHECKING:
    import mediapipe as mp
    from mediapipe.tasks.python.vision.face_landmarker import FaceLandmarker, FaceLandmarkerResult

F = TypeVar("F")
_FRAME_MS = 33  # MediaPipe's VIDEO mode asks for timestamps; only their order counts


def open_landmarker(
    task: Path, faces: int, detection: float, presence: float, *, video: bool
) -> FaceLandmarker:
    """Load the landmark model.

    Args:
        task: `face_landmarker.task`.
        faces: it finds at most this many.
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
        open_for: opens a landmarker for a number of faces.
        faces_of: turns its result on a picture into faces.
        detect: finds faces with the detector alone.
        is_same: whether two detections are of one face.
        max_faces: at most this many faces are returned.
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
        self._follows = max_faces  # the number of faces that the landmarker is open for
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
            if not self._are_all(faces, picture):
                faces = self._widen(faces, picture)
        else:
            there = 0 < len(faces) == len(self._last) < self._max_faces
            self._steady = self._steady + 1 if there else min(self._steady, 0)
            if self._steady >= DETECT.steady_frames:
                self._narrow(faces, picture)
        self._last = faces
        return faces

    def _run(self, landmarker: FaceLandmarker, picture: mp.Image) -> list[F]:
        return self._faces_of(landmarker.detect_for_video(picture, self._time_ms), picture)

    def _are_all(self, faces: list[F], picture: mp.Image) -> bool:
        """Whether these are the faces that were followed, and the detector finds no other one."""
        if not self._are_known(faces, self._last) or len(faces) < self._follows:
            return False
        if self._calls % DETECT.search_every_n:
            return True
        if self._time_ms > self._refused_until:
            self._refused = []
        detected = self._detect(picture)
        if not self._are_known(detected, faces + self._refused):
            self._refused = [face for face in detected if not self._are_known([face], faces)]
            return False
        refused = [face for face in detected if not self._are_known([face], faces)]
        self._refused = refused or self._refused
        return True

    def _are_known(self, faces: list[F], known: list[F]) -> bool:
        return all(any(self._is_same(face, other) for other in known) for face in faces)

    def _narrow(self, faces: list[F], picture: mp.Image) -> None:
        """Follow these faces alone, if a landmarker opened for them finds them in this picture too."""
        narrow = self._open_for(len(faces))
        if self._are_known(faces, self._run(narrow, picture)):
            self._landmarker.close()
            self._landmarker, self._follows, self._calls = narrow, len(faces), 0
        else:  # one of them is found only because the old landmarker follows it
            narrow.close()
            self._steady = -DETECT.retry_frames

    def _widen(self, faces: list[F], picture: mp.Image) -> list[F]:
        """Search for all faces again; those followed until now stay."""
        followed = [face for face in faces if self._are_known([face], self._last)]
        self._landmarker.close()
        self._landmarker, self._follows = self._open_for(self._max_faces), self._max_faces
        self._steady = 0
        self._refused_until = self._time_ms + DETECT.refused_frames * _FRAME_MS
        found = self._run(self._landmarker, picture)
        return found + [face for face in followed if not self._are_known([face], found)]

    def close(self) -> None:
        """Free the MediaPipe graph."""
        self._landmarker.close()

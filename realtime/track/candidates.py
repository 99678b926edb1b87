"""Candidates: large faces that the landmark model does not find, until the aligner found them again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from realtime.detect.face_finder import FaceFinder
from realtime.detect.face_geometry import is_same_face
from realtime.frames import Face
from realtime.settings import DETECT, TRACK


@dataclass(eq=False)
class _Candidate:
    """A face, the looks in a row that found it again, and the seconds since the last one."""

    face: Face
    agreeing: int = 0
    waited_s: float = 0.0


class Candidates:
    """Large faces of a stream that are looked at a few times before they are followed.

    Among the many things that a stream shows, some look like a large masked face in one frame. A face looks
    like one again and again.

    Args:
        finder: finds faces again.
    """

    def __init__(self, finder: FaceFinder) -> None:
        self._finder = finder
        self._candidates: list[_Candidate] = []

    @property
    def faces(self) -> list[Face]:
        """Where the candidates were found last."""
        return [one.face for one in self._candidates]

    def take(self, faces: Iterable[Face], shape: tuple[int, ...]) -> list[Face]:
        """Take the large faces without landmarks from new ones; return the others.

        Args:
            faces: new faces.
            shape: height and width of the frame, pixels.
        """
        others: list[Face] = []
        for face in faces:
            if face.landmarks is not None or face.size < DETECT.large_face * min(shape):
                others.append(face)
            elif not any(is_same_face(face, one) for one in self.faces):
                self._candidates.append(_Candidate(face))
        return others

    def look(self, image_bgr: NDArray[np.uint8], interval_s: float) -> list[Face]:
        """Look at the candidates whose turn it is, and forget those that are found no more.

        Args:
            image_bgr: uint8 [H, W, 3], BGR, the next frame.
            interval_s: seconds since the last frame.

        Returns:
            Those that were found often enough; they are candidates no longer.
        """
        sure: list[Face] = []
        left: list[_Candidate] = []
        for one in self._candidates:
            one.waited_s += interval_s
            if one.waited_s < TRACK.detection_interval_s:
                left.append(one)
                continue
            found = self._finder.find_again(image_bgr, one.face)
            if found is None or found.score < DETECT.large_face_score:
                continue
            one.face, one.agreeing, one.waited_s = found, one.agreeing + 1, 0.0
            if one.agreeing >= TRACK.agreeing_looks:
                sure.append(found)
            else:
                left.append(one)
        self._candidates = left
        return sure

    def clear(self) -> None:
        """Forget all of them."""
        self._candidates = []

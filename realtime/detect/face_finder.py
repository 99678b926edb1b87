"""Finds faces of any size, any way up: windows over the picture, and a second look at each detection."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from inpaint_model.third_party import find_face_landmarker
from realtime.detect.blazeface import Detection, merged
from realtime.detect.face_geometry import face_of_detection, face_of_landmarks, is_same_face
from realtime.detect.search_windows import Window, all_windows, large_windows
from realtime.detect.second_look import Look, SecondLook
from realtime.frames import Face
from realtime.settings import DETECT


class FaceFinder:
    """Finds faces in a picture or in parts of it, and finds a known face again.

    Args:
        models_dir: folder searched first for `face_landmarker.task`.
    """

    def __init__(self, models_dir: Path | None = None) -> None:
        self._looks = SecondLook(find_face_landmarker(models_dir))

    def find_all(self, image_bgr: NDArray[np.uint8]) -> list[Face]:
        """Find the faces of a picture, uint8 [H, W, 3] BGR; the largest first."""
        height, width = image_bgr.shape[:2]
        found: list[Look] = []
        for detection in self._detect(image_bgr, all_windows(width, height), DETECT.least_score):
            there = face_of_detection(detection)
            sure = [look.face for look in found if look.score >= DETECT.sure_face]
            if any(is_same_face(there, face) for face in sure):
                continue
            look = self._examine(image_bgr, detection)
            if look is not None:
                found.append(look)
        kept: list[Face] = []
        for look in sorted(found, key=lambda look: -look.score):
            if not any(is_same_face(look.face, face) for face in kept):
                kept.append(self._with_confirmation(image_bgr, look))
        return sorted(kept, key=lambda face: -face.size)

    def portrait(self, image_bgr: NDArray[np.uint8]) -> Face | None:
        """Find the largest upright face of a photograph, with landmarks; None where there is none.

        Small and rolled faces are not searched, so it takes a fraction of the time of `find_all`.

        Args:
            image_bgr: uint8 [H, W, 3], BGR.
        """
        windows = large_windows(image_bgr.shape[1], image_bgr.shape[0])
        detections = self._detect(image_bgr, windows, DETECT.least_stream_score)
        for detection in sorted(detections, key=lambda found: -found.size):
            look = self._looks.at_detection(image_bgr, detection)
            if look is not None and look.presence >= DETECT.sure_presence:
                return look.face
        return None

    def search(
        self,
        image_bgr: NDArray[np.uint8],
        windows: Iterable[Window],
        known: Sequence[Face],
        refused: Refused,
    ) -> Face | None:
        """Search parts of a stream's frame for a new face. Few detections are examined.

        Args:
            image_bgr: uint8 [H, W, 3], BGR.
            windows: the parts.
            known: faces that are followed.
            refused: remembers detections that are no faces.
        """
        left = DETECT.examined_a_frame
        for detection in self._detect(image_bgr, windows, DETECT.least_stream_score):
            there = face_of_detection(detection)
            if any(is_same_face(there, face) for face in known) or refused.holds(there):
                continue
            look = self._examine(image_bgr, detection)
            if look is None:
                refused.add(there)
            elif not any(is_same_face(look.face, face) for face in known):
                return self._with_confirmation(image_bgr, look)
            left -= 1
            if not left:
                break
        return None

    def _detect(
        self, image_bgr: NDArray[np.uint8], windows: Iterable[Window], least_score: float
    ) -> list[Detection]:
        """Detect faces in windows; leave out what the border's reflection shows."""
        height, width = image_bgr.shape[:2]
        detections = [
            found
            for window in windows
            for found in self._looks.detector(image_bgr, window.to_square, least_score)
            if 0 <= found.centre[0] < width
            and 0 <= found.centre[1] < height
            and found.size >= DETECT.least_face_px
        ]
        return merged(detections)

    def _examine(self, image_bgr: NDArray[np.uint8], detection: Detection) -> Look | None:
        """Decide whether a detection is a face; None where it is none.

        Few faces are rolled by more than 45 degrees: of those the aligner must be sure. False faces that
        are upright are small.
        """
        look = self._looks.at_detection(image_bgr, detection)
        if look is None or not _is_plain(look):
            return None
        x, y = look.face.keypoints[1] - look.face.keypoints[0]
        is_large = look.face.size >= DETECT.large_face * min(image_bgr.shape[:2])
        least = DETECT.large_face_score if is_large else DETECT.face_score
        return look if look.score >= (least if x > abs(y) else DETECT.sure_face) else None

    def _with_confirmation(self, image_bgr: NDArray[np.uint8], look: Look) -> Face:
        """Confirm a face that both networks recognise: masks lower the landmark model's score."""
        masked = look.mask >= DETECT.sure_mask and look.presence >= DETECT.sure_presence
        sure = look.score >= DETECT.sure_face
        confirmed = sure and (masked or self.confirms(image_bgr, look.face))
        return replace(look.face, confirmed=confirmed, score=look.score, mask_score=look.mask)

    def is_face(self, image_bgr: NDArray[np.uint8], face: Face) -> bool:
        """Whether a followed face still is one: the landmark model recognises it, or it wears a mask."""
        look = self._looks.at_face(image_bgr, face.matrix)
        return look is not None and _is_plain(look)

    def confirms(self, image_bgr: NDArray[np.uint8], face: Face) -> bool:
        """Whether the landmark model surely recognises a face, as it is and mirrored."""
        return self._looks.recognises(image_bgr, face)

    def mask_score(self, image_bgr: NDArray[np.uint8], face: Face) -> float:
        """Return the probability that a followed face wears a mask, 0..1."""
        return self._looks.mask_score(image_bgr, face.matrix)

    def find_again(self, image_bgr: NDArray[np.uint8], face: Face) -> Face | None:
        """Find a face again near the place where it was last seen.

        Args:
            image_bgr: uint8 [H, W, 3], BGR, a later frame.
            face: where it should be.

        Returns:
            Where it is; None where neither the landmark model nor the detector finds it.
        """
        landmarks, presence = self._looks.mesh(image_bgr, face.matrix)
        if presence >= DETECT.sure_presence:
            found = face_of_landmarks(landmarks)
            return replace(found, confirmed=face.confirmed, mask_score=face.mask_score)
        look = self._looks.at_face(image_bgr, face.matrix)
        if look is None:
            return None
        confirmed = face.confirmed and look.face.landmarks is not None
        return replace(look.face, confirmed=confirmed, score=look.score, mask_score=look.mask)

    def close(self) -> None:
        """Free the models."""
        self._looks.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _is_plain(look: Look) -> bool:
    """Whether the landmark model recognises a face, or the aligner sees its mask."""
    return look.presence >= DETECT.sure_presence or look.mask >= DETECT.least_mask


class Refused:
    """Remembers for a moment which detections of a stream were no faces, so that others have their turn."""

    def __init__(self) -> None:
        self._until_s: list[tuple[Face, float]] = []
        self._now_s = 0.0

    def advance(self, interval_s: float) -> None:
        """Take the time of the next frame, seconds after the last one."""
        self._now_s += interval_s
        self._until_s = [one for one in self._until_s if one[1] > self._now_s]

    def add(self, face: Face) -> None:
        """Remember a detection that is no face."""
        self._until_s.append((face, self._now_s + DETECT.refused_s))

    def holds(self, face: Face) -> bool:
        """Whether a detection is one that is left alone."""
        return any(is_same_face(face, refused) for refused, _ in self._until_s)

    def clear(self) -> None:
        """Forget all of them."""
        self._until_s = []

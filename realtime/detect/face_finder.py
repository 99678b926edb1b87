"""Finds faces of any size, any way up: windows over the picture, and a second look at each detection."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from inpaint_model.artefacts import find_face_landmarker
from realtime.detect.blazeface import Detection, merged
from realtime.detect.face_geometry import face_of_detection, face_of_landmarks, is_same_face
from realtime.detect.search_windows import Window, all_windows, large_windows
from realtime.detect.second_look import Look, SecondLook
from realtime.frames import Face
from realtime.settings import DETECT


class MaskStrength(Protocol):
    """Says how surely a face wears a mask, as `realtime.segment.mask_strength.MaskStrength` does."""

    def __call__(self, image_rgb: NDArray[np.uint8], to_canonical: NDArray[np.float64], /) -> float:
        """Return 0..1 for a picture, uint8 [H, W, 3] RGB, and a face's canonical transform."""
        ...

    def close(self) -> None:
        """Free the model."""
        ...


class _Examined(NamedTuple):
    """A face, how much speaks for it, and whether the detector is sure of it."""

    face: Face
    evidence: float
    is_sure: bool


class FaceFinder:
    """Finds faces in a picture or in parts of it, and finds a known face again.

    Args:
        mask_strength: what says how surely a mask is worn. Without it only faces that the landmark model
            recognises are found.
        models_dir: folder searched first for `face_landmarker.task`.
    """

    def __init__(
        self, mask_strength: MaskStrength | None = None, models_dir: Path | None = None
    ) -> None:
        self._looks = SecondLook(find_face_landmarker(models_dir))
        self._mask_strength = mask_strength

    def find_all(self, image_rgb: NDArray[np.uint8]) -> list[Face]:
        """Find the faces of a picture, uint8 [H, W, 3] RGB; the largest first."""
        height, width = image_rgb.shape[:2]
        found: list[_Examined] = []
        for detection in self._detect(image_rgb, all_windows(width, height), DETECT.least_score):
            there = face_of_detection(detection)
            sure = [one.face for one in found if one.evidence > DETECT.sure_evidence]
            if any(is_same_face(there, face) for face in sure):
                continue
            examined = self._examine(image_rgb, detection)
            if examined is not None:
                found.append(examined)
        kept: list[Face] = []
        for one in sorted(found, key=lambda one: -one.evidence):
            if not any(is_same_face(one.face, face) for face in kept):
                kept.append(self._with_confirmation(image_rgb, one))
        return sorted(kept, key=lambda face: -face.size)

    def portrait(self, image_rgb: NDArray[np.uint8]) -> Face | None:
        """Find the largest upright face of a photograph, with landmarks; None where there is none.

        Small and rolled faces are not searched, so it takes a fraction of the time of `find_all`.

        Args:
            image_rgb: uint8 [H, W, 3], RGB.
        """
        windows = large_windows(image_rgb.shape[1], image_rgb.shape[0])
        detections = self._detect(image_rgb, windows, DETECT.confirming_score)
        for detection in sorted(detections, key=lambda found: -found.size):
            look = self._looks.at_detection(image_rgb, detection, 0.0)
            if look is not None and look.presence >= DETECT.sure_presence:
                return look.face
        return None

    def search(
        self,
        image_rgb: NDArray[np.uint8],
        windows: Iterable[Window],
        known: Sequence[Face],
        refused: Refused,
    ) -> Face | None:
        """Search parts of a stream's frame for a new face. At most one detection is examined.

        Args:
            image_rgb: uint8 [H, W, 3], RGB.
            windows: the parts.
            known: faces that are followed.
            refused: remembers detections that are no faces.
        """
        for detection in self._detect(image_rgb, windows, DETECT.least_stream_score):
            there = face_of_detection(detection)
            if any(is_same_face(there, face) for face in known) or refused.holds(there):
                continue
            examined = self._examine(image_rgb, detection)
            if examined is None:
                refused.add(there)
            elif not any(is_same_face(examined.face, face) for face in known):
                return self._with_confirmation(image_rgb, examined)
            return None
        return None

    def _detect(
        self, image_rgb: NDArray[np.uint8], windows: Iterable[Window], least_score: float
    ) -> list[Detection]:
        """Detect faces in windows; leave out what the border's reflection shows."""
        height, width = image_rgb.shape[:2]
        detections = [
            found
            for window in windows
            for found in self._looks.detector(image_rgb, window.to_square, least_score)
            if 0 <= found.centre[0] < width
            and 0 <= found.centre[1] < height
            and found.size >= DETECT.least_face_px
        ]
        return merged(detections)

    def _examine(self, image_rgb: NDArray[np.uint8], detection: Detection) -> _Examined | None:
        """Decide whether a detection is a face, and which way up it is.

        All four orientations are looked at, because the detector easily takes the chin of a masked face for
        a forehead. A face is one that the landmark model recognises or that wears a mask.
        """
        best, best_value = None, 0.0
        for turns in range(4):
            look = self._looks.at_detection(image_rgb, detection, turns * np.pi / 2)
            if look is None:
                continue
            value = self._evidence(image_rgb, look)
            x, y = look.face.keypoints[1] - look.face.keypoints[0]
            least = DETECT.least_evidence if x > abs(y) else DETECT.least_rolled_evidence
            if value > max(best_value, least):
                best, best_value = look, value
        if best is None:
            return None
        return _Examined(best.face, best_value, best.score >= DETECT.confirming_score)

    def _with_confirmation(self, image_rgb: NDArray[np.uint8], examined: _Examined) -> Face:
        confirmed = examined.is_sure and self.confirms(image_rgb, examined.face)
        return replace(examined.face, confirmed=confirmed)

    def _evidence(self, image_rgb: NDArray[np.uint8], look: Look) -> float:
        """How much speaks for a face in one orientation; 0 where it is neither recognised nor masked."""
        mask = 0.0
        if self._mask_strength is not None:
            mask = self._mask_strength(image_rgb, look.face.matrix)
        recognised = look.presence >= DETECT.sure_presence and look.score >= DETECT.recognised_score
        if not recognised and mask < DETECT.least_mask_strength:
            return 0.0
        return look.score + DETECT.presence_weight * look.presence + DETECT.mask_weight * mask

    def is_face(self, image_rgb: NDArray[np.uint8], face: Face) -> bool:
        """Whether a followed face still is one: the landmark model recognises it, or it wears a mask."""
        look = self._looks.at_face(image_rgb, face.matrix)
        least = DETECT.least_followed_evidence
        return look is not None and self._evidence(image_rgb, look) >= least

    def confirms(self, image_rgb: NDArray[np.uint8], face: Face) -> bool:
        """Whether the landmark model surely recognises a face, as it is and mirrored."""
        return self._looks.recognises(image_rgb, face)

    def find_again(self, image_rgb: NDArray[np.uint8], face: Face) -> Face | None:
        """Find a face again near the place where it was last seen.

        Args:
            image_rgb: uint8 [H, W, 3], RGB, a later frame.
            face: where it should be.

        Returns:
            Where it is; None where neither the landmark model nor the detector finds it.
        """
        landmarks, presence = self._looks.mesh(image_rgb, face.matrix)
        if presence >= DETECT.sure_presence:
            return replace(face_of_landmarks(landmarks), confirmed=face.confirmed)
        look = self._looks.at_face(image_rgb, face.matrix)
        if look is None or look.score < DETECT.look_score:
            return None
        confirmed = face.confirmed and look.face.landmarks is not None
        return replace(look.face, confirmed=confirmed)

    def close(self) -> None:
        """Free the models."""
        self._looks.close()
        if self._mask_strength is not None:
            self._mask_strength.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@dataclass(eq=False)
class _NoFace:
    """A detection that was no face: how often it was examined, and until when it is left alone, seconds."""

    face: Face
    times: int
    until_s: float


class Refused:
    """Remembers which detections of a stream were no faces; each is examined more and more rarely."""

    def __init__(self) -> None:
        self._known: list[_NoFace] = []
        self._now_s = 0.0

    def advance(self, interval_s: float) -> None:
        """Take the time of the next frame, seconds after the last one."""
        self._now_s += interval_s
        oldest_s = self._now_s - DETECT.refused_s
        self._known = [one for one in self._known if one.until_s > oldest_s]

    def add(self, face: Face) -> None:
        """Remember a detection that is no face."""
        times = 1 + max(
            (one.times for one in self._known if is_same_face(face, one.face)), default=0
        )
        wait_s = min(DETECT.refused_s * 2.0 ** (times - 1), DETECT.most_refused_s)
        self._known = [one for one in self._known if not is_same_face(face, one.face)]
        self._known.append(_NoFace(face, times, self._now_s + wait_s))

    def holds(self, face: Face) -> bool:
        """Whether a detection is one that is left alone."""
        return any(
            one.until_s > self._now_s and is_same_face(face, one.face) for one in self._known
        )

    def clear(self) -> None:
        """Forget all of them."""
        self._known = []

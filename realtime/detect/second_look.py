"""The second look at a face: aligned, turned upright, and asked for its landmarks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inpaint_model.model_files import Artefact
from realtime.align.affine import apply, compose, invert, scale_of
from realtime.align.canonical_crop import MIRROR, similarity_from_landmarks
from realtime.detect.blazeface import BlazeFace, Detection
from realtime.detect.face_aligner import Alignment, FaceAligner
from realtime.detect.face_geometry import face_of_alignment, face_of_landmarks
from realtime.detect.face_mesh import FaceMesh
from realtime.frames import Face
from realtime.settings import DETECT

# Where the detector's box of a face lies in its canonical crop.
_CENTRE = np.array([63.5, 64.0])  # x and y, crop px
_DETECTED_PX = 77.5  # side, crop px
_PASSES = 2  # before the last one: an alignment does not change much any more
# How far a known face may seem to have changed from where it was followed to.
_MOST_KNOWN_ZOOM, _MOST_KNOWN_ROLL = 1.4, np.deg2rad(35.0)
_MOST_OFF_PX = 38.4  # distance, crop px
_NONE = Alignment(0.0, 0.0, np.eye(2, 3))


@dataclass(frozen=True, eq=False)
class Look:
    """What the networks say of one face.

    Attributes:
        face: with landmarks where the landmark model gives any.
        score: the aligner's probability that it is a face, 0..1.
        mask: its probability that the face wears a mask, 0..1.
        presence: the landmark model's presence score, 0..1.
    """

    face: Face
    score: float
    mask: float
    presence: float


class SecondLook:
    """Asks the face aligner and the landmark model about one face whose place is roughly known.

    Args:
        task: `face_landmarker.task`, which holds the detector and the landmark model.

    Attributes:
        detector, mesh: the networks.
    """

    def __init__(self, task: Artefact) -> None:
        self.detector, self.mesh = BlazeFace(task), FaceMesh(task)
        self._aligner = FaceAligner()

    def close(self) -> None:
        """Free the networks."""
        for network in (self.detector, self.mesh, self._aligner):
            network.close()

    def at_detection(self, image_bgr: NDArray[np.uint8], detection: Detection) -> Look | None:
        """Look at a detection; its points are not trusted, and it is looked at in all orientations.

        Args:
            image_bgr: uint8 [H, W, 3], BGR.
            detection: where the face should be.

        Returns:
            None where there is no face.
        """
        best, zooms = _NONE, DETECT.look_zooms
        if detection.size >= DETECT.close_up_share * min(image_bgr.shape[:2]):
            zooms = (*zooms, DETECT.close_up_zoom)
        for zoom in zooms:
            for turns in range(4):
                roll = detection.roll + turns * np.pi / 2
                found = self._align(image_bgr, _crop_about(detection, zoom, roll))
                if found is not None and found.face > best.face:
                    best = found
            if best.face >= DETECT.sure_face:
                break
        return self._landmarked(image_bgr, best) if best.face >= DETECT.large_face_score else None

    def at_face(
        self, image_bgr: NDArray[np.uint8], to_canonical: NDArray[np.float64]
    ) -> Look | None:
        """Look where a followed face's canonical transform, float64 [2, 3], says that it is.

        Returns:
            None where there is no face any more.
        """
        found = self._align(image_bgr, to_canonical)
        if found is None or found.face < DETECT.followed_face:
            return None
        if not _is_near(found.to_canonical, to_canonical):
            return None
        return self._landmarked(image_bgr, found)

    def recognises(self, image_bgr: NDArray[np.uint8], face: Face) -> bool:
        """Whether the landmark model surely recognises a face, as it is and mirrored."""
        for matrix in (face.matrix, compose(MIRROR, face.matrix)):
            if self.mesh(image_bgr, matrix)[1] < DETECT.confirming_presence:
                return False
        return True

    def mask_score(self, image_bgr: NDArray[np.uint8], to_canonical: NDArray[np.float64]) -> float:
        """Return the aligner's probability that an aligned face wears a mask, 0..1."""
        one, other = self._in_both_poses(image_bgr, to_canonical)
        return (one.mask + other.mask) / 2

    def _in_both_poses(
        self, image_bgr: NDArray[np.uint8], to_canonical: NDArray[np.float64]
    ) -> list[Alignment]:
        """Ask the aligner about a crop as it is and mirrored."""
        return [
            self._aligner(image_bgr, to_canonical, mirrored=mirrored) for mirrored in (False, True)
        ]

    def _align(
        self, image_bgr: NDArray[np.uint8], to_canonical: NDArray[np.float64]
    ) -> Alignment | None:
        """Align a face in several passes; its scores are the means of it as it is and mirrored.

        Returns:
            None where the aligner sees no face.
        """
        found = Alignment(1.0, 0.0, to_canonical)
        for _ in range(_PASSES):
            found = self._aligner(image_bgr, found.to_canonical)
            if found.face < DETECT.glance_score:
                return None
        one, other = self._in_both_poses(image_bgr, found.to_canonical)
        mean = (one.to_canonical + other.to_canonical) / 2
        return Alignment((one.face + other.face) / 2, (one.mask + other.mask) / 2, mean)

    def _landmarked(self, image_bgr: NDArray[np.uint8], found: Alignment) -> Look:
        """Ask the landmark model about an aligned face."""
        landmarks, presence = self.mesh(image_bgr, found.to_canonical)
        if presence >= DETECT.sure_presence:  # its own landmarks place the region better
            landmarks, _ = self.mesh(image_bgr, similarity_from_landmarks(landmarks))
        if presence >= DETECT.landmark_presence:
            face = face_of_landmarks(landmarks)
        else:
            face = face_of_alignment(found.to_canonical)
        return Look(face, found.face, found.mask, presence)


def _crop_about(detection: Detection, zoom: float, roll: float) -> NDArray[np.float64]:
    """The canonical transform of a face that is larger than detected, with its eyes level at an angle."""
    scale = _DETECTED_PX / (zoom * detection.size)
    cos, sin = scale * np.cos(roll), scale * np.sin(roll)
    linear = np.array([[cos, sin], [-sin, cos]])
    return np.column_stack([linear, _CENTRE - linear @ detection.centre])


def _is_near(one: NDArray[np.float64], other: NDArray[np.float64]) -> bool:
    """Whether two canonical transforms can be of one face in one frame."""
    change = compose(one, invert(other))
    zoom, turn = abs(np.log(scale_of(change))), abs(np.arctan2(change[1, 0], change[0, 0]))
    off = float(np.hypot(*(apply(change, _CENTRE[None])[0] - _CENTRE)))
    near = off < _MOST_OFF_PX and zoom < np.log(_MOST_KNOWN_ZOOM)
    return bool(near and turn < _MOST_KNOWN_ROLL)

"""The second look at a face: enlarged and turned upright, as it is and mirrored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inpaint_model.artefacts import Artefact
from realtime.align.affine import apply, compose, invert, scale_of
from realtime.align.canonical_crop import similarity_from_keypoints, similarity_from_landmarks
from realtime.detect.blazeface import BlazeFace, Detection
from realtime.detect.face_geometry import face_of_detection, face_of_landmarks
from realtime.detect.face_mesh import FaceMesh
from realtime.detect.search_windows import SQUARE_PX, square_about
from realtime.frames import Face
from realtime.settings import DETECT

# The square of a second look in the canonical crop: where the detector sees a face of the usual size.
_CENTRE = np.array([63.5, 64.0])  # x and y, crop px
_DETECTED_PX = 77.5  # side of the detector's box, crop px
_MIRROR = np.array([[-1.0, 0.0, SQUARE_PX - 1], [0.0, 1.0, 0.0]])  # of the square
_MIRRORED_POINTS = [1, 0, 2, 3, 5, 4]  # order of the six points after left and right are exchanged
_MOST_OFF = 0.4  # distance of a detection from the square's centre, in sizes of the face
_MOST_ZOOM, _MOST_KNOWN_ZOOM = 2.0, 1.4  # of a detection's size, of a new and of a known face
_LEVEL = np.deg2rad(15.0)  # roll of a detection up to which it is not looked at again, radians
# Roll of a detection in a square that should show a new or a known face upright, radians.
_MOST_ROLL, _MOST_KNOWN_ROLL = np.deg2rad(60.0), np.deg2rad(35.0)


@dataclass(frozen=True, eq=False)
class Look:
    """What the networks say of one face in one orientation.

    Attributes:
        face: with landmarks where the landmark model gives any.
        score: the detector's mean score as it is and mirrored, 0..1.
        presence: the landmark model's presence score, 0..1.
    """

    face: Face
    score: float
    presence: float


class SecondLook:
    """Asks the detector and the landmark model about one face whose place is roughly known.

    Args:
        task: `face_landmarker.task`, which holds both.

    Attributes:
        detector, mesh: the networks.
    """

    def __init__(self, task: Artefact) -> None:
        self.detector, self.mesh = BlazeFace(task), FaceMesh(task)

    def close(self) -> None:
        """Free both networks."""
        self.detector.close()
        self.mesh.close()

    def at_detection(
        self, image_rgb: NDArray[np.uint8], detection: Detection, roll: float
    ) -> Look | None:
        """Look at a detection in one orientation.

        Args:
            image_rgb: uint8 [H, W, 3], RGB.
            detection: where the face should be; its points are not trusted.
            roll: direction from the right eye to the left one that is looked for, radians, give or take
                60 degrees.

        Returns:
            None where there is no face in that orientation.
        """
        shares = DETECT.look_shares
        place = detection.centre, detection.size, roll
        if not any(self._glance(image_rgb, *place, share) for share in DETECT.glance_shares):
            return None
        found = self._detect(image_rgb, *place, shares)
        if found is None or found.score < DETECT.look_score:
            return None
        if _turn(found.roll, roll) > _LEVEL:
            again = self._detect(image_rgb, found.centre, found.size, found.roll, shares)
            found = again or found
        return self._landmarked(image_rgb, found)

    def _glance(
        self,
        image_rgb: NDArray[np.uint8],
        centre: NDArray[np.float64],
        size: float,
        roll: float,
        share: float,
    ) -> bool:
        """Whether the detector finds anything in one square, as it is: cheap, and enough to refuse most."""
        found = self._detect(image_rgb, centre, size, roll, (share,), both=False)
        return found is not None and found.score >= DETECT.glance_score

    def at_face(
        self, image_rgb: NDArray[np.uint8], to_canonical: NDArray[np.float64]
    ) -> Look | None:
        """Look where a face's canonical transform, float64 [2, 3], says that it is."""
        centre = apply(invert(to_canonical), _CENTRE[None])[0]
        size, roll = _DETECTED_PX / scale_of(to_canonical), _roll_of(to_canonical)
        found = self._detect(image_rgb, centre, size, roll, (DETECT.look_share,))
        if found is None:
            return None
        zoom = abs(float(np.log(found.size / size)))
        if zoom > np.log(_MOST_KNOWN_ZOOM) or _turn(found.roll, roll) > _MOST_KNOWN_ROLL:
            return None
        return self._landmarked(image_rgb, found)

    def recognises(self, image_rgb: NDArray[np.uint8], face: Face) -> bool:
        """Whether the landmark model surely recognises a face, as it is and mirrored."""
        upright = face.matrix
        for matrix in (upright, compose(_MIRROR, upright)):
            if self.mesh(image_rgb, matrix)[1] < DETECT.confirming_presence:
                return False
        return True

    def _landmarked(self, image_rgb: NDArray[np.uint8], detection: Detection) -> Look:
        """Ask the landmark model about a detection."""
        landmarks, presence = self.mesh(image_rgb, similarity_from_keypoints(detection.points))
        if (
            presence >= DETECT.sure_presence
        ):  # the landmarks place the region better than the detector
            face = face_of_landmarks(self.mesh(image_rgb, similarity_from_landmarks(landmarks))[0])
        elif presence >= DETECT.landmark_presence:
            face = face_of_landmarks(landmarks)
        else:
            face = face_of_detection(detection)
        return Look(face, detection.score, presence)

    def _detect(
        self,
        image_rgb: NDArray[np.uint8],
        centre: NDArray[np.float64],
        size: float,
        roll: float,
        shares: Sequence[float],
        *,
        both: bool = True,
    ) -> Detection | None:
        """Detect a face in squares about it, as they are and mirrored.

        Args:
            image_rgb: uint8 [H, W, 3], RGB.
            centre, size: of the face, pixels.
            roll: that turns the squares upright, radians.
            shares: size of the face in each square, of the square's side.
            both: False leaves out the mirrored squares.

        Returns:
            The mean of the detections, weighted by score; its own score is the sum of theirs over the
            number of squares. None where the face is nowhere detected.
        """
        seen = []
        for share in shares:
            to_square = square_about(centre, size / share, roll)
            for mirrored in (False, True)[: 1 + both]:
                view = compose(_MIRROR, to_square) if mirrored else to_square
                for found in self.detector(image_rgb, view, DETECT.least_look_score):
                    if mirrored:
                        found = found._replace(points=found.points[_MIRRORED_POINTS])
                    inside = (found.centre >= 0).all() and (
                        found.centre < image_rgb.shape[1::-1]
                    ).all()
                    if inside and _is_of(found, centre, size, roll):
                        seen.append(found)
                        break
        if not seen:
            return None
        weights = np.array([one.score for one in seen])
        score = float(weights.sum()) / ((1 + both) * len(shares))
        weights /= weights.sum()
        return Detection(
            score,
            np.tensordot(weights, [one.centre for one in seen], 1),
            float(weights @ [one.size for one in seen]),
            np.tensordot(weights, [one.points for one in seen], 1),
        )


def _is_of(found: Detection, centre: NDArray[np.float64], size: float, roll: float) -> bool:
    """Whether a detection is of the face at a place, and in its orientation."""
    if np.hypot(*(found.centre - centre)) > _MOST_OFF * size:
        return False
    zoom = abs(float(np.log(found.size / size)))
    return zoom < np.log(_MOST_ZOOM) and _turn(found.roll, roll) < _MOST_ROLL


def _turn(one: float, other: float) -> float:
    """Angle between two directions, radians, 0..pi."""
    return abs((one - other + np.pi) % (2 * np.pi) - np.pi)


def _roll_of(to_canonical: NDArray[np.float64]) -> float:
    """Direction from the right eye to the left one in the picture, radians."""
    return float(np.arctan2(to_canonical[0, 1], to_canonical[0, 0]))

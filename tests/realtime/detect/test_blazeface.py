"""The detector on a real photograph: where it says that the face is, whatever the square shows of it."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import pytest

from inpaint_model.third_party import find_face_landmarker
from realtime.detect.blazeface import BlazeFace, Detection, merged
from realtime.detect.search_windows import square_about
from realtime.frames import Face
from tests.realtime.making_faces import of_rgb

LEAST_SCORE = 0.5


@pytest.fixture(scope="module")
def detector() -> Iterator[BlazeFace]:
    detector = BlazeFace(find_face_landmarker())
    yield of_rgb(detector)
    detector.close()


def best(detector: BlazeFace, image_rgb, x: float, y: float, side: float, roll: float) -> Detection:
    return detector(image_rgb, square_about(np.array([x, y]), side, roll), LEAST_SCORE)[0]


@pytest.mark.parametrize(
    ("x", "y", "side", "roll"),
    [(224, 130, 300, 0.0), (200, 160, 300, 0.0), (224, 120, 420, 0.0), (240, 110, 240, 0.4)],
)
def test_detection_lies_on_the_face(
    detector, astronaut_rgb, astronaut_face: Face, x, y, side, roll
):
    found = best(detector, astronaut_rgb, x, y, side, roll)
    assert 0.8 < found.score <= 1
    assert np.abs(found.points[:3] - astronaut_face.keypoints[:3]).max() < 4
    assert np.abs(found.points[3] - astronaut_face.keypoints[3:].mean(0)).max() < 10  # she smiles
    assert found.size == pytest.approx(0.93 * astronaut_face.size, rel=0.06)
    x0, y0, x1, y1 = astronaut_face.box
    assert np.abs(found.centre - ((x0 + x1) / 2, (y0 + y1) / 2)).max() < 7


def test_detection_turned_face_is_turned_as_the_picture(detector, astronaut_rgb):
    clockwise = cv2.getRotationMatrix2D((224, 130), -40, 1.0)
    turned = np.asarray(cv2.warpAffine(astronaut_rgb, clockwise, (512, 512)), np.uint8)
    upright, askew = (best(detector, one, 224, 130, 300, 0.0) for one in (astronaut_rgb, turned))
    assert np.rad2deg(askew.roll - upright.roll) == pytest.approx(40, abs=4)


def test_detection_where_no_face_is_seen_is_none(detector, astronaut_rgb):
    for x, y, side in ((80, 60, 100), (420, 420, 150)):
        square = square_about(np.array([x, y], float), side, 0.0)
        assert detector(astronaut_rgb, square, LEAST_SCORE) == []


def test_merged_detections_of_one_face_are_one(detector, astronaut_rgb):
    """Two people side by side, each seen in two squares."""
    two = np.concatenate([astronaut_rgb, astronaut_rgb], axis=1)
    found = [
        best(detector, two, x + right, 130, side, 0.0)
        for right in (0, 512)
        for x, side in ((224, 300), (210, 400))
    ]
    faces = merged(found)
    assert len(faces) == 2
    assert faces[0].score == max(one.score for one in found) >= faces[1].score
    for face in faces:
        parts = [one for one in found if abs(one.centre[0] - face.centre[0]) < 50]
        for low, value, high in (
            (min(p.size for p in parts), face.size, max(p.size for p in parts)),
            (
                min(p.points[3, 1] for p in parts),
                face.points[3, 1],
                max(p.points[3, 1] for p in parts),
            ),
        ):
            assert low <= value <= high
    assert merged([]) == []

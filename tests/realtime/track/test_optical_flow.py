"""Optical flow says where a face went, or that it does not know."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from realtime.align.affine import apply
from realtime.detect.face_finder import FaceFinder
from realtime.detect.face_geometry import moved, scaled_and_shifted
from realtime.frames import Face
from realtime.track.optical_flow import OpticalFlow
from tests.realtime.making_faces import make_tracker


def grey_of(image_rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(cv2.cvtColor(image_rgb, cv2.COLOR_RGB2GRAY), dtype=np.uint8)


@pytest.fixture
def flow(astronaut_rgb: NDArray[np.uint8]) -> OpticalFlow:
    flow = OpticalFlow()
    flow.remember(grey_of(astronaut_rgb))
    return flow


@pytest.mark.parametrize(
    ("degrees", "zoom", "shift"), [(0.0, 1.0, (5, -3)), (3.0, 1.03, (2, 4)), (0.0, 1.0, (0, 0))]
)
def test_optical_flow_shifted_face_is_followed(
    flow: OpticalFlow,
    astronaut_rgb: NDArray[np.uint8],
    astronaut_face: Face,
    degrees: float,
    zoom: float,
    shift: tuple[int, int],
) -> None:
    move = cv2.getRotationMatrix2D((224, 120), degrees, zoom)
    move[:, 2] += shift
    later = cv2.warpAffine(astronaut_rgb, move, (512, 512)).astype(np.uint8)
    found = flow.follow(astronaut_face, grey_of(later))
    assert found is not None
    assert found.keypoints == pytest.approx(apply(move, astronaut_face.keypoints), abs=0.7)
    centre = astronaut_face.keypoints.mean(0, keepdims=True)
    assert apply(found.matrix, apply(move, centre)) == pytest.approx(
        apply(astronaut_face.matrix, centre), abs=0.7
    )


def test_optical_flow_covered_or_cut_face_is_lost(
    flow: OpticalFlow, astronaut_rgb: NDArray[np.uint8], astronaut_face: Face
) -> None:
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 255, (512, 512), dtype=np.uint8)
    assert flow.follow(astronaut_face, noise) is None
    assert flow.follow(astronaut_face, grey_of(astronaut_rgb)[:300]) is None
    flow.forget()
    assert flow.follow(astronaut_face, grey_of(astronaut_rgb)) is None


def test_optical_flow_face_partly_covered_or_outside(
    flow: OpticalFlow, astronaut_rgb: NDArray[np.uint8], astronaut_face: Face
) -> None:
    """It is followed while most of the upper face is seen; from half of it nothing is claimed."""
    grey = grey_of(astronaut_rgb)
    noise = np.random.default_rng(0).integers(0, 255, (512, 512), dtype=np.uint8)
    for covered, seen in ((12, True), (75, False)):
        now = grey.copy()
        now[:, 175 : 175 + covered] = noise[:, :covered]
        assert (flow.follow(astronaut_face, now) is not None) == seen
    for shift, seen in ((-195, True), (-235, False)):
        there = moved(astronaut_face, scaled_and_shifted(1.0, shift, 0))
        before = np.asarray(
            cv2.warpAffine(grey, np.array([[1.0, 0, shift], [0, 1, 0]]), (512, 512))
        )
        flow.remember(before)
        assert (flow.follow(there, before) is not None) == seen


@pytest.mark.parametrize(
    ("right", "down", "width", "height"),
    [(1800, 0, 2400, 512), (0, 2700, 512, 3300), (600, 0, 512, 512), (0, 600, 512, 512)],
)
def test_optical_flow_face_where_a_frame_ends_or_beyond_it(
    astronaut_rgb: NDArray[np.uint8], astronaut_face: Face, right, down, width, height
) -> None:
    """It is followed there as anywhere; once it has left it is lost."""
    before, now = (
        cv2.warpAffine(grey_of(astronaut_rgb), move, (width, height))
        for move in (np.array([[1.0, 0, right + x], [0, 1, down]]) for x in (0, 6))
    )
    flow = OpticalFlow()
    flow.remember(np.asarray(before, np.uint8))
    face = moved(astronaut_face, scaled_and_shifted(1.0, right, down))
    found = flow.follow(face, np.asarray(now, np.uint8))
    assert (found is None) == (width == height)
    if found is not None:
        assert found.keypoints == pytest.approx(face.keypoints + np.array([6, 0]), abs=0.7)


@pytest.mark.parametrize("zoom", [0.85, 1.2])
def test_optical_flow_face_that_jumps_in_size_is_lost(
    flow: OpticalFlow, astronaut_rgb: NDArray[np.uint8], astronaut_face: Face, zoom: float
) -> None:
    move = cv2.getRotationMatrix2D((224, 110), 0, zoom)
    assert (
        flow.follow(astronaut_face, grey_of(cv2.warpAffine(astronaut_rgb, move, (512, 512))))
        is None
    )


@pytest.mark.parametrize(("scale", "share"), [(0.3, 0.03), (2.5, 0.16)])
def test_optical_flow_small_or_large_fast_face_is_followed(
    astronaut_rgb: NDArray[np.uint8], astronaut_face: Face, scale: float, share: float
) -> None:
    before = cv2.resize(
        grey_of(astronaut_rgb), None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA
    )
    face = moved(astronaut_face, scaled_and_shifted(scale, (scale - 1) / 2, (scale - 1) / 2))
    shift = np.array([share, -share / 2]) * face.size
    flow = OpticalFlow()
    flow.remember(np.asarray(before, np.uint8))
    now = cv2.warpAffine(before, np.column_stack([np.eye(2), shift]), before.shape[::-1])
    found = flow.follow(face, np.asarray(now, np.uint8))
    assert found is not None
    assert found.keypoints == pytest.approx(face.keypoints + shift, abs=0.01 * face.size)


def test_tracker_flow_between_detections_stays_with_the_face(
    finder: FaceFinder,
    astronaut_rgb: NDArray[np.uint8],
) -> None:
    followed, thorough = make_tracker(finder, detect_every_n=True), make_tracker(finder)
    for step in range(9):
        move = np.array([[1.0, 0, 3.0 * step], [0, 1.0, 1.0 * step]])
        frame = cv2.warpAffine(astronaut_rgb, move, (512, 512)).astype(np.uint8)
        (one,), (other,) = followed(frame), thorough(frame)
        assert one.track_id == other.track_id == 0
        assert one.face.keypoints[:2] == pytest.approx(other.face.keypoints[:2], abs=2.5)
    assert not followed(np.zeros_like(astronaut_rgb))[0].found

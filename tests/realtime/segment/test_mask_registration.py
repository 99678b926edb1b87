"""A mask that moves by itself in the crop is found again, and its fill moves with it."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from realtime.align.affine import apply, compose
from realtime.align.warp_crop import warp_crop_rgb
from realtime.detect.face_finder import FaceFinder
from realtime.frames import Face, SegmentedFace, TrackedFrame
from realtime.segment.mask_registration import MaskRegistration
from realtime.segment.stage import SegmentStage
from tests.realtime.making_faces import tracked_frame

PART = np.zeros((128, 128), bool)
PART[66:118, 32:98] = True
CORNERS = np.array([[32.0, 66], [97, 66], [32, 117], [97, 117]])


def move(right: float, down: float, zoom: float = 1.0, turn: float = 0.0) -> NDArray[np.float64]:
    """About the part's middle, crop pixels."""
    linear = zoom * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    middle = CORNERS.mean(0)
    shift = middle - linear @ middle + np.array([right, down])
    return np.column_stack([linear, shift])


def crop_of(picture_rgb: NDArray[np.uint8], matrix: NDArray[np.float64]) -> NDArray[np.uint8]:
    return warp_crop_rgb(picture_rgb, matrix)[0]  # keeps the order of the channels either way


@pytest.mark.parametrize(
    "moved", [move(1, 0), move(-2, 3), move(0, 2, zoom=1.045), move(1, -1, turn=0.05)]
)
@pytest.mark.parametrize("light", [1.0, 0.9])
def test_mask_registration_moved_region_is_found(
    masked_rgb, astronaut_face: Face, moved, light: float
):
    registration = MaskRegistration(crop_of(masked_rgb, astronaut_face.matrix), PART)
    there = crop_of(masked_rgb, compose(moved, astronaut_face.matrix))
    back = registration(cv2.convertScaleAbs(there, alpha=light))
    assert back is not None
    assert np.abs(apply(back, apply(moved, CORNERS)) - CORNERS).max() < 0.2


def test_mask_registration_far_or_plain_region_is_none(masked_rgb, astronaut_face: Face):
    registration = MaskRegistration(crop_of(masked_rgb, astronaut_face.matrix), PART)
    far = crop_of(masked_rgb, compose(move(14, 9), astronaut_face.matrix))
    assert registration(far) is None
    for much in (move(0, 0, zoom=1.15), move(0, 0, turn=0.12), move(7, 0), move(0, -7)):
        assert registration(crop_of(masked_rgb, compose(much, astronaut_face.matrix))) is None
    plain = np.full((128, 128, 3), 90, np.uint8)
    assert MaskRegistration(plain, PART)(plain) is None
    assert MaskRegistration(far, np.zeros((128, 128), bool))(far) is None


@pytest.fixture
def stage() -> Iterator[SegmentStage]:
    stage = SegmentStage()
    yield stage
    stage.close()


@pytest.fixture(scope="module")
def face(masked_rgb: NDArray[np.uint8]) -> Face:
    with FaceFinder() as finder:
        face = finder.portrait(np.ascontiguousarray(masked_rgb[:, :, ::-1]))
    assert face is not None
    return face


def segmented(stage: SegmentStage, tracked: TrackedFrame) -> SegmentedFace:
    (face,) = stage(tracked).faces
    return face


def test_segment_moved_mask_is_kept_and_registered(stage, masked_rgb, face: Face):
    """The transform that optical flow gives is a little off: the stored mask is registered."""
    off = compose(move(2, -1.5), face.matrix)
    first = segmented(stage, tracked_frame(masked_rgb, face, restarted=True))
    kept = segmented(stage, tracked_frame(masked_rgb, face, off))
    anew = segmented(stage, tracked_frame(masked_rgb, face, off))
    assert first.wears_mask
    assert kept.mask_kept and kept.mask_version == first.mask_version
    assert np.array_equal(kept.hole, first.hole)
    ends = apply(kept.matrix, apply(cv2.invertAffineTransform(first.matrix), CORNERS))
    assert np.abs(ends - CORNERS).max() < 0.4
    assert np.array_equal(kept.tracked.matrix, kept.matrix)
    assert not anew.mask_kept and anew.mask_version != first.mask_version
    assert np.array_equal(anew.matrix, off)


def test_segment_occluded_mask_is_segmented_anew(stage, masked_rgb, face: Face):
    segmented(stage, tracked_frame(masked_rgb, face, restarted=True))
    covered = masked_rgb.copy()
    x, y = apply(cv2.invertAffineTransform(face.matrix), CORNERS.mean(0)[None])[0].astype(int)
    cv2.circle(covered, (int(x), int(y)), 25, (200, 150, 120), -1)
    assert not segmented(stage, tracked_frame(covered, face)).mask_kept

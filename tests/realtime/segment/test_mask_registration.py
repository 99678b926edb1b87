"""A mask that moves by itself in the crop is found again, and its fill moves with it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from realtime.align.affine import apply, compose
from realtime.align.warp_crop import warp_crop_rgb
from realtime.frames import Face, Seen, Sight
from realtime.segment.mask_registration import MaskRegistration
from realtime.segment.stage import MaskFinder
from realtime.synthetic import preset_style, render_mask
from realtime.track.track import Track
from realtime.track.tracker import FaceTracker

PART = np.zeros((128, 128), bool)
PART[66:118, 32:98] = True
CORNERS = np.array([[32.0, 66], [97, 66], [32, 117], [97, 117]])


@pytest.fixture(scope="module")
def masked_rgb(astronaut_rgb: NDArray[np.uint8], astronaut_face: Face) -> NDArray[np.uint8]:
    assert astronaut_face.landmarks is not None
    return render_mask(astronaut_rgb, astronaut_face.landmarks, preset_style("surgical")).image_rgb


def move(right: float, down: float, zoom: float = 1.0, turn: float = 0.0) -> NDArray[np.float64]:
    """About the part's middle, crop pixels."""
    linear = zoom * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    middle = CORNERS.mean(0)
    shift = middle - linear @ middle + np.array([right, down])
    return np.column_stack([linear, shift])


def crop_of(picture_rgb: NDArray[np.uint8], matrix: NDArray[np.float64]) -> NDArray[np.uint8]:
    return warp_crop_rgb(picture_rgb, matrix)[0]  # keeps the order of the channels either way


@pytest.mark.parametrize(
    "moved", [move(1, 0), move(-2, 3), move(0, 2, zoom=1.03), move(1, -1, turn=0.04)]
)
@pytest.mark.parametrize("light", [1.0, 0.9])
def test_a_part_is_found_where_it_moved(masked_rgb, astronaut_face: Face, moved, light: float):
    settler = MaskRegistration(crop_of(masked_rgb, astronaut_face.matrix), PART)
    there = crop_of(masked_rgb, compose(moved, astronaut_face.matrix))
    back = settler(cv2.convertScaleAbs(there, alpha=light))
    assert back is not None
    assert np.abs(apply(back, apply(moved, CORNERS)) - CORNERS).max() < 0.5


def test_what_has_moved_far_or_shows_nothing_is_not_found(masked_rgb, astronaut_face: Face):
    settler = MaskRegistration(crop_of(masked_rgb, astronaut_face.matrix), PART)
    far = crop_of(masked_rgb, compose(move(14, 9), astronaut_face.matrix))
    assert settler(far) is None
    plain = np.full((128, 128, 3), 90, np.uint8)
    assert MaskRegistration(plain, PART)(plain) is None
    assert MaskRegistration(far, np.zeros((128, 128), bool))(far) is None


def seen_at(
    frame_rgb: NDArray[np.uint8], track: Track, matrix: NDArray[np.float64], *, fresh: bool
) -> Seen:
    frame_bgr = np.ascontiguousarray(frame_rgb[:, :, ::-1])
    return Seen(frame_bgr, [Sight(track, track.face, matrix, fresh)], {})


@pytest.fixture
def track(masked_rgb: NDArray[np.uint8]) -> Track:
    with FaceTracker(1) as tracker:
        (track,) = tracker(np.ascontiguousarray(masked_rgb))
    return track


def test_a_followed_mask_is_kept_and_its_place_mended(masked_rgb, track: Track):
    """Where a face was followed to is a little off: the mask of the last look is put right."""
    off = compose(move(2, -1.5), track.matrix)
    finder = MaskFinder(still=False, thrifty=True)
    (looked,) = finder(seen_at(masked_rgb, track, track.matrix, fresh=True))
    (kept,) = finder(seen_at(masked_rgb, track, off, fresh=False))
    (anew,) = finder(seen_at(masked_rgb, track, off, fresh=False))
    finder.close()
    assert looked.masked
    assert kept.same
    assert kept.hole is looked.hole
    ends = apply(kept.matrix, apply(cv2.invertAffineTransform(looked.matrix), CORNERS))
    assert np.abs(ends - CORNERS).max() < 0.4
    assert np.array_equal(kept.sight.matrix, kept.matrix)
    assert not anew.same
    assert np.array_equal(anew.matrix, off)


def test_what_comes_before_a_mask_is_looked_at(masked_rgb, track: Track):
    finder = MaskFinder(still=False, thrifty=True)
    finder(seen_at(masked_rgb, track, track.matrix, fresh=True))
    covered = masked_rgb.copy()
    x, y = apply(cv2.invertAffineTransform(track.matrix), CORNERS.mean(0)[None])[0].astype(int)
    cv2.circle(covered, (int(x), int(y)), 25, (200, 150, 120), -1)
    (work,) = finder(seen_at(covered, track, track.matrix, fresh=False))
    finder.close()
    assert not work.same

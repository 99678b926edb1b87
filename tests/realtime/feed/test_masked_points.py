"""Keypoints of masked faces: those of the filled face, moved between two looks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from realtime import Unmasker, UnmaskResult
from realtime.detect.face_finder import FaceFinder
from realtime.feed.masked_points import MaskedPoints
from realtime.frames import Face
from realtime.synthetic import preset_style, render_mask


@pytest.fixture(scope="module")
def unmasked(astronaut_rgb: np.ndarray, astronaut_face: Face) -> UnmaskResult:
    assert astronaut_face.landmarks is not None
    masked = render_mask(astronaut_rgb, astronaut_face.landmarks, preset_style("cloth")).image_rgb
    with Unmasker(mode="image") as unmasker:
        return unmasker(np.ascontiguousarray(masked[:, :, ::-1]))


@pytest.fixture(scope="module")
def masked_points() -> Iterator[MaskedPoints]:
    with MaskedPoints() as points:
        yield points


def test_masked_points_are_those_of_the_filled_face(
    unmasked: UnmaskResult, masked_points: MaskedPoints, astronaut_face: Face
):
    (face,) = unmasked.faces
    assert face.inpainted
    found = masked_points(unmasked.frame, face)
    with FaceFinder() as finder:
        (shown,) = finder.find_all(unmasked.frame)
    true = astronaut_face.keypoints
    eyes_px = np.hypot(*(true[1] - true[0]))
    assert np.hypot(*(found - shown.keypoints).T).mean() < 0.02 * eyes_px
    assert np.hypot(*(found - face.keypoints).T).max() > 0.04 * eyes_px
    assert np.hypot(*(found - true).T).mean() < 0.12 * eyes_px


def test_masked_points_of_a_bare_face_are_the_given(
    unmasked: UnmaskResult, masked_points: MaskedPoints
):
    bare = replace(unmasked.faces[0], inpainted=False)
    assert masked_points(unmasked.frame, bare) is bare.keypoints


def test_masked_points_of_no_face_are_the_given(
    unmasked: UnmaskResult, masked_points: MaskedPoints
):
    (face,) = unmasked.faces
    assert masked_points(np.zeros_like(unmasked.frame), face) is face.keypoints


def test_masked_points_move_with_the_given_between_looks(
    unmasked: UnmaskResult, masked_points: MaskedPoints
):
    (face,) = unmasked.faces
    first = masked_points(unmasked.frame, face, 3, 1.0)
    moved = replace(face, keypoints=face.keypoints * 1.1 + (20, -5))
    black = np.zeros_like(unmasked.frame)  # where a look would find nothing
    assert masked_points(black, moved, 3, 1.05) == pytest.approx(first * 1.1 + (20, -5))
    assert masked_points(black, moved, 4, 1.05) == pytest.approx(moved.keypoints)
    assert masked_points(black, moved, 3, 1.10) == pytest.approx(moved.keypoints)

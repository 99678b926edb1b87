"""Compositing: a fill is prepared once, and its grain is renewed with the frame or the fill."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from realtime.align.affine import apply, invert
from realtime.align.crop_window import CropWindow
from realtime.align.warp_crop import warp_crop
from realtime.appearance import COMPOSITE_STEPS, FRAME_STEPS, make_steps
from realtime.composite.stage import CompositeStage
from realtime.frames import (
    Face,
    Fill,
    InpaintedFace,
    InpaintedFrame,
    SegmentedFace,
    SegmentedFrame,
    TrackedFrame,
)

MASK = np.zeros((128, 128), dtype=bool)
MASK[70:110, 40:90] = True
HOLE = np.zeros((128, 128), dtype=bool)
HOLE[66:114, 36:94] = True


@pytest.fixture(scope="module")
def matrix(astronaut_face: Face) -> NDArray[np.float64]:
    """As if the frame were twice as fine."""
    matrix = 0.5 * astronaut_face.matrix
    matrix[:, 2] = astronaut_face.matrix[:, 2]
    return matrix


@pytest.fixture(scope="module")
def frames(astronaut_rgb: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    """The same picture twice with other noise, BGR."""
    noisy = (np.random.default_rng(n).normal(astronaut_rgb, 4).clip(0, 255) for n in range(2))
    return [cv2.resize(one.astype(np.uint8)[:, :, ::-1], (1024, 1024)) for one in noisy]


@pytest.fixture
def crop(astronaut_rgb: NDArray[np.uint8], astronaut_face: Face) -> NDArray[np.uint8]:
    return warp_crop(astronaut_rgb, astronaut_face.matrix)[0]


def filled(
    crop: NDArray[np.uint8], frame: NDArray[np.uint8], matrix: NDArray[np.float64], version: int = 1
) -> InpaintedFrame:
    """A frame with one face, number 0, whose fill is grey."""
    segmented = replace(SegmentedFace.of_crop(crop, HOLE, mask=MASK), matrix=matrix)
    grey = np.where(HOLE[..., None], np.uint8(127), crop)
    face = InpaintedFace(segmented, Fill(grey, version), segmented)
    tracked = TrackedFrame(frame, (segmented.tracked,), frozenset({0}))
    return InpaintedFrame(SegmentedFrame(tracked, (segmented,)), (face,))


def composite_stage(left_out: Sequence[str] = (), *, take_turns: bool = True) -> CompositeStage:
    steps, frame_steps = make_steps(COMPOSITE_STEPS, left_out), make_steps(FRAME_STEPS, left_out)
    return CompositeStage(steps, frame_steps, take_turns=take_turns)


@pytest.fixture
def stage() -> CompositeStage:
    return composite_stage()


def test_composite_bare_frame_is_the_given_one(stage: CompositeStage, crop, frames, matrix) -> None:
    given = filled(crop, frames[0], matrix)
    bare = replace(given, faces=(replace(given.faces[0], fill=None, filled=None),))
    result = stage(bare)
    assert result.frame is frames[0] and not result.replaced.any()
    assert not result.faces[0].inpainted


def test_composite_replaces_the_mask_and_nothing_beyond_the_hole(
    stage: CompositeStage, crop, frames, matrix
) -> None:
    result = stage(filled(crop, frames[0], matrix))
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    mask, hole = (
        cv2.warpAffine(one.astype(np.float32), matrix, (1024, 1024), flags=flags) > 0
        for one in (MASK, HOLE)
    )
    assert (result.replaced[mask] == 255).all() and not result.replaced[~hole].any()
    kept = result.replaced == 0
    assert np.array_equal(result.frame[kept], frames[0][kept])


def test_composite_renews_grain_with_the_frame(stage: CompositeStage, crop, frames, matrix) -> None:
    one, other = (stage(filled(crop, frame, matrix)) for frame in frames)
    core = cv2.erode(one.replaced, np.ones((41, 41), np.uint8)) > 0
    assert (one.frame[core] != other.frame[core]).mean() > 0.2


def test_composite_prepares_another_version_anew(
    stage: CompositeStage, crop, frames, matrix
) -> None:
    first = stage(filled(crop, frames[0], matrix, version=1))
    dark = filled(crop // 2, frames[0], matrix, version=2)
    second = stage(replace(dark, faces=(replace(dark.faces[0], fill=Fill(crop // 2, 2)),)))
    core = cv2.erode(first.replaced, np.ones((41, 41), np.uint8)) > 0
    assert second.frame[core].mean() < first.frame[core].mean() - 20


def test_composite_shows_the_canonical_crop_of_any_face(
    stage: CompositeStage, crop, frames, matrix
) -> None:
    """Also of one whose mask was sought in a wider window, and of one at the picture's edge."""
    given = filled(crop, frames[0], matrix)
    seen = replace(given.faces[0].segmented, crop_rgb=np.zeros_like(crop))
    seen = replace(seen, tracked=replace(seen.tracked, matrix=matrix))
    end = int(apply(invert(matrix), np.array([[64.0, 100.0]]))[0, 1])
    all_valid, upper = np.ones_like(HOLE), np.arange(128)[:, None] < np.full(128, 100)
    for face, height in (
        (replace(seen, window=CropWindow(0.8), valid=all_valid), 1024),
        (replace(seen, valid=upper), end),
    ):
        frame = np.ascontiguousarray(frames[0][:height])
        tracked = replace(given.segmented.tracked, frame_bgr=frame)
        bare = InpaintedFrame(replace(given.segmented, tracked=tracked), (InpaintedFace(face),))
        shown = stage(bare).faces[0].crop_before
        assert np.abs(shown[:95].astype(int) - crop[:95]).mean() < 6
        assert shown[105:].any() == (height == 1024)


def _renewed(faces: int, *, take_turns: bool) -> NDArray[np.bool_]:
    """Whether the grain of each of so many faces side by side is new, bool [faces, frames]."""
    stage = composite_stage(take_turns=take_turns)
    skin = np.full((128, 128, 3), (190, 145, 120), np.uint8)
    shown = []
    for seed in range(5):
        noise = np.random.default_rng(seed).normal(0, 3, (256, 256 * faces, 1))
        frame = np.clip(np.array((120, 145, 190)) + noise, 0, 255).astype(np.uint8)
        each = []
        for number in range(faces):
            (face,) = filled(skin, frame, np.array([[0.5, 0, -128 * number], [0, 0.5, 0]])).faces
            tracked = replace(face.segmented.tracked, track_id=number)
            segmented = replace(face.segmented, tracked=tracked)
            each.append(replace(face, segmented=segmented))
        known = TrackedFrame(frame, (), frozenset(range(faces)))
        shown.append(stage(InpaintedFrame(SegmentedFrame(known, ()), tuple(each))).frame)
    cores = [one[140:220, 80:180] for frame in shown for one in np.split(frame, faces, axis=1)]
    cores = np.stack(cores).reshape(len(shown), faces, -1)
    return (np.diff(cores.astype(int), axis=0) != 0).any(2).T


def test_composite_many_faces_renew_their_grain_in_turns() -> None:
    turns = _renewed(3, take_turns=True)
    assert (turns[:, 1:] != turns[:, :-1]).all()  # each face in every other frame
    assert turns.any(0).all()  # and not all of them in the same frames
    assert _renewed(2, take_turns=True).all()
    assert _renewed(3, take_turns=False).all()

"""Compositing: a fill is prepared once, and its grain is renewed with the frame or the fill."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from realtime.align.warp_crop import warp_crop
from realtime.appearance import FRAME_STEPS, make_steps
from realtime.composite.stage import CompositeStage
from realtime.frames import (
    Face,
    FaceContext,
    Fill,
    InpaintedFace,
    InpaintedFrame,
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
    context = FaceContext.of_crop(crop, HOLE, mask=MASK).shown_in(frame, matrix)
    segmented = replace(context.face, matrix=matrix)
    grey = np.where(HOLE[..., None], np.uint8(127), crop)
    face = InpaintedFace(segmented, Fill(grey, version), context)
    tracked = TrackedFrame(frame, (segmented.tracked,), frozenset({0}))
    return InpaintedFrame(SegmentedFrame(tracked, (segmented,)), (face,))


@pytest.fixture
def stage() -> CompositeStage:
    return CompositeStage(make_steps(FRAME_STEPS))


def test_composite_bare_frame_is_the_given_one(stage: CompositeStage, crop, frames, matrix) -> None:
    given = filled(crop, frames[0], matrix)
    bare = replace(given, faces=(replace(given.faces[0], fill=None, context=None),))
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

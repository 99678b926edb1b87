"""Cloth that goes on below the chin is taken off the face alone, as long as it is worn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.finding.options import FindOptions
from benchmarks.kinds.kinds import render_scene
from benchmarks.kinds.scene import load_portraits
from benchmarks.kinds.table import MASKED
from realtime.align.affine import apply
from realtime.align.crop_window import CANONICAL
from realtime.align.face_regions import CHIN
from realtime.frames import Face, SegmentedFace
from realtime.segment.stage import SegmentStage
from tests.realtime.making_faces import tracked_frame

MOST_BELOW_PX = 22  # margins of the outline and of the hole, canonical crop px


@pytest.fixture(scope="module")
def scarf_rgb() -> NDArray[np.uint8]:
    """The astronaut in a scarf over nose, mouth and neck."""
    (portrait,) = load_portraits(FindOptions(), 1)
    return render_scene(MASKED["scarf"], portrait, 6, 0).rgb


def seen(stage: SegmentStage, rgb: NDArray[np.uint8], face: Face) -> SegmentedFace:
    return stage(tracked_frame(rgb, face)).faces[0]


def below_chin_px(found: SegmentedFace, face: Face) -> float:
    """How far below the chin the hole reaches, canonical crop px."""
    assert face.landmarks is not None
    chin = apply(found.matrix, face.landmarks)[CHIN, 1]
    return float(np.nonzero(found.hole.any(1))[0].max() - chin) / found.window.scale


@pytest.mark.parametrize("unrelated", [True, False])
def test_scarf_is_taken_off_the_face_alone(scarf_rgb, astronaut_face, unrelated: bool) -> None:
    stage = SegmentStage(unrelated=unrelated)
    for _ in range(5):
        found = seen(stage, scarf_rgb, astronaut_face)
        assert found.wears_mask
        assert found.window == CANONICAL
        assert 0 < below_chin_px(found, astronaut_face) < MOST_BELOW_PX


def test_scarf_without_landmarks_is_taken_off_as_a_whole(scarf_rgb, astronaut_face) -> None:
    found = seen(SegmentStage(unrelated=True), scarf_rgb, replace(astronaut_face, landmarks=None))
    assert found.window.scale < 1
    assert below_chin_px(found, astronaut_face) > 2 * MOST_BELOW_PX


def test_mask_after_the_scarf_is_taken_off_as_a_whole(
    scarf_rgb, masked_rgb, astronaut_rgb, astronaut_face
) -> None:
    stage = SegmentStage()
    frames = [scarf_rgb, *[astronaut_rgb] * 12, *[masked_rgb] * 12]
    *_, last = (seen(stage, rgb, astronaut_face) for rgb in frames)
    fresh = seen(SegmentStage(), masked_rgb, astronaut_face)
    assert np.mean(last.mask != fresh.mask) < 0.01

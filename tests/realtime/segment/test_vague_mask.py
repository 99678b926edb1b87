"""A mask that is vague to the segmenter is taken off where the other networks are sure of it."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from realtime.align.warp_crop import warp_crop_rgb
from realtime.frames import Face, SegmentedFace
from realtime.segment.mask_decision import FaceEvidence
from realtime.segment.stage import SegmentStage
from realtime.segment.vague_mask import find_mask
from tests.realtime.making_faces import tracked_frame

OPACITY = 0.38  # of a mask that the segmenter half sees


@pytest.fixture(scope="module")
def vague_rgb(astronaut_rgb, masked_rgb) -> NDArray[np.uint8]:
    """The astronaut in a mask through which the face is seen."""
    mixed = cv2.addWeighted(astronaut_rgb, 1 - OPACITY, masked_rgb, OPACITY, 0)
    return mixed.astype(np.uint8)


def seen(
    rgb: NDArray[np.uint8],
    face: Face,
    mask_score: float,
    *,
    unrelated: bool,
    score: float = 0.995,
) -> SegmentedFace:
    """What the stage says of the fifth frame."""
    known = replace(face, confirmed=True, score=score, mask_score=mask_score)
    stage = SegmentStage(unrelated=unrelated)
    found = [stage(tracked_frame(rgb, known)).faces[0] for _ in range(5)]
    return found[-1]


@pytest.mark.parametrize("unrelated", [True, False])
def test_vague_mask_is_taken_off_where_the_others_are_sure(
    vague_rgb, astronaut_face, worn, unrelated: bool
) -> None:
    found = seen(vague_rgb, astronaut_face, 0.95, unrelated=unrelated)
    truth = cv2.warpAffine((worn.alpha > 0.5).view(np.uint8), found.matrix, (128, 128)) > 0
    assert found.wears_mask
    assert (truth & found.mask).sum() > 0.85 * (truth | found.mask).sum()
    assert not seen(vague_rgb, astronaut_face, 0.94, unrelated=unrelated).wears_mask
    assert not seen(vague_rgb, astronaut_face, 1.0, unrelated=unrelated, score=0.99).wears_mask
    unmapped = replace(astronaut_face, landmarks=None)
    assert not seen(vague_rgb, unmapped, 1.0, unrelated=unrelated).wears_mask


def test_bare_face_stays_whatever_the_aligner_says(astronaut_rgb, astronaut_face) -> None:
    assert not seen(astronaut_rgb, astronaut_face, 1.0, unrelated=True, score=1.0).wears_mask


def test_vague_pixels_must_lie_like_a_mask(astronaut_rgb, astronaut_face) -> None:
    """Those of a mask cover the nose; a beard lies lower."""
    known = replace(astronaut_face, confirmed=False, score=0.995, mask_score=1.0)
    valid = np.ones((128, 128), bool)

    def raised(
        rows: slice, columns: slice, value: float, known: Face = known
    ) -> NDArray[np.float32]:
        given = np.full((128, 128), 0.05, np.float32)
        given[rows, columns] = value
        crop, _ = warp_crop_rgb(np.ascontiguousarray(astronaut_rgb[:, :, ::-1]), known.matrix)
        return find_mask(given, crop, valid, known, FaceEvidence.CONFIRMED)[1]

    like_a_mask = slice(70, 110), slice(35, 93)
    assert raised(*like_a_mask, 0.3)[90, 64] == np.float32(0.9)
    unmapped = replace(known, landmarks=None)
    assert raised(*like_a_mask, 0.3, unmapped)[90, 64] == np.float32(0.3)
    assert raised(*like_a_mask, 0.3)[20, 20] == np.float32(0.05)
    assert raised(*like_a_mask, 0.99)[90, 64] == np.float32(0.99)
    assert raised(*like_a_mask, 0.09)[90, 64] == np.float32(0.09)
    assert raised(slice(88, 120), slice(35, 93), 0.3)[90, 64] == np.float32(0.3)
    assert raised(slice(74, 98), slice(46, 82), 0.3)[90, 64] == np.float32(0.3)

"""Recorded video knows what comes next: gaps in a mask are closed, changes come without delay."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from realtime.align.crop_window import CANONICAL
from realtime.frames import Face, SegmentedFace, SegmentedFrame, TrackedFace, TrackedFrame
from realtime.segment.mask_memory import MaskMemory
from realtime.video.mask_gap_closing import close_mask_gaps

MASK = np.zeros((128, 128), bool)
MASK[70:120, 30:100] = True
BLUE, HAND = (200, 160, 90), (120, 100, 90)
FRAME_S = 1 / 30


def segmented_frames(
    found: Sequence[bool], covered: Sequence[int] = ()
) -> list[tuple[int, SegmentedFrame]]:
    """A still face wearing a blue mask, found or not; in some frames a hand covers it."""
    matrix = np.eye(2, 3)
    face = TrackedFace(3, Face((0, 0, 128, 128), np.zeros((5, 2)), None, matrix), matrix)
    memory, frames, valid = MaskMemory(), [], np.ones_like(MASK)
    for index, worn in enumerate(found):
        crop = np.full((128, 128, 3), 140, np.uint8)
        crop[MASK] = HAND if index in covered else BLUE
        memory.observe(crop, FRAME_S)
        probability = memory.smooth((MASK & worn).astype(np.float32))
        masked = memory.decide(worn, probability).wears_mask
        mask = MASK & (worn or masked)
        stored = memory.store(mask, mask)
        segmented = SegmentedFace(
            face, CANONICAL, matrix, crop, valid, mask, mask, worn, masked,
            change=memory.change, mask_version=stored.version,
        )  # fmt: skip
        frames.append((index, SegmentedFrame(TrackedFrame(crop, (face,)), (segmented,))))
    return frames


def shown(frames: list[tuple[int, SegmentedFrame]]) -> list[bool]:
    result = []
    for number, (index, segmented) in enumerate(close_mask_gaps(frames)):
        assert number == index
        (face,) = segmented.faces
        assert face.mask.any() or not face.wears_mask
        result.append(face.wears_mask)
    assert len(result) == len(frames)
    return result


@pytest.mark.parametrize("missed", [1, 4, 7])
def test_gap_of_a_few_frames_is_closed(missed: int) -> None:
    found = [True] * 12 + [False] * missed + [True] * 12
    assert shown(segmented_frames(found)) == [True] * len(found)


def test_gap_longer_than_the_window_stays_as_it_is() -> None:
    found = [True] * 12 + [False] * 20 + [True] * 12
    assert shown(segmented_frames(found)) == found


def test_gap_where_a_hand_covers_the_mask_is_not_closed() -> None:
    found = [True] * 12 + [False] * 6 + [True] * 12
    assert shown(segmented_frames(found, covered=range(12, 18))) == found


def test_mask_seen_in_a_single_frame_does_not_count() -> None:
    found = [False] * 12 + [True] + [False] * 12
    assert shown(segmented_frames(found)) == [False] * len(found)


def test_gap_closed_joins_the_epochs_on_both_sides() -> None:
    found = [True] * 12 + [False] * 7 + [True] * 12
    frames = segmented_frames(found)
    epochs = [frame.faces[0].change.epoch for _, frame in frames]
    assert len(set(epochs)) > 1
    closed = [frame.faces[0].change.epoch for _, frame in close_mask_gaps(frames)]
    assert len(set(closed)) == 1

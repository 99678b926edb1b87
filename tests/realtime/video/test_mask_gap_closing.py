"""Recorded video knows what comes next: gaps in a mask are closed, changes come without delay."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from realtime.align.crop_window import CANONICAL
from realtime.frames import Face, Marked, Work
from realtime.segment.mask_memory import MaskMemory
from realtime.track.association import Motion, Place
from realtime.track.one_euro import OneEuro
from realtime.track.track import Track
from realtime.unmasker import Seen, Sight
from realtime.video.mask_gap_closing import close_gaps

MASK = np.zeros((128, 128), bool)
MASK[70:120, 30:100] = True
BLUE, HAND = (200, 160, 90), (120, 100, 90)
FRAME_S = 1 / 30


def marked_frames(found: Sequence[bool], covered: Sequence[int] = ()) -> list[tuple[int, Marked]]:
    """A still face wearing a blue mask, found or not; in some frames a hand covers it."""
    face = Face((0, 0, 128, 128), np.zeros((5, 2)), None, CANONICAL)
    track = Track(3, face, CANONICAL, OneEuro(), Motion(Place(face.centre, face.size)))
    memory, frames = MaskMemory(), []
    for index, worn in enumerate(found):
        crop = np.full((128, 128, 3), 140, np.uint8)
        crop[MASK] = HAND if index in covered else BLUE
        memory.see(crop, FRAME_S)
        mask = MASK & worn
        masked, _ = memory.decide(worn, memory.outline(mask.astype(np.float32)))
        mask = MASK & (worn or masked)
        memory.keep(mask, mask)
        valid = np.ones_like(MASK)
        sight = Sight(track, face, CANONICAL)
        matrices = CANONICAL, CANONICAL
        work = Work(
            sight, *matrices, crop, valid, mask, mask, worn, masked, memory.moment, crop
        )  # fmt: skip
        frames.append((index, Marked(Seen(crop, [sight], {}), [work], {})))
    return frames


def shown(frames: list[tuple[int, Marked]]) -> list[bool]:
    result = []
    for number, (index, marked) in enumerate(close_gaps(frames)):
        assert number == index and marked is not None
        (work,) = marked.work
        assert work.mask.any() or not work.masked
        result.append(work.masked)
    assert len(result) == len(frames)
    return result


@pytest.mark.parametrize("missed", [1, 4, 7])
def test_a_mask_missed_for_a_few_frames_is_filled_all_the_same(missed: int) -> None:
    found = [True] * 12 + [False] * missed + [True] * 12
    assert shown(marked_frames(found)) == [True] * len(found)


def test_a_mask_that_is_gone_for_longer_is_gone_at_once_and_back_at_once() -> None:
    found = [True] * 12 + [False] * 20 + [True] * 12
    assert shown(marked_frames(found)) == found


def test_what_covers_the_mask_is_not_painted_over() -> None:
    found = [True] * 12 + [False] * 6 + [True] * 12
    assert shown(marked_frames(found, covered=range(12, 18))) == found


def test_a_mask_seen_in_one_frame_alone_is_none() -> None:
    found = [False] * 12 + [True] + [False] * 12
    assert shown(marked_frames(found)) == [False] * len(found)


def test_what_was_filled_before_a_gap_counts_after_it() -> None:
    found = [True] * 12 + [False] * 7 + [True] * 12
    frames = marked_frames(found)
    epochs = [frame[1].work[0].moment.epoch for frame in frames]
    assert len(set(epochs)) > 1
    closed = [marked.work[0].moment.epoch for _, marked in close_gaps(frames) if marked is not None]
    assert len(set(closed)) == 1

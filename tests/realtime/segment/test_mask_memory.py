"""Calm over time: outlines hold still, changes that last are followed soon, cuts at once."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from realtime.segment.mask_memory import MaskMemory

FRAME_S = 1 / 30
HOLE = np.zeros((128, 128), bool)
HOLE[70:120, 30:100] = True


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def crop(level: int = 120) -> NDArray[np.uint8]:
    return np.full((128, 128, 3), level, np.uint8)


def inside(probability: float) -> NDArray[np.float32]:
    return np.where(HOLE, probability, 0).astype(np.float32)


def segment(memory: MaskMemory, image: NDArray[np.uint8]) -> None:
    """Give it a frame in which a mask is worn, up to the fill."""
    memory.observe(image, FRAME_S)
    memory.decide(True, memory.smooth(inside(1.0)))
    memory.store(HOLE, HOLE)


def decisions(memory: MaskMemory, worn: list[bool], fps: float = 30.0) -> list[bool]:
    decided = []
    for state in worn:
        memory.observe(crop(), 1 / fps)
        decided.append(memory.decide(state, inside(float(state)))[0])
    return decided


def test_decide_one_frame_without_mask_keeps_it_worn() -> None:
    assert decisions(MaskMemory(), [True] * 5 + [False] * 2 + [True] * 5) == [True] * 12
    assert decisions(MaskMemory(), [False] * 5 + [True] + [False] * 5) == [False] * 11
    assert decisions(MaskMemory(smoothing=False), [True, False, True]) == [True, False, True]


@pytest.mark.parametrize("fps", [25.0, 30.0, 60.0])
def test_decide_mask_put_on_or_off_counts_within_150_ms(fps: float) -> None:
    for first in (True, False):
        decided = decisions(MaskMemory(), [first] * 5 + [not first] * 20, fps)
        assert (decided[5:].index(not first) + 1) / fps <= 0.15


def test_decide_new_face_counts_at_once() -> None:
    assert decisions(MaskMemory(), [True]) == [True]


def test_decide_mask_unseen_for_a_frame_keeps_the_last_one() -> None:
    memory = MaskMemory()
    memory.observe(crop(), FRAME_S)
    worn = memory.decide(True, inside(1.0))
    memory.observe(crop(), FRAME_S)
    doubted = memory.decide(False, inside(0.0))
    assert doubted.wears_mask and doubted.is_earlier
    assert np.array_equal(doubted.probability, worn.probability)


def test_smooth_small_changes_slowly_and_large_ones_at_once(
    rng: np.random.Generator,
) -> None:
    memory, raw, calm = MaskMemory(), [], []
    for _ in range(40):
        memory.observe(crop(), FRAME_S)
        noisy = np.clip(inside(0.5) + rng.normal(0, 0.08, (128, 128)), 0, 1).astype(np.float32)
        raw.append(noisy[HOLE])
        smooth = memory.smooth(noisy)
        calm.append(memory.decide(True, smooth)[1][HOLE])
    assert np.diff(calm[10:], axis=0).std() < 0.5 * np.diff(raw[10:], axis=0).std()
    memory = MaskMemory()
    for level in (1.0, 1.0, 0.0, 0.0):
        memory.observe(crop(150 if level else 120), FRAME_S)
        left = memory.smooth(inside(level))
        memory.decide(True, left)
    assert left.max() < 0.05


def test_smooth_takes_the_mean_of_both_poses_where_nothing_moves() -> None:
    memory, moved = MaskMemory(), crop()
    moved[:, 64:] = 150
    for image, level in ((crop(), 0.9), (moved, 0.3)):
        memory.observe(image, FRAME_S)
        probability = memory.smooth(inside(level))
        memory.decide(True, probability)
    still, changed = probability[90, 40], probability[90, 90]
    assert 0.6 < still < 0.85
    assert 0.3 <= changed < still - 0.1


def test_smooth_thin_loop_moved_by_its_width_shows_at_once() -> None:
    memory = MaskMemory()
    for column in range(20, 40, 2):
        loop = np.zeros((128, 128), np.float32)
        loop[40:80, column : column + 2] = 0.35
        memory.observe(crop(), FRAME_S)
        assert memory.smooth(loop)[40:80, column : column + 2].min() > 0.25


def test_observe_scene_cut_forgets() -> None:
    memory = MaskMemory()
    assert decisions(memory, [True] * 5) == [True] * 5
    memory.observe(crop(30), FRAME_S)
    assert memory.decide(False, inside(0.0))[0] is False


def masked_crop(shift: int = 0, level: int = 120) -> NDArray[np.uint8]:
    image = crop(level)
    image[np.roll(HOLE, shift, axis=1)] = (200, 160, 90)
    return image


def test_looks_unchanged_moved_mask_hand_or_light_is_false() -> None:
    memory = MaskMemory()
    memory.observe(masked_crop(), FRAME_S)
    assert not memory.looks_unchanged()
    segment(memory, masked_crop())
    hand = masked_crop()
    hand[90:110, 40:60] = (120, 100, 90)
    for image, same in (
        (masked_crop(), True),
        (masked_crop(level=123), True),
        (masked_crop(shift=4), False),
        (masked_crop(level=150), False),
        (crop(), False),
        (hand, False),
    ):
        memory.observe(image, FRAME_S)
        assert memory.looks_unchanged() is same
    assert np.array_equal(memory.stored.mask, HOLE) and np.array_equal(memory.stored.hole, HOLE)


def test_looks_unchanged_edge_may_move_as_far_as_allowed() -> None:
    memory = MaskMemory()
    segment(memory, masked_crop())
    for shift in (1, 2):
        memory.observe(masked_crop(shift), FRAME_S)
        for tolerance in (0.5, 1.0, 1.5, 2.0):
            assert memory.looks_unchanged(tolerance=tolerance) == (tolerance >= shift)
    memory.observe(masked_crop(3), FRAME_S)
    assert memory.looks_unchanged(tolerance=2) and not memory.looks_unchanged(tolerance=1.2)
    assert memory.looks_unchanged(registered=True, tolerance=1.2)


def test_register_without_a_worn_mask_is_none() -> None:
    memory = MaskMemory()
    assert memory.register(masked_crop()) is None
    memory.observe(masked_crop(), FRAME_S)
    memory.decide(False, memory.smooth(inside(0.0)))
    memory.store(HOLE, HOLE)  # a beard
    assert memory.register(masked_crop()) is None
    assert not MaskMemory().looks_unchanged()


def test_change_window_forgets_all_but_that_a_mask_is_worn() -> None:
    memory = MaskMemory()
    segment(memory, masked_crop())
    memory.change_window()
    memory.observe(masked_crop(), FRAME_S)
    assert memory.wears_mask and not memory.looks_unchanged()
    assert memory.register(masked_crop()) is None

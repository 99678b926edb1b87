"""Crops are cut into the sizes at hand: each once, in order, with little padding."""

from __future__ import annotations

import numpy as np
import pytest

from inpaint_model.engines.batches import POWERS_OF_TWO, pad, split


@pytest.mark.parametrize(
    ("count", "sizes", "expected"),
    [
        (0, (1, 2, 4), []),
        (1, (1, 2, 4), [(0, 1, 1)]),
        (3, (1, 2, 4), [(0, 3, 4)]),
        (4, (4, 2, 1), [(0, 4, 4)]),
        (5, (1, 2, 4, 64), [(0, 4, 4), (4, 1, 1)]),
        (7, (1, 2, 4, 64), [(0, 4, 4), (4, 3, 4)]),
        (32, (1, 2, 4, 64), [(at, 4, 4) for at in range(0, 32, 4)]),
        (33, (1, 2, 4, 64), [(0, 33, 64)]),
        (130, (1, 2, 4, 64), [(0, 64, 64), (64, 64, 64), (128, 2, 2)]),
        (5, (1,), [(at, 1, 1) for at in range(5)]),
        (1, (4,), [(0, 1, 4)]),
        (9, (4, 8), [(0, 8, 8), (8, 1, 4)]),
        (1, iter([2, 1]), [(0, 1, 1)]),
    ],
)
def test_split_gives_these_batches(count, sizes, expected):
    assert split(count, sizes) == expected


@pytest.mark.parametrize("sizes", [POWERS_OF_TWO, (1, 2, 4, 64), (3, 7), (5,), range(1, 9)])
def test_split_pads_less_than_half_of_a_batch(sizes):
    for count in range(200):
        batches = split(count, sizes)
        covered = [start + i for start, held, _ in batches for i in range(held)]
        assert covered == list(range(count))
        for _, held, size in batches:
            assert size in sizes
            assert held <= size
            assert 2 * held > size or size == min(sizes)


def test_split_powers_of_two_need_one_batch():
    assert [len(split(count, POWERS_OF_TWO)) for count in range(1, 65)] == [1] * 64


def test_pad_adds_zeros_or_returns_the_same_array():
    array = np.full((3, 2, 2), 7, dtype=np.uint8)
    assert pad(array, 3) is array
    out = pad(array, 4)
    assert np.array_equal(out[:3], array)
    assert out.shape == (4, 2, 2)
    assert not out[3].any()

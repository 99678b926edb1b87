"""Crops are split into an engine's batch sizes: all of them, in order, with little padding."""

from __future__ import annotations

import pytest

from inpaint_model.engines.batches import split

SIZES = (1, 2, 4, 64)


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (0, []),
        (1, [(0, 1, 1)]),
        (3, [(0, 3, 4)]),
        (5, [(0, 4, 4), (4, 1, 1)]),
        (33, [(0, 33, 64)]),
        (64, [(0, 64, 64)]),
        (67, [(0, 64, 64), (64, 3, 4)]),
    ],
)
def test_the_usual_calls(count, expected):
    assert list(split(count, SIZES)) == expected


@pytest.mark.parametrize("sizes", [(1,), SIZES, (2, 8), (4,)])
def test_every_crop_is_in_one_part(sizes):
    for count in range(150):
        parts = list(split(count, sizes))
        assert [start for start, _, _ in parts] == [
            sum(p[1] for p in parts[:i]) for i in range(len(parts))
        ]
        assert sum(many for _, many, _ in parts) == count
        assert all(0 < many <= size and size in sizes for _, many, size in parts)


def test_no_more_than_half_of_a_batch_is_padding():
    for count in range(1, 150):
        assert all(many * 2 > size for _, many, size in split(count, SIZES))

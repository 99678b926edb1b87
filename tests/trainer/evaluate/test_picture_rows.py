"""Rows of samples: what lies where, and where nothing lies."""

from __future__ import annotations

import numpy as np

from trainer.evaluate.picture_rows import in_rows


def _numbered(count: int, first: int) -> np.ndarray:
    return np.stack([np.full((4, 4, 3), first + n, np.uint8) for n in range(count)])


def test_in_rows_pictures_of_a_sample_lie_below_one_another():
    sheet = in_rows(_numbered(5, 10), _numbered(5, 20), columns=3, most=4)
    assert sheet.shape == (16, 12, 3)
    assert sheet[::4, ::4, 0].tolist() == [[10, 11, 12], [20, 21, 22], [13, 0, 0], [23, 0, 0]]


def test_in_rows_without_samples_is_one_black_pixel():
    assert in_rows(_numbered(1, 9)[:0]).tolist() == [[[0, 0, 0]]]

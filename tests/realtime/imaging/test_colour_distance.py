"""Colour distance weighs a tint more than light; local means count marked pixels alone."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from realtime.imaging.colour_distance import (
    colour_distance,
    local_mean,
    local_mean_half_size,
)


def plain(*levels: int) -> NDArray[np.uint8]:
    return np.full((40, 40, 3), levels, np.uint8)


def test_colour_distance_of_light_is_its_difference() -> None:
    assert colour_distance(plain(90, 80, 70), plain(70, 60, 50)) == pytest.approx(20)


def test_colour_distance_of_a_tint_counts_for_more() -> None:
    light = colour_distance(plain(90, 90, 90), plain(80, 80, 80)).mean()
    assert colour_distance(plain(80, 90, 80), plain(80, 80, 80)).mean() > 1.5 * light


def test_local_mean_counts_marked_pixels_alone() -> None:
    picture = plain(10, 20, 30)
    picture[:, 20:] = 200
    marked = np.zeros((40, 40), bool)
    marked[:, :20] = True
    mean, share = local_mean(picture.astype(np.float32), marked, 3.0)
    assert mean[:, :25] == pytest.approx(np.broadcast_to([10, 20, 30], (40, 25, 3)), abs=0.1)
    assert share[20, 5] > 0.95 > 0.05 > share[20, 35]


def test_local_mean_half_size_agrees_with_local_mean() -> None:
    rng = np.random.default_rng(0)
    picture = np.kron(rng.integers(0, 255, (5, 5, 3)), np.ones((8, 8, 1))).astype(np.uint8)
    marked = np.ones((40, 40), bool)
    whole, _ = local_mean(picture.astype(np.float32), marked, 8.0)
    half, share = local_mean_half_size(picture, marked, 8.0)
    assert (half.shape, half.dtype, share.shape) == (picture.shape, np.uint8, (40, 40))
    assert np.abs(half - whole).mean() < 4

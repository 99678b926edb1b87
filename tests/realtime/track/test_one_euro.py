"""Similarity transforms as vectors, and the filter that calms them."""

from __future__ import annotations

import numpy as np
import pytest

from realtime.align.similarity_vector import to_matrix, to_vector
from realtime.track.one_euro import OneEuro


def test_similarity_survives_its_vector():
    matrix = np.array([[0.8, -0.2, 12.0], [0.2, 0.8, -30.0]])
    assert to_matrix(to_vector(matrix)) == pytest.approx(matrix, abs=1e-9)


def test_noise_is_calmed_and_motion_followed():
    rng = np.random.default_rng(0)
    noisy = rng.normal(0, 1.0, (200, 4))
    smooth = OneEuro()
    out = np.array([smooth(value) for value in noisy])
    assert out[20:].std() < 0.6 * noisy[20:].std()
    smooth = OneEuro()
    moving = np.array([smooth(np.full(4, 10.0 * step)) for step in range(60)])
    assert abs(moving[-1, 0] - 590) < 10

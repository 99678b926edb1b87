"""Similarity transforms as vectors: nothing is lost, and each element counts px at the crop's edge."""

from __future__ import annotations

import numpy as np
import pytest

from realtime.align.affine import apply, invert
from realtime.align.similarity_vector import TURN, to_matrix, to_vector

MATRIX = np.array([[0.8, -0.2, 12.0], [0.2, 0.8, -30.0]])


def test_to_vector_then_to_matrix_gives_the_similarity():
    assert to_matrix(to_vector(MATRIX)) == pytest.approx(MATRIX, abs=1e-9)
    vector = to_vector(MATRIX)
    vector[3] += TURN
    assert to_matrix(vector) == pytest.approx(MATRIX, abs=1e-9)


@pytest.mark.parametrize("element", range(4))
def test_to_matrix_each_element_moves_the_edge_alike(element: int):
    """So one filter fits all four: one of each shifts, grows or turns the crop by a pixel at its edge."""
    vector = to_vector(MATRIX)
    vector[element] += 1
    edges = np.array([[63.5, -0.5], [63.5, 127.5], [-0.5, 63.5], [127.5, 63.5]])
    moved = apply(to_matrix(vector), apply(invert(MATRIX), edges)) - edges
    if element > 1:
        moved -= moved.mean(0)
    assert np.hypot(*moved.T) == pytest.approx(1, abs=0.03)

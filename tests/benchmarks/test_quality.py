"""The alternatives that the generator is compared with, on crops of a photograph."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.quality import generator
from trainer.evaluate.measures import composited_psnr

Case = tuple[NDArray[np.uint8], NDArray[np.bool_]]


@pytest.fixture
def case(astronaut_rgb: NDArray[np.uint8]) -> Case:
    """A crop with a hole."""
    holes = np.zeros((1, 128, 128), bool)
    holes[0, 60:90, 40:80] = True
    return np.ascontiguousarray(astronaut_rgb[None, 50:178, 160:288]), holes


@pytest.mark.parametrize("fill", [generator.telea, generator.blurred_truth])
def test_alternative_changes_only_the_hole(fill, case: Case):
    crops, holes = case
    filled = fill(crops, holes)
    assert np.array_equal(filled[~holes], crops[~holes])
    assert not np.array_equal(filled, crops)


def test_blurred_truth_is_nearer_than_telea(case: Case):
    crops, holes = case
    psnr = [
        composited_psnr(fill(*case), crops, holes)[0]
        for fill in (generator.blurred_truth, generator.telea)
    ]
    assert psnr[0] > psnr[1]

"""Regions of a mask: its padded box, its body without loops, its confident parts, its core."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from realtime.imaging.mask_regions import (
    components_with,
    eroded,
    padded_bounding_box,
    without_thin_parts,
)


@pytest.fixture
def mask() -> NDArray[np.bool_]:
    """A body of 40x30 pixels, a loop of 3 pixels beside it, and a speck apart."""
    mask = np.zeros((100, 120), bool)
    mask[50:80, 30:70] = True
    mask[60:63, 70:110] = True
    mask[10:12, 10:12] = True
    return mask


def test_padded_bounding_box_inside_the_picture_has_the_margin(mask: NDArray[np.bool_]) -> None:
    mask[:20] = False
    assert padded_bounding_box(mask, 5) == (slice(45, 85), slice(25, 115))


def test_padded_bounding_box_at_the_edge_stays_inside(mask: NDArray[np.bool_]) -> None:
    assert padded_bounding_box(mask, 30) == (slice(0, 100), slice(0, 120))


def test_padded_bounding_box_of_an_empty_mask_is_none() -> None:
    assert padded_bounding_box(np.zeros((8, 8), bool), 2) is None


def test_without_thin_parts_removes_loops(mask: NDArray[np.bool_]) -> None:
    body = without_thin_parts(mask) > 0
    assert not body[:, 72:].any()
    assert not body[:20].any()
    assert body[52:78, 32:68].all()
    assert not (body & ~mask).any()


@pytest.mark.parametrize(("least_px", "kept"), [(1, True), (3, True), (4, False)])
def test_components_with_needs_enough_confident_pixels(
    mask: NDArray[np.bool_], least_px: int, kept: bool
) -> None:
    confident = np.zeros_like(mask)
    confident[55, 40:43] = True
    regions = components_with(confident, mask, least_px)
    assert np.array_equal(regions[20:], mask[20:] & kept)
    assert not regions[:20].any()


def test_components_with_ignores_pixels_outside(mask: NDArray[np.bool_]) -> None:
    outside = ~mask
    assert not components_with(outside, mask).any()


def test_eroded_shrinks_but_not_from_the_pictures_edge() -> None:
    mask = np.zeros((20, 20), bool)
    mask[:10, :10] = True
    wanted = np.zeros_like(mask)
    wanted[:8, :8] = True
    shrunk = eroded(mask, 2)
    assert np.array_equal(shrunk[:7, :7], wanted[:7, :7])
    assert not (shrunk & ~wanted).any()

"""The crop holds the whole mask: it is widened where the mask is cut off, and only then."""

from __future__ import annotations

import numpy as np

from realtime.alignment import apply
from realtime.framing import CANONICAL, Framing, to_canonical, touched_sides

ALL = np.ones((128, 128), bool)


def mask_of(rows: slice, columns: slice) -> np.ndarray:
    mask = np.zeros((128, 128), bool)
    mask[rows, columns] = True
    return mask


def test_a_mask_inside_is_left_alone():
    framing = Framing()
    assert not framing.must_widen(mask_of(slice(70, 118), slice(30, 98)), ALL, worn=True)
    assert framing.is_canonical


def test_an_ear_loop_or_the_pictures_edge_is_no_reason():
    loop = mask_of(slice(60, 63), slice(90, 128))
    assert touched_sides(loop, ALL) == (False, False, False)
    below = mask_of(slice(70, 128), slice(30, 98))
    cut = ALL.copy()
    cut[110:] = False
    assert touched_sides(below, cut) == (False, False, False)
    assert touched_sides(below, ALL) == (False, False, True)


def test_it_widens_towards_the_mask_but_not_for_ever():
    framing, steps = Framing(), 0
    mask = mask_of(slice(70, 128), slice(60, 128))
    while framing.must_widen(mask, ALL, worn=True):
        steps += 1
    assert 1 <= steps <= 3
    corner = apply(framing.matrix, np.array([[127.0, 127.0]]))[0]
    assert (corner < 112).all()  # what lay at the lower right corner lies inside now


def test_it_narrows_again_when_the_head_turned_back():
    framing = Framing()
    assert framing.must_widen(mask_of(slice(70, 128), slice(30, 98)), ALL, worn=True)
    small = mask_of(slice(66, 100), slice(40, 88))
    for _ in range(40):
        assert not framing.must_widen(small, ALL, worn=True)
    assert framing.is_canonical


def test_outside_the_hole_the_canonical_crop_is_kept():
    rng = np.random.default_rng(0)
    crop = rng.integers(0, 255, (128, 128, 3), np.uint8)
    framing = Framing()
    framing.must_widen(mask_of(slice(70, 128), slice(30, 98)), ALL, worn=True)
    hole = mask_of(slice(60, 100), slice(30, 90))
    after = to_canonical(np.full_like(crop, 200), hole, crop, framing.matrix)
    changed = (after != crop).any(-1)
    assert changed.any()
    assert (after[changed] == 200).all()
    assert framing.matrix is not CANONICAL

"""Finishing a fill: done again where anything of it changed, and only there."""

from __future__ import annotations

import numpy as np

from realtime.finish import Finish

MASK = np.zeros((128, 128), dtype=bool)
MASK[70:110, 40:90] = True
HOLE = np.zeros((128, 128), dtype=bool)
HOLE[66:114, 36:94] = True
CROP, FILLED = np.full((128, 128, 3), 90, np.uint8), np.full((128, 128, 3), 160, np.uint8)


def test_a_fill_is_opaque_on_the_mask_and_gone_outside_the_hole() -> None:
    done = Finish()(FILLED, CROP, MASK, HOLE, ~HOLE)
    assert (done.fill[MASK] == 160).all()
    assert (done.opacity[MASK] == 1).all() and (done.opacity[~HOLE] == 0).all()


def test_what_is_shown_again_is_not_done_again() -> None:
    finish = Finish()
    first = finish(FILLED, CROP, MASK, HOLE, ~HOLE)
    assert finish(FILLED, CROP, MASK, HOLE, ~HOLE) is first


def test_another_fill_or_hole_is_done_anew() -> None:
    finish = Finish()
    finish(FILLED, CROP, MASK, HOLE, ~HOLE)
    assert (finish(FILLED // 2, CROP, MASK, HOLE, ~HOLE).fill[MASK] == 80).all()
    done = finish(FILLED // 2, CROP, MASK, MASK, ~MASK)
    assert (done.opacity[HOLE & ~MASK] == 0).all()

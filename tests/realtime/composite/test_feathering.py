"""The opacity of a fill: full on the mask and its edge, gone outside the hole, smooth between them."""

from __future__ import annotations

import numpy as np

from realtime.composite.feathering import feather
from realtime.segment.mask_cleaning import hole_from_mask


def test_feather_is_1_on_the_mask_and_its_edge_and_0_outside_the_hole(mask):
    hole = hole_from_mask(mask)
    opacity = feather(hole)
    assert (opacity[hole_from_mask(mask, 1)] > 0.99).all()
    assert (opacity[~hole] == 0).all()


def test_feather_falls_off_at_the_edge_of_the_hole(mask):
    hole = hole_from_mask(mask)
    opacity = feather(hole)
    outermost = hole & hole_from_mask(~hole, 1)
    assert (opacity[outermost] > 0.2).all()
    assert (opacity[outermost] < 0.9).all()


def test_feather_beside_a_thin_loop_is_opaque(mask):
    mask[60:80, 105:107] = True
    opacity = feather(hole_from_mask(mask))
    assert (opacity[62:78, 104:108] > 0.99).all()


def test_feather_of_no_hole_is_0():
    assert not feather(np.zeros((128, 128), bool)).any()

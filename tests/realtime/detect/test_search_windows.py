"""The windows that a picture is searched in."""

from __future__ import annotations

import numpy as np
import pytest

from realtime.align.affine import apply
from realtime.detect.search_windows import Window, all_windows, pyramid

_SIZES = [(640, 480), (360, 640), (1280, 720), (1920, 1080), (64, 64)]


@pytest.mark.parametrize("size", _SIZES)
def test_each_level_covers_the_whole_frame(size: tuple[int, int]):
    width, height = size
    for level in pyramid(width, height):
        seen = np.zeros((height, width), bool)
        for x, y, side, _ in level:
            left, top = round(x + 0.5 - side / 2), round(y + 0.5 - side / 2)
            right, bottom = round(left + side), round(top + side)
            seen[max(top, 0) : bottom, max(left, 0) : right] = True
        assert seen.all()


def test_window_shows_its_square_turned():
    window = Window(100.0, 50.0, 64.0, 1)
    centre, below = apply(window.to_square, np.array([[100.0, 50.0], [100.0, 66.0]]))
    assert np.allclose(centre, 63.5)
    assert np.allclose(below - centre, (32.0, 0.0))  # what lies below is shown to the right


def test_picture_has_a_window_wider_than_itself():
    assert max(window.side for window in all_windows(200, 150)) > 200

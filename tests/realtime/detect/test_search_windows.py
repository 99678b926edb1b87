"""The windows that a picture is searched in."""

from __future__ import annotations

import numpy as np
import pytest

from realtime.align.affine import apply
from realtime.detect.search_windows import Window, all_windows, pyramid
from realtime.settings import DETECT

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


@pytest.mark.parametrize("size", _SIZES)
def test_some_window_shows_any_face_large_and_whole(size: tuple[int, int]):
    """The detector sees faces from a sixth of a window on; of such faces none lies across all edges."""
    width, height = size
    windows = [window for level in pyramid(width, height) for window in level]
    x, y, side = np.array([(one.x + 0.5, one.y + 0.5, one.side) for one in windows]).T
    rng = np.random.default_rng(0)
    least = 0.18 * min(side)
    for _ in range(300):
        face = np.exp(rng.uniform(np.log(least), np.log(0.5 * min(size))))
        at_x, at_y = rng.uniform(face / 2, np.array(size) - face / 2)
        inside = np.maximum(abs(x - at_x), abs(y - at_y)) + face / 2 <= side / 2 + 1
        assert (inside & (face >= 0.17 * side)).any()


@pytest.mark.parametrize("size", _SIZES)
def test_windows_of_a_level_overlap_no_more_than_needed(size: tuple[int, int]):
    """Each window costs as much as any other: a picture of 1080 rows has fewer than 400 upright ones."""
    longer, shorter = max(size), min(size)
    for level in pyramid(*size)[1:]:
        side = level[0].side
        assert side >= min(shorter, DETECT.least_window_px)
        assert len(level) <= (longer / side / 0.7 + 1) * (shorter / side / 0.7 + 1)
    sides = [level[0].side for level in pyramid(*size)]
    assert sides[0] == longer and all(np.diff(sides) < 0)


def test_window_shows_its_square_turned():
    window = Window(100.0, 50.0, 64.0, 1)
    centre, below = apply(window.to_square, np.array([[100.0, 50.0], [100.0, 66.0]]))
    assert np.allclose(centre, 63.5)
    assert np.allclose(below - centre, (32.0, 0.0))  # what lies below is shown to the right


def test_picture_has_a_window_wider_than_itself():
    assert max(window.side for window in all_windows(200, 150)) > 200

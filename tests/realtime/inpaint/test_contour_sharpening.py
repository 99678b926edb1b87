"""The outline of a filled face: crisp before one background, left alone where it is not known."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from realtime.frames import FaceContext, Fill
from realtime.inpaint.contour_sharpening import ContourSharpening

_SKIN, _WALL, _SCARF = (190, 140, 120), (150, 160, 175), (20, 20, 25)
_OUTLINE_X = 40.0  # a face in profile, its outline a line down


def sharpen_contour(crop: NDArray[np.uint8], hole: NDArray[np.bool_]) -> NDArray[np.uint8]:
    return ContourSharpening()(Fill(crop), FaceContext.of_crop(crop, hole)).rgb


def _crop(width_px: float, wall: tuple[int, int, int] = _WALL) -> NDArray[np.uint8]:
    """Skin at the right, a wall at the left; it fades over about so many pixels."""
    x = np.arange(128, dtype=np.float32)
    share = np.clip((x - _OUTLINE_X) / width_px + 0.5, 0, 1)[None, :, None]
    row = share * np.array(_SKIN, np.float32) + (1 - share) * np.array(wall, np.float32)
    return np.repeat(np.rint(row), 128, 0).astype(np.uint8)


@pytest.fixture
def hole() -> NDArray[np.bool_]:
    """A mask over the lower face that stands out 16 px in front of it."""
    hole = np.zeros((128, 128), bool)
    hole[62:112, 24:100] = True
    return hole


def _filled(hole: NDArray[np.bool_], wall: tuple[int, int, int] = _WALL) -> NDArray[np.uint8]:
    return np.where(hole[..., None], _crop(16, wall), _crop(1, wall))


def _fade_px(picture: NDArray[np.uint8], row: int) -> int:
    """How many pixels of a row are neither wall nor skin."""
    pixels = picture[row].astype(int)
    clear = [np.abs(pixels - colour).max(-1) > 8 for colour in (_WALL, _SKIN)]
    return int((clear[0] & clear[1]).sum())


def test_what_fades_becomes_crisp_and_stays_where_it_was(hole: NDArray[np.bool_]):
    before = _filled(hole)
    after = sharpen_contour(before, hole)
    for row in (75, 90):
        assert _fade_px(after, row) < 0.65 * _fade_px(before, row)
        half = np.abs(after[row, :, 0].astype(int) - (_SKIN[0] + _WALL[0]) // 2).argmin()
        assert abs(half - _OUTLINE_X) <= 1.5
    assert np.array_equal(after[~hole], before[~hole])


def test_before_an_even_wall_no_trace_of_the_mask_is_left(hole: NDArray[np.bool_]):
    before = _filled(hole)
    before[70:100, 24:32] -= 6  # a fill that is a little off
    after = sharpen_contour(before, hole)
    assert np.abs(after[72:98, 26:30].astype(int) - _WALL).max() <= 2


def test_lips_and_shades_inside_the_face_stay(hole: NDArray[np.bool_]):
    before = _filled(hole)
    cv2.ellipse(before, (70, 92), (12, 4), 0, 0, 360, (140, 70, 70), -1)
    before[78:84, 80:96] -= 40
    after = sharpen_contour(before, hole)
    assert np.array_equal(after[66:108, 58:98], before[66:108, 58:98])


def test_between_two_backgrounds_nothing_is_changed(hole: NDArray[np.bool_]):
    before = _filled(hole)
    before[86:, :24] = _SCARF
    after = sharpen_contour(before, hole)
    changed = np.abs(after.astype(int) - before).max(-1)
    assert changed[80:92, 24:].max() < changed[66:74, 24:].max() / 2


def test_where_no_background_is_seen_the_fill_stays(hole: NDArray[np.bool_]):
    before = _filled(hole, wall=_SKIN)
    assert np.array_equal(sharpen_contour(before, hole), before)


def test_where_no_skin_is_seen_the_fill_stays():
    everywhere = np.ones((128, 128), bool)
    before = _crop(16)
    assert np.array_equal(sharpen_contour(before, everywhere), before)

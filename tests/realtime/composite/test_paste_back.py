"""Putting the fill back: exact outside the hole, no seam at its rim, only the face's own region."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from realtime.align import affine, warp_crop
from realtime.composite.feathering import feather
from realtime.composite.paste_back import paste
from realtime.frames import Detail, Face, Fill
from realtime.segment.mask_cleaning import hole_from_mask


def revealed(mask: np.ndarray) -> np.ndarray:
    """Opacity of a fill."""
    return feather(hole_from_mask(mask))


def test_paste_unchanged_crop_changes_next_to_nothing(astronaut_rgb, astronaut_face: Face, mask):
    frame = np.ascontiguousarray(astronaut_rgb[:, :, ::-1])
    crop, _ = warp_crop.warp_crop(astronaut_rgb, astronaut_face.matrix)
    patch = paste(frame, Fill(crop), revealed(mask), astronaut_face.matrix)
    assert patch is not None
    height, width = patch.replaced.shape
    region = frame[patch.y : patch.y + height, patch.x : patch.x + width]
    difference = np.abs(patch.image.astype(int) - region)
    assert difference[~patch.replaced].max(initial=0) == 0
    assert difference.mean() < 3


@pytest.mark.parametrize(("scale", "degrees"), [(0.7, 20), (1.3, -35), (3.4, 0), (3.4, 190)])
def test_paste_puts_each_pixel_in_its_place(mask, scale: float, degrees: float):
    """The crop is painted by place: what is shown says where it came from."""
    turn = cv2.getRotationMatrix2D((0, 0), degrees, 1 / scale)
    turn[:, 2] = np.array([63.5, 63.5]) - turn[:, :2] @ (307, 296)
    ys, xs = np.mgrid[0:128, 0:128]
    crop = np.dstack([2 * xs, 2 * ys, 250 - xs]).astype(np.uint8)
    frame, opacity = np.full((600, 600, 3), 7, np.uint8), revealed(mask)
    patch = paste(frame, Fill(crop), opacity, turn)
    assert patch is not None
    rows, columns = np.nonzero(patch.replaced)
    x, y = affine.apply(turn, np.column_stack([columns + patch.x, rows + patch.y]).astype(float)).T
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    whole = cv2.warpAffine(opacity, turn, (600, 600), flags=flags)
    shown = whole[patch.y :, patch.x :][rows, columns]
    wanted = shown[:, None] * np.column_stack([250 - x, 2 * y, 2 * x]) + (1 - shown[:, None]) * 7
    error = np.abs(patch.image[patch.replaced] - wanted)
    assert error.max() < 1.6 and error.mean() < 0.4
    changed = np.zeros((600, 600), bool)
    changed[rows + patch.y, columns + patch.x] = True
    assert changed[whole > 0.08].all() and not changed[whole < 0.02].any()


def test_paste_face_half_outside_the_frame_is_cut(mask):
    frame = np.full((100, 100, 3), 50, np.uint8)
    matrix = np.array([[1.0, 0, 60], [0, 1.0, 40]])
    patch = paste(frame, Fill(np.full((128, 128, 3), 200, np.uint8)), revealed(mask), matrix)
    assert patch is not None
    assert patch.x == 0
    assert patch.x + patch.replaced.shape[1] <= 100
    for x, y in ((4000, 0), (-4000, 0), (0, 4000), (0, -4000)):
        away = np.array([[1.0, 0, x], [0, 1.0, y]])
        assert paste(frame, Fill(frame), revealed(mask), away) is None


def test_paste_adds_detail_in_its_place(mask):
    """A square of twice the crop's resolution holds a brighter and a darker spot; blue alone changes."""
    levels = np.zeros((64, 64, 3), np.int16)
    levels[20:28, 20:28, 0], levels[20:28, 40:48, 0] = 50, -300
    to_square = np.array([[2.0, 0, -96], [0, 2.0, -150]])
    detail, matrix = Detail(levels, to_square), np.array([[0.25, 0, 10], [0, 0.25, 8]])
    frame, crop = np.full((500, 500, 3), 90, np.uint8), np.full((128, 128, 3), 120, np.uint8)
    opacity = np.ones((128, 128), np.float32)
    patch = paste(frame, Fill(crop, detail=detail), opacity, matrix)
    assert patch is not None
    of_square = affine.invert(affine.compose(to_square, matrix))
    places = affine.apply(of_square, np.array([[23.5, 23.5], [43.5, 23.5], [10.0, 10.0]]))
    shown = [patch.image[round(y) - patch.y, round(x) - patch.x].tolist() for x, y in places]
    assert shown == [[170, 120, 120], [0, 120, 120], [120, 120, 120]]

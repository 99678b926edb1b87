"""Putting the fill back: exact outside the hole, no seam at its rim, only the face's own region."""

from __future__ import annotations

import numpy as np
import pytest

from realtime.align import affine, warp_crop
from realtime.composite.feathering import feather
from realtime.composite.paste_back import paste
from realtime.frames import Face, Fill
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


def test_paste_replaces_only_the_hole(astronaut_rgb, astronaut_face: Face, mask):
    frame = np.ascontiguousarray(astronaut_rgb[:, :, ::-1])
    grey = np.full((128, 128, 3), 127, np.uint8)
    patch = paste(frame, Fill(grey), revealed(mask), astronaut_face.matrix)
    assert patch is not None
    expected = hole_from_mask(mask).sum() / affine.scale_of(astronaut_face.matrix) ** 2
    assert patch.replaced.sum() == pytest.approx(expected, rel=0.1)
    ys, xs = np.nonzero(patch.replaced)
    points = np.column_stack([xs + patch.x, ys + patch.y]).astype(float)
    inside = affine.apply(astronaut_face.matrix, points)
    assert np.hypot((inside[:, 0] - 64) / 32, (inside[:, 1] - 82) / 28).max() < 1.1


def test_paste_face_half_outside_the_frame_is_cut(mask):
    frame = np.full((100, 100, 3), 50, np.uint8)
    matrix = np.array([[1.0, 0, 60], [0, 1.0, 40]])
    patch = paste(frame, Fill(np.full((128, 128, 3), 200, np.uint8)), revealed(mask), matrix)
    assert patch is not None
    assert patch.x == 0
    assert patch.x + patch.replaced.shape[1] <= 100
    away = np.array([[1.0, 0, 4000], [0, 1.0, 0]])
    assert paste(frame, Fill(frame), revealed(mask), away) is None

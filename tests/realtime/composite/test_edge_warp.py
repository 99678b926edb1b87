"""Contours of a fill become narrow and stay in their place; shading stays as it is."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from realtime.align.crop_window import CropWindow
from realtime.composite.edge_warp import EdgeWarp
from realtime.frames import Fill, SegmentedFace

SKIN, WALL, COAT = (200, 160, 140), (90, 110, 130), (20, 22, 25)


@pytest.fixture(scope="module")
def hole() -> np.ndarray:
    hole = np.zeros((128, 128), bool)
    hole[50:124, 8:120] = True
    return hole


def step(left: float, right: tuple[int, ...], x: float = 100, sigma_px: float = 3) -> np.ndarray:
    """A soft vertical edge at `x` between skin and something else."""
    share = np.zeros((128, 128, 1), np.float32)
    share[:, int(x) :] = 1
    share[:, :, 0] = cv2.GaussianBlur(share, (0, 0), sigma_px)
    return np.rint(left * np.array(SKIN) * (1 - share) + share * np.array(right)).astype(np.uint8)


def warped(crop: np.ndarray, hole: np.ndarray, window: CropWindow | None = None) -> np.ndarray:
    face = SegmentedFace.of_crop(crop, hole, window=window or CropWindow())
    return EdgeWarp()(Fill(crop), face).rgb


def width_and_place(row: np.ndarray) -> tuple[float, float]:
    """Distance between the places where a falling edge has 90 and 10 percent, and its middle, px."""
    profile = row.astype(float).sum(-1)
    profile = (profile - profile.min()) / np.ptp(profile)
    at = [float(np.interp(-level, -profile, np.arange(len(profile)))) for level in (0.9, 0.5, 0.1)]
    return at[2] - at[0], at[1]


@pytest.mark.parametrize(
    ("light", "beyond", "share"), [(1.0, WALL, 0.65), (0.35, COAT, 0.8)], ids=["wall", "dark coat"]
)
def test_edge_warp_soft_contour_becomes_narrow(hole, light, beyond, share):
    crop = step(light, beyond)
    result = warped(crop, hole)
    before, place = width_and_place(crop[80, 80:120])
    after, same_place = width_and_place(result[80, 80:120])
    assert after < share * before
    assert abs(same_place - place) < 0.7
    # Nothing overshoots.
    assert result.min() >= crop.min() - 2
    assert result.max() <= crop.max() + 2


def test_edge_warp_outside_the_hole_nothing_changes(hole):
    crop = step(1.0, WALL)
    result = warped(crop, hole)
    assert np.array_equal(result[~hole], crop[~hole])
    assert not np.array_equal(result[hole], crop[hole])


def test_edge_warp_contour_does_not_break_at_the_edge_of_the_hole(hole):
    by_row = moved(step(1.0, WALL), hole)
    assert by_row[49] == 0
    assert by_row[50] < 0.5 * by_row[56]


def test_edge_warp_shading_stays(hole):
    crop = step(1.0, (160, 125, 108), sigma_px=6)
    assert np.array_equal(warped(crop, hole), crop)


def moved(crop: np.ndarray, hole: np.ndarray, window: CropWindow | None = None) -> np.ndarray:
    return np.abs(warped(crop, hole, window).astype(int) - crop).max((1, 2))


def test_edge_warp_nose_and_mouth_stay(hole):
    by_row = moved(step(1.0, WALL, x=64), hole)
    at_mouth, below_chin = by_row[70:96], by_row[116:120]
    assert at_mouth.max() < 0.1 * below_chin.min()


def test_edge_warp_moved_window_knows_where_the_mouth_is(hole):
    crop = step(1.0, WALL, x=32)
    aside = CropWindow(1.0, (-32.0, 0.0))
    assert moved(crop, hole, aside)[80] < 0.7 * moved(crop, hole)[80]


def test_edge_warp_mirrored_face_is_warped_alike(hole):
    crop = cv2.GaussianBlur(step(1.0, WALL), (0, 0), 1)
    mirrored = np.ascontiguousarray(crop[:, ::-1])
    other = warped(mirrored, np.ascontiguousarray(hole[:, ::-1]))[:, ::-1]
    assert np.abs(warped(crop, hole).astype(int) - other).max() <= 12


def test_edge_warp_without_a_hole_stays():
    crop = step(1.0, WALL)
    assert np.array_equal(warped(crop, np.zeros((128, 128), bool)), crop)

"""Refinement: detail for large faces alone, once for each fill, at nose and mouth."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from realtime.align.affine import apply, compose, invert
from realtime.align.crop_window import CANONICAL, CropWindow
from realtime.composite.refinement import Refinement
from realtime.frames import Detail, Fill, SegmentedFace

SCALE = 2.0
MATRIX = np.array([[1 / SCALE, 0, 3.0], [0, 1 / SCALE, -2.0]])
HOLE = np.zeros((128, 128), dtype=bool)
HOLE[58:124, 30:98] = True
NOSE_AND_MOUTH = np.array([[64.0, 75.0], [64.0, 100.0]])


@pytest.fixture(scope="module")
def step() -> Iterator[Refinement]:
    step = Refinement()
    yield step
    step.close()


def _picture(matrix: NDArray[np.float64], blur_px: float) -> NDArray[np.uint8]:
    """A frame, uint8 [256, 256, 3], with a dark line through the mouth, soft by so many frame px."""
    (x0, y0), (x1, y1) = apply(invert(matrix), np.array([[40.0, 98.0], [88.0, 98.0]]))
    picture = np.full((256, 256, 3), 170, np.uint8)
    cv2.line(picture, (round(x0), round(y0)), (round(x1), round(y1)), (60, 50, 90), 5)
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), blur_px), np.uint8)


def _crop(frame: NDArray[np.uint8], matrix: NDArray[np.float64]) -> NDArray[np.uint8]:
    crop = cv2.warpAffine(frame[..., ::-1], matrix, (128, 128), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(crop, np.uint8)


def _refined(
    step: Refinement,
    *,
    version: int = 1,
    matrix: NDArray[np.float64] = MATRIX,
    window: CropWindow = CANONICAL,
) -> Detail | None:
    """Refine the soft fill of a frame."""
    matrix = compose(window.matrix, matrix)
    frame = _picture(matrix, 4.0)
    crop = _crop(frame, matrix)
    hole = window.show(HOLE)
    face = SegmentedFace.of_crop(crop, hole, window=window)
    return step(Fill(crop, version), face, frame, matrix).detail


def test_refinement_of_small_face_is_none(step: Refinement) -> None:
    assert _refined(step, matrix=1.2 * np.eye(2, 3)) is None


def test_refinement_lies_at_nose_and_mouth_and_fades(step: Refinement) -> None:
    step.reset()
    detail = _refined(step)
    assert detail is not None
    side = len(detail.levels)
    inside = apply(detail.to_square, NOSE_AND_MOUTH)
    assert (inside > 0.1 * side).all() and (inside < 0.9 * side).all()
    strength = np.abs(detail.levels.astype(float)).mean(-1)
    assert strength.max() > 2
    border = np.ones((side, side), bool)
    border[1:-1, 1:-1] = False
    assert not detail.levels[border].any()
    # The line through the mouth is where something is added.
    rows = strength[:, side // 4 : 3 * side // 4].mean(1)
    mouth_y = apply(detail.to_square, np.array([[64.0, 98.0]]))[0, 1]
    assert abs(int(rows.argmax()) - mouth_y) < 8


def test_refinement_shows_the_same_place_in_any_window(step: Refinement) -> None:
    places = []
    for version, window in enumerate((CANONICAL, CropWindow(0.8, (6.0, -4.0))), 20):
        detail = _refined(step, version=version, window=window)
        assert detail is not None
        places.append(compose(detail.to_square, window.matrix))
    assert np.allclose(*places)


def test_refinement_is_asked_once_for_each_fill(step: Refinement) -> None:
    step.reset()
    first, again = _refined(step, version=1), _refined(step, version=1)
    other = _refined(step, version=2)
    assert first is not None and other is not None
    assert first is again and other is not first
    assert np.array_equal(other.levels, first.levels)
    step.keep_only([])
    assert _refined(step, version=2) is not other

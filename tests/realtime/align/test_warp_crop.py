"""Cutting crops out of pictures: the right place at any size and angle, averaged, in the right colours."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from realtime.align.affine import apply, invert
from realtime.align.warp_crop import warp_crop, warp_crop_rgb, warp_square, warp_square_rgb


def turned(scale: float, degrees: float, centre: tuple[float, float]) -> NDArray[np.float64]:
    """Picture to crop: the centre of the crop lies at a place of the picture."""
    matrix = np.asarray(cv2.getRotationMatrix2D(centre, degrees, scale), dtype=np.float64)
    matrix[:, 2] += (63.5 - centre[0], 63.5 - centre[1])
    return matrix


@pytest.mark.parametrize("scale", [1.3, 0.6, 0.45, 0.3, 0.15])
@pytest.mark.parametrize("degrees", [0.0, 33.0, 117.0, 180.0])
@pytest.mark.parametrize("centre", [(450.0, 300.0), (40.0, 20.0), (880.0, 560.0)])
def test_warp_crop_shows_each_place_of_the_picture(
    scale: float, degrees: float, centre: tuple[float, float]
) -> None:
    """Averaging keeps a slope as it is, so each pixel tells where it is from."""
    x, y = np.meshgrid(np.arange(900) / 4, np.arange(600) / 3)
    picture = np.stack([x, y, x], axis=-1).round().astype(np.uint8)
    matrix = turned(scale, degrees, centre)
    crop, valid = warp_crop(picture, matrix)
    places = apply(invert(matrix), np.argwhere(np.ones((128, 128)))[:, ::-1].astype(float))
    wanted = (places / (4, 3)).reshape(128, 128, 2)
    inner = cv2.erode(valid.astype(np.uint8), np.ones((5, 5), np.uint8), borderValue=1) > 0
    assert valid[63:65, 63:65].all() and inner.any()
    assert np.abs(crop[inner][:, :2] - wanted[inner]).max() < 1.1


def test_warp_square_averages_what_it_would_skip() -> None:
    chequered = np.indices((512, 512)).sum(0) % 2 * np.uint8(255)
    picture = np.repeat(chequered[..., None], 3, axis=2).astype(np.uint8)
    square = warp_square(picture, np.array([[0.25, 0, 0], [0, 0.25, 0]]), 128, cv2.BORDER_REFLECT)
    assert np.abs(square.astype(int) - 127).max() <= 1


def test_warp_rgb_turns_the_channels_round() -> None:
    picture = np.full((200, 200, 3), (10, 90, 220), np.uint8)
    matrix = np.eye(2, 3)
    assert (warp_crop_rgb(picture, matrix)[0] == (220, 90, 10)).all()
    assert (warp_square_rgb(picture, matrix, 64, cv2.BORDER_REPLICATE) == (220, 90, 10)).all()

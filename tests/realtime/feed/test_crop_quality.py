"""Sharpness, yaw and quality: blurred, turned and smaller faces are worth less."""

from __future__ import annotations

import itertools

import cv2
import numpy as np
import pytest

from realtime.feed.aligned_crop import ARCFACE_TEMPLATE, aligned_crop
from realtime.feed.crop_quality import eye_distance_px, quality, sharpness, yaw_deg
from realtime.frames import Face
from realtime.synthetic import preset_style, render_mask

KEYPOINTS_CM = np.array(
    [[-3.15, 2.6, 3.5], [3.15, 2.6, 3.5], [0, -1.1, 7.5], [-2.5, -4.3, 4.3], [2.5, -4.3, 4.3]]
)


def crop_of(picture_rgb: np.ndarray, keypoints: np.ndarray) -> np.ndarray:
    return aligned_crop(np.ascontiguousarray(picture_rgb[:, :, ::-1]), keypoints)


def turned(degrees: float) -> np.ndarray:
    """The keypoints of a head that is turned to its left, which is the picture's right."""
    cos, sin = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    x, y, z = KEYPOINTS_CM.T
    return np.stack([cos * x + sin * z, -y], axis=1) * 20 + 300


def test_sharpness_falls_with_each_blur(astronaut_rgb: np.ndarray, astronaut_face: Face):
    crops = [
        crop_of(cv2.GaussianBlur(astronaut_rgb, (0, 0), sigma), astronaut_face.keypoints)
        for sigma in (0.3, 1.5, 3, 6)
    ]
    values = [sharpness(crop) for crop in crops]
    assert all(0 < lower < value - 0.03 < 1 for value, lower in itertools.pairwise(values))


def test_sharpness_falls_with_motion_blur(astronaut_rgb: np.ndarray, astronaut_face: Face):
    sharp = sharpness(crop_of(astronaut_rgb, astronaut_face.keypoints))
    for size in ((9, 1), (1, 9)):
        moved = cv2.blur(astronaut_rgb, size)
        assert sharpness(crop_of(moved, astronaut_face.keypoints)) < sharp - 0.1


def test_sharpness_of_dark_and_flat_crops():
    ramp = np.tile(np.arange(112, dtype=np.uint8), (112, 1))
    noise = np.random.default_rng(0).integers(0, 100, (112, 112), dtype=np.uint8)
    flat, ramp, noise = (np.dstack([each] * 3) for each in (np.full_like(ramp, 9), ramp, noise))
    assert sharpness(flat) == 0
    assert sharpness(ramp) < 0.2
    assert sharpness(noise) > 0.7
    assert sharpness(noise // 2) == pytest.approx(sharpness(noise), abs=0.02)


def test_sharpness_does_not_see_the_mask(astronaut_rgb: np.ndarray, astronaut_face: Face):
    assert astronaut_face.landmarks is not None
    masked = render_mask(astronaut_rgb, astronaut_face.landmarks, preset_style("cloth")).image_rgb
    bare, worn = (
        sharpness(crop_of(each, astronaut_face.keypoints)) for each in (astronaut_rgb, masked)
    )
    assert worn == pytest.approx(bare, abs=0.05)


@pytest.mark.parametrize("degrees", [-40, -10, 0, 25])
def test_yaw_deg_is_that_of_a_turned_head(degrees: float):
    assert yaw_deg(turned(degrees)) == pytest.approx(degrees, abs=2)


def test_yaw_deg_does_not_change_with_roll_and_size():
    points = turned(25) @ np.array([[0, 0.5], [-0.5, 0]])
    assert yaw_deg(points) == pytest.approx(yaw_deg(turned(25)))


def test_yaw_deg_of_points_at_one_place_is_zero():
    assert yaw_deg(np.zeros((5, 2))) == 0


def test_quality_rises_with_each_measure():
    usual = quality(0.5, 20, 40)
    assert 0 < usual < 1
    assert quality(0.6, 20, 40) > usual
    assert quality(0.5, 30, 40) < quality(0.5, -25, 40) < usual
    assert quality(0.5, 20, 30) < usual
    assert quality(1, 0, 1e6) <= 1
    assert quality(1, 100, 40) == 0


def test_quality_of_a_smaller_face_is_lower(astronaut_rgb: np.ndarray, astronaut_face: Face):
    values = []
    for scale in (1, 0.5, 0.25):
        picture = cv2.resize(astronaut_rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        points = (astronaut_face.keypoints + 0.5) * scale - 0.5
        measures = sharpness(crop_of(picture, points)), yaw_deg(points), eye_distance_px(points)
        values.append(quality(*measures))
    assert values[0] > values[1] > values[2] > 0


def test_eye_distance_px_is_the_templates():
    assert eye_distance_px(ARCFACE_TEMPLATE) == pytest.approx(35.24, abs=0.01)

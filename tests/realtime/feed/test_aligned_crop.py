"""The aligned crop: its similarity, its colour order, and large and small faces."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from realtime.align.affine import apply, invert
from realtime.feed.aligned_crop import (
    ARCFACE_TEMPLATE,
    aligned_crop,
    fit_similarity,
    template_matrix,
)
from realtime.frames import Face


def similarity(scale: float, roll_deg: float, shift: tuple[float, float]) -> np.ndarray:
    cos, sin = scale * np.cos(np.deg2rad(roll_deg)), scale * np.sin(np.deg2rad(roll_deg))
    return np.array([[cos, -sin, shift[0]], [sin, cos, shift[1]]])


@pytest.mark.parametrize("roll_deg", [0, 30, -120, 180])
def test_template_matrix_undoes_any_similarity(roll_deg: float):
    there = similarity(2.5, roll_deg, (300, 120))
    matrix = template_matrix(apply(there, ARCFACE_TEMPLATE))
    assert matrix == pytest.approx(invert(there))


def test_template_matrix_equals_umeyamas(astronaut_face: Face):
    from skimage.transform import SimilarityTransform

    theirs = SimilarityTransform.from_estimate(astronaut_face.keypoints, ARCFACE_TEMPLATE)
    assert template_matrix(astronaut_face.keypoints) == pytest.approx(theirs.params[:2])


def test_fit_similarity_never_mirrors():
    mirrored = ARCFACE_TEMPLATE * (-1, 1)
    assert np.linalg.det(fit_similarity(mirrored, ARCFACE_TEMPLATE)[:, :2]) > 0


@pytest.mark.parametrize("points", [np.zeros((5, 2)), np.full((5, 2), np.nan)])
def test_template_matrix_without_extent_is_refused(points: np.ndarray):
    with pytest.raises(ValueError, match="finite and at several places"):
        template_matrix(points)


def test_aligned_crop_is_rgb_of_the_face(astronaut_rgb: np.ndarray, astronaut_face: Face):
    frame_bgr = np.ascontiguousarray(astronaut_rgb[:, :, ::-1])
    crop = aligned_crop(frame_bgr, astronaut_face.keypoints)
    assert crop.shape == (112, 112, 3) and crop.dtype == np.uint8
    eyes, cheeks = crop[49:54, 36:40], crop[72:78, 30:36]
    assert eyes.mean() < cheeks.mean() - 20
    assert cheeks[..., 0].mean() > cheeks[..., 2].mean() + 20  # skin is redder than blue


def test_aligned_crop_of_another_side_shows_the_same(
    astronaut_rgb: np.ndarray, astronaut_face: Face
):
    frame_bgr = np.ascontiguousarray(astronaut_rgb[:, :, ::-1])
    crop = aligned_crop(frame_bgr, astronaut_face.keypoints)
    large = aligned_crop(frame_bgr, astronaut_face.keypoints, side=224)
    half = cv2.resize(large, (112, 112), interpolation=cv2.INTER_AREA)
    assert np.abs(half.astype(int) - crop).mean() < 2


def test_aligned_crop_outside_the_frame_is_black():
    white = np.full((112, 112, 3), 255, np.uint8)
    crop = aligned_crop(white, ARCFACE_TEMPLATE - (60, 0))
    assert not crop[:, :59].any() and (crop[:, 62:] == 255).all()


def test_aligned_crop_of_a_large_face_does_not_alias():
    """Stripes of one pixel become the grey that they are on average."""
    frame = np.zeros((1120, 1120, 3), np.uint8)
    frame[:, ::2] = 255
    crop = aligned_crop(frame, ARCFACE_TEMPLATE * 10)
    assert np.abs(crop[5:-5, 5:-5].astype(int) - 127).max() <= 3

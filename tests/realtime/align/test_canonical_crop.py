"""The canonical crop: where the eyes land, what stays inside, what lies outside the picture."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from realtime.align import affine, canonical_crop, warp_crop
from realtime.frames import Face


def test_similarity_eyes_are_level_and_apart_as_designed(astronaut_face: Face):
    assert astronaut_face.landmarks is not None
    points = affine.apply(astronaut_face.matrix, astronaut_face.landmarks)
    right, left = points[33], points[263]
    assert right[1] == pytest.approx(left[1], abs=1e-6)
    assert (right[1] + left[1]) / 2 == pytest.approx(46, abs=1e-6)
    assert 40 <= left[0] - right[0] <= 48.001
    level = canonical_crop.level_of(astronaut_face.landmarks)
    given = canonical_crop.similarity_from_landmarks(astronaut_face.landmarks, level)
    assert given == pytest.approx(astronaut_face.matrix)


def test_chin_and_what_is_under_it_lie_inside(astronaut_face: Face):
    assert astronaut_face.landmarks is not None
    chin = affine.apply(astronaut_face.matrix, astronaut_face.landmarks)[152]
    assert 80 < chin[1] < 122


def test_similarity_turned_or_scaled_picture_gives_the_same_crop(
    astronaut_rgb, astronaut_face: Face
):
    assert astronaut_face.landmarks is not None
    crop, _ = warp_crop.warp_crop(astronaut_rgb, astronaut_face.matrix)
    move = cv2.getRotationMatrix2D((224, 120), 20, 1.5)
    turned = cv2.warpAffine(astronaut_rgb, move, (900, 900), flags=cv2.INTER_CUBIC)
    landmarks = affine.apply(move, astronaut_face.landmarks)
    again, _ = warp_crop.warp_crop(
        np.asarray(turned, np.uint8), canonical_crop.similarity_from_landmarks(landmarks)
    )
    middle = (slice(20, 110), slice(20, 110))
    assert np.abs(crop[middle].astype(int) - again[middle]).mean() < 4


def test_similarity_turned_head_does_not_zoom_in(astronaut_face: Face):
    assert astronaut_face.landmarks is not None
    centre = astronaut_face.landmarks[:, 0].mean()
    narrow = astronaut_face.landmarks.copy()
    narrow[:, 0] = centre + (narrow[:, 0] - centre) * 0.4
    frontal = affine.scale_of(astronaut_face.matrix)
    turned = affine.scale_of(canonical_crop.similarity_from_landmarks(narrow))
    by_eyes_alone = frontal / 0.4
    assert turned < 0.6 * by_eyes_alone


# What the Face Detector says of faces whose eyes are level: eyes, nose tip, mouth, ears.
_FRONTAL = np.array([[40.0, 50], [60, 50], [50, 62], [50, 72], [30, 54], [70, 54]])
_LOOKS_LEFT = np.array([[40.0, 50], [48, 53.0], [28, 67], [32, 82], [50, 52], [84, 58]])
_OTHERWISE_ROUND = np.array([1, 0, 2, 3, 5, 4])


def _roll(matrix: np.ndarray) -> float:
    """By how many degrees a crop is turned against its picture."""
    return float(np.degrees(np.arctan2(matrix[1, 0], matrix[0, 0])))


@pytest.mark.parametrize("degrees", [-40, 0, 25, 170])
def test_similarity_profile_is_level_by_its_near_ear(degrees: float):
    looks_right = (_LOOKS_LEFT * (-1, 1) + (100, 0))[_OTHERWISE_ROUND]
    clockwise = cv2.getRotationMatrix2D((50, 50), -degrees, 1.0)
    for points, ahead in ((_LOOKS_LEFT, -1), (looks_right, 1)):
        points = affine.apply(clockwise, points)
        assert canonical_crop.profile_share(points) == 1
        matrix = canonical_crop.similarity_from_keypoints(points)
        assert _roll(matrix) == pytest.approx(-degrees, abs=4)
        eyes, nose = affine.apply(matrix, np.array([points[:2].mean(0), points[2]]))
        assert eyes[1] == pytest.approx(46)
        assert (eyes[0] - 63.5) * ahead < 0 < (nose - eyes)[0] * ahead  # room in front of the face
        assert 76 < apply_to(matrix, points[3])[1] < 86  # the mouth: neither zoomed in nor out


def apply_to(matrix: np.ndarray, point: np.ndarray) -> np.ndarray:
    return affine.apply(matrix, point[None])[0]


@pytest.mark.parametrize("points", [_FRONTAL, _LOOKS_LEFT, (_FRONTAL + 2 * _LOOKS_LEFT) / 3])
def test_similarity_face_elsewhere_gives_the_same_crop(points: np.ndarray):
    elsewhere = 3 * points + np.array([900, 300])
    here = canonical_crop.similarity_from_keypoints(points)
    there = canonical_crop.similarity_from_keypoints(elsewhere)
    assert affine.apply(there, elsewhere) == pytest.approx(affine.apply(here, points))


def test_similarity_frontal_face_is_level_by_its_eyes():
    ears_askew = _FRONTAL + np.array([[0, 0]] * 4 + [[0, -6], [0, 6]])
    for points in (_FRONTAL, ears_askew):
        assert canonical_crop.profile_share(points) == 0
        assert _roll(canonical_crop.similarity_from_keypoints(points)) == pytest.approx(0)


def test_similarity_between_front_and_profile_turns_gradually():
    towards = np.linspace(0, 1, 60)[:, None, None]
    steps = [
        canonical_crop.similarity_from_keypoints(p)
        for p in _FRONTAL + towards * (_LOOKS_LEFT - _FRONTAL)
    ]
    assert np.abs(np.diff([_roll(matrix) for matrix in steps])).max() < 5
    assert all(affine.scale_of(matrix) > 0 for matrix in steps)


def test_similarity_points_at_one_place_still_give_a_crop():
    matrix = canonical_crop.similarity_from_keypoints(np.full((6, 2), 30.0))
    assert np.isfinite(matrix).all()


def test_validity_marks_what_lies_outside(astronaut_rgb, astronaut_face: Face):
    matrix = astronaut_face.matrix
    x0, y0, x1, _ = astronaut_face.box
    cut = np.ascontiguousarray(astronaut_rgb[: int(y0 + 60)])
    _, valid = warp_crop.warp_crop(cut, matrix)
    assert valid[20:50, 40:90].all()
    assert not valid[110:].any()
    assert x1 > x0


def test_mirror_shows_the_crop_mirrored(astronaut_rgb, astronaut_face: Face):
    matrix = astronaut_face.matrix
    crop, _ = warp_crop.warp_crop(astronaut_rgb, matrix)
    other, _ = warp_crop.warp_crop(astronaut_rgb, affine.compose(canonical_crop.MIRROR, matrix))
    assert np.abs(other[:, ::-1].astype(int) - crop).mean() < 1


def test_warp_crop_large_face_does_not_alias():
    stripes = np.zeros((1024, 1024, 3), np.uint8)
    stripes[:, ::2] = 255
    matrix = np.array([[1 / 8, 0, 0], [0, 1 / 8, 0.0]])
    crop, _ = warp_crop.warp_crop(stripes, matrix)
    assert np.abs(crop[8:-8, 8:-8].astype(int) - 127).max() <= 2


@pytest.mark.parametrize(
    ("scale", "degrees", "size", "centre"),
    [(0.12, 0, 224, (640, 480)), (0.3, 35, 128, (700, 400)),
     (0.3, 200, 128, (150, 900)), (0.45, 90, 128, (1150, 60)), (1.6, -20, 128, (600, 20)),
     (0.5, 0, 224, (1200, 870))],
)  # fmt: skip
def test_warp_crop_shows_each_pixel_in_its_place(scale, degrees, size, centre):
    """The picture is painted by place: what is shown says where it came from."""
    x, y = np.meshgrid(np.arange(1280), np.arange(960))
    picture = np.dstack([x // 6, y // 4, 255 - x // 6]).astype(np.uint8)
    matrix = cv2.getRotationMatrix2D(centre, degrees, scale)
    matrix[:, 2] += np.array([63.5, 63.5]) - centre
    crop, valid = warp_crop.warp_crop(picture, matrix, size)
    xs, ys = np.meshgrid(np.arange(size), np.arange(size))
    larger = matrix * (size / 128)
    at = affine.apply(affine.invert(larger), np.stack([xs, ys], axis=-1).reshape(-1, 2))
    inside = ((at > -0.5) & (at < (1279.5, 959.5))).all(1)
    assert np.array_equal(valid.ravel(), inside)
    error = crop.reshape(-1, 3)[inside, :2] + 0.5 - (at[inside] + 0.5) / (6, 4)
    assert np.abs(error).max() < 1 and np.abs(error.mean(0)).max() < 0.2


@pytest.mark.parametrize("beyond", [(900.0, 100), (-500, 100), (200, 900), (200, -400), (512, 100)])
def test_warp_crop_large_face_beside_the_picture_is_outside_it(astronaut_rgb, beyond):
    """Five picture pixels for each of the crop's; the last one lies half inside."""
    matrix = np.array([[0.2, 0, 63.5], [0, 0.2, 63.5]])
    matrix[:, 2] -= 0.2 * np.array(beyond)
    crop, valid = warp_crop.warp_crop(astronaut_rgb, matrix)
    assert crop.shape == (128, 128, 3) and valid.any() == (beyond == (512, 100))


def test_inverse_returns_the_points():
    matrix = np.array([[0.3, -0.1, 5.0], [0.1, 0.3, -7.0]])
    points = np.array([[10.0, 20.0], [300.0, 40.0]])
    there = affine.apply(matrix, points)
    assert affine.apply(affine.invert(matrix), there) == pytest.approx(points, abs=1e-6)

"""The aligner on a real photograph: face or none, mask or none, and where the canonical crop lies."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from realtime.align.affine import apply, compose, invert
from realtime.detect.face_aligner import FaceAligner
from realtime.frames import Face
from realtime.synthetic import preset_style, render_mask
from tests.realtime.making_faces import of_rgb

_CENTRE = np.array([63.5, 63.5])  # of the canonical crop
# Eyes and chin in the canonical crop.
_POINTS = np.array([[40.0, 46], [88, 46], [64, 96]])


@pytest.fixture(scope="module")
def aligner() -> Iterator[FaceAligner]:
    aligner = FaceAligner()
    yield of_rgb(aligner)
    aligner.close()


@pytest.fixture(scope="module")
def worn_rgb(astronaut_rgb: NDArray[np.uint8], astronaut_face: Face) -> NDArray[np.uint8]:
    assert astronaut_face.landmarks is not None
    return render_mask(astronaut_rgb, astronaut_face.landmarks, preset_style("surgical")).image_rgb


def turned(degrees: float, scale: float = 1.0, shift: float = 0.0) -> NDArray[np.float64]:
    """A similarity of the canonical crop about its centre."""
    angle = np.deg2rad(degrees)
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    linear = np.array([[cos, -sin], [sin, cos]])
    return np.column_stack([linear, _CENTRE + shift - linear @ _CENTRE])


def error_px(face: Face, to_canonical: NDArray[np.float64]) -> float:
    """Mean distance of the points from where they belong, crop px."""
    points = apply(compose(face.matrix, invert(to_canonical)), _POINTS)
    return float(np.hypot(*(points - _POINTS).T).mean())


@pytest.mark.parametrize("degrees", [0, 60, 135, 180, 250, 320])
def test_masked_face_is_aligned_from_any_orientation(aligner, worn_rgb, astronaut_face, degrees):
    guess = compose(turned(degrees, 1.15, 6.0), astronaut_face.matrix)
    found = aligner(worn_rgb, guess)
    found = aligner(worn_rgb, found.to_canonical)
    assert found.face > 0.9
    assert found.mask > 0.5
    assert error_px(astronaut_face, found.to_canonical) < 6


def test_bare_face_wears_no_mask(aligner, astronaut_rgb, astronaut_face):
    found = aligner(astronaut_rgb, astronaut_face.matrix)
    assert found.face > 0.9
    assert found.mask < 0.5


def test_mirrored_look_gives_the_same_place(aligner, worn_rgb, astronaut_face):
    found = aligner(worn_rgb, astronaut_face.matrix, mirrored=True)
    assert np.linalg.det(found.to_canonical[:, :2]) > 0
    assert error_px(astronaut_face, found.to_canonical) < 5


@pytest.mark.parametrize("x", [60.0, 440.0])
def test_places_beside_the_face_are_none(aligner, astronaut_rgb, astronaut_face, x):
    matrix = astronaut_face.matrix.copy()
    matrix[:, 2] = _CENTRE - matrix[:, :2] @ (x, 400.0)
    assert aligner(astronaut_rgb, matrix).face < 0.5

"""The second look: it finds a face from a rough guess, and no other face than the one that was followed."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from inpaint_model.third_party import find_face_landmarker
from realtime.align.affine import compose
from realtime.align.canonical_crop import MIRROR
from realtime.detect.blazeface import Detection
from realtime.detect.second_look import SecondLook
from realtime.frames import Face
from realtime.synthetic import preset_style, render_mask
from tests.realtime.making_faces import of_rgb

CENTRE = np.array([63.5, 63.5])


@pytest.fixture(scope="module")
def looks() -> Iterator[SecondLook]:
    looks = SecondLook(find_face_landmarker())
    yield of_rgb(looks)
    looks.close()


@pytest.fixture(scope="module")
def worn_rgb(astronaut_rgb: NDArray[np.uint8], astronaut_face: Face) -> NDArray[np.uint8]:
    assert astronaut_face.landmarks is not None
    return render_mask(astronaut_rgb, astronaut_face.landmarks, preset_style("surgical")).image_rgb


def guess(
    face: Face, degrees: float = 0.0, zoom: float = 1.0, shift: tuple[float, float] = (0, 0)
) -> NDArray[np.float64]:
    """The face's canonical transform, off by so much about the crop's centre, crop px."""
    angle = np.deg2rad(degrees)
    cos, sin = zoom * np.cos(angle), zoom * np.sin(angle)
    linear = np.array([[cos, -sin], [sin, cos]])
    return compose(np.column_stack([linear, CENTRE + shift - linear @ CENTRE]), face.matrix)


@pytest.mark.parametrize(
    "off",
    [{}, {"degrees": 28}, {"degrees": -28}, {"zoom": 1.3}, {"zoom": 0.78}, {"shift": (30, 0)},
     {"shift": (0, -25)}],
)  # fmt: skip
def test_at_face_rough_guess_finds_the_same_place(
    looks, astronaut_rgb, worn_rgb, astronaut_face, off
):
    for picture, masked in ((astronaut_rgb, False), (worn_rgb, True)):
        look = looks.at_face(picture, guess(astronaut_face, **off))
        assert look is not None and 0.9 < look.score <= 1
        assert (look.mask > 0.9) == masked and (look.mask < 0.1) != masked
        assert 0.9 < look.presence <= 1 >= look.mask
        apart = np.abs(look.face.keypoints - astronaut_face.keypoints).max()
        assert apart < (6 if masked else 0.5)
        assert masked or np.abs(look.face.landmarks - astronaut_face.landmarks).max() < 0.6


@pytest.mark.parametrize(
    "off",
    [{"degrees": 42}, {"degrees": -45}, {"degrees": 180}, {"zoom": 1.5}, {"zoom": 0.64},
     {"shift": (45, 0)}, {"shift": (0, 45)}],
)  # fmt: skip
def test_at_face_another_place_is_not_the_face(looks, astronaut_rgb, astronaut_face, off):
    assert looks.at_face(astronaut_rgb, guess(astronaut_face, **off)) is None


@pytest.mark.parametrize("degrees", [0, 180])
def test_at_detection_of_the_forehead_finds_the_face(looks, astronaut_rgb, astronaut_face, degrees):
    """Of a large face the detector may see the upper half, and may take it for an upright one."""
    x0, y0, x1, y1 = astronaut_face.box
    for aside in (-25, 0, 25):
        place = np.array([(x0 + x1) / 2 + aside, (y0 + y1) / 2 - 39])
        points = np.array([[-10.0, -8], [10, -8], [0, 6], [0, 14], [-22, 0], [22, 0]])
        detection = Detection(0.6, place, 57.0, place + (points if degrees == 0 else -points))
        look = looks.at_detection(astronaut_rgb, detection)
        assert look is not None
        assert np.abs(look.face.keypoints - astronaut_face.keypoints).max() < 2


def test_mirrored_picture_has_mirrored_landmarks(looks, astronaut_rgb, astronaut_face):
    flipped = np.ascontiguousarray(astronaut_rgb[:, ::-1])
    matrix = compose(MIRROR, compose(astronaut_face.matrix, np.array([[-1.0, 0, 511], [0, 1, 0]])))
    (there, _), (here, _) = (
        looks.mesh(flipped, matrix), looks.mesh(astronaut_rgb, astronaut_face.matrix)
    )  # fmt: skip
    assert np.abs((511 - there[:, 0]).mean() - here[:, 0].mean()) < 0.6
    assert np.abs(there[:, 1].mean() - here[:, 1].mean()) < 0.6


@pytest.mark.parametrize("close_up", [True, False])
def test_at_detection_above_the_eyes_finds_the_face_of_a_close_up_alone(
    looks, worn_rgb, astronaut_face, close_up: bool
):
    x0, y0, x1, y1 = (round(edge) for edge in astronaut_face.box)
    cut = slice(y0 + 5, y1 - 5), slice(x0 - 10, x1 + 10)
    place = astronaut_face.keypoints[:2].mean(0) - (0, 10)
    if close_up:
        place -= (x0 - 10, y0 + 5)
    points = np.array([[-6.0, -3], [6, -3], [0, 3], [0, 6], [-11, 0], [11, 0]])
    detection = Detection(0.6, place, 30.0, place + points)
    picture = np.ascontiguousarray(worn_rgb[cut]) if close_up else worn_rgb
    look = looks.at_detection(picture, detection)
    assert (look is not None and look.score > 0.9 and look.face.size > 60) == close_up

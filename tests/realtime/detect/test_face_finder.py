"""Faces of any size, any way up, each once: the finder on a real photograph, with the real networks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest
import skimage.data
from numpy.typing import NDArray

from realtime.detect.face_finder import FaceFinder, Refused
from realtime.detect.face_geometry import moved, scaled_and_shifted
from realtime.detect.face_mesh import FaceMesh
from realtime.detect.search_windows import Window, large_windows
from realtime.detect.second_look import Look, SecondLook
from realtime.frames import Face
from realtime.settings import DETECT
from realtime.synthetic import preset_style, render_mask
from tests.realtime.making_faces import of_rgb

_BACKGROUND = 110  # grey level


@pytest.fixture(scope="module")
def finder() -> Iterator[FaceFinder]:
    with FaceFinder() as finder:
        yield of_rgb(finder)


@pytest.fixture(scope="module")
def worn_rgb(astronaut_rgb: NDArray[np.uint8], astronaut_face: Face) -> NDArray[np.uint8]:
    """The photograph's head and shoulders with a rendered mask."""
    assert astronaut_face.landmarks is not None
    masked = render_mask(astronaut_rgb, astronaut_face.landmarks, preset_style("surgical"))
    return masked.image_rgb[:300, 80:380]


def placed(head: NDArray[np.uint8], width: int, *, turns: int = 0) -> NDArray[np.uint8]:
    """A head scaled and turned by quarter turns in a grey 640x480 picture."""
    scale = width / 110  # the astronaut's face is about 110 px wide
    head = cv2.resize(head, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    head = np.rot90(head, -turns)
    picture = np.full((480, 640, 3), _BACKGROUND, np.uint8)
    high, wide = head.shape[:2]
    picture[100 : 100 + high, 200 : 200 + wide] = head
    return picture


def roll_of(face: Face) -> float:
    x, y = face.keypoints[1] - face.keypoints[0]
    return float(np.rad2deg(np.arctan2(y, x))) % 360


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_masked_face_is_found_upright_and_rolled(finder: FaceFinder, worn_rgb, turns: int):
    (face,) = finder.find_all(placed(worn_rgb, 100, turns=turns))
    assert abs((roll_of(face) - 90 * turns + 180) % 360 - 180) < 15


@pytest.mark.parametrize("width", [40, 60])
def test_masked_face_is_found_at_any_size(finder: FaceFinder, worn_rgb, width: int):
    (face,) = finder.find_all(placed(worn_rgb, width))
    assert face.confirmed and face.mask_score > 0.95
    assert 0.6 * width < face.size < 1.7 * width


def test_masked_face_is_confirmed_once_enough_of_it_is_seen(finder: FaceFinder, worn_rgb):
    """She comes out from behind a wall."""
    for column, confirmed in ((135, False), (145, True)):
        head = worn_rgb.copy()
        head[:, column:] = _BACKGROUND
        (face,) = finder.find_all(np.ascontiguousarray(placed(head, 90)[80:380, 180:480]))
        assert face.confirmed == confirmed


def test_face_in_the_dark_counts_if_large_and_upright(finder: FaceFinder, astronaut_rgb):
    """Things that are taken for a face are small in their pictures, or rolled."""
    wide = placed((0.06 * astronaut_rgb[:300, 80:380]).astype(np.uint8), 100)
    near = np.ascontiguousarray(wide[80:380, 180:480])
    (face,) = finder.find_all(near)
    assert not face.confirmed
    assert finder.find_all(wide) == []
    for turns in (1, 2):
        assert finder.find_all(np.ascontiguousarray(np.rot90(near, turns))) == []


def test_face_that_fills_the_picture_is_examined_once(
    finder: FaceFinder, astronaut_rgb, monkeypatch: pytest.MonkeyPatch
):
    examined = list[int]()

    def counted(looks: SecondLook, *arguments: Any) -> Look | None:
        examined.append(1)
        return look(looks, *arguments)

    look = SecondLook.at_detection
    monkeypatch.setattr(SecondLook, "at_detection", counted)
    assert len(finder.find_all(cv2.resize(astronaut_rgb[40:170, 150:280], (256, 256)))) == 1
    assert len(examined) == 1


def test_bare_face_upside_down_is_found_as_it_is(finder: FaceFinder, astronaut_rgb):
    (face,) = finder.find_all(placed(astronaut_rgb[:300, 80:380], 100, turns=2))
    assert abs(roll_of(face) - 180) < 15
    assert face.confirmed


def test_pictures_without_people_hold_no_confirmed_face(finder: FaceFinder):
    """What is found there is refused by the segmentation stage, as `benchmarks empty` counts."""
    for picture in (skimage.data.coffee(), skimage.data.rocket()):
        assert not any(face.confirmed for face in finder.find_all(np.ascontiguousarray(picture)))


def test_find_again_follows_a_moved_face(finder: FaceFinder, astronaut_rgb, astronaut_face: Face):
    shift = np.array([9.0, -6.0])
    later = cv2.warpAffine(astronaut_rgb, np.column_stack([np.eye(2), shift]), (512, 512))
    found = finder.find_again(np.asarray(later, np.uint8), astronaut_face)
    assert found is not None
    assert np.abs(found.centre - astronaut_face.centre - shift).max() < 2


def test_find_again_keeps_what_is_known_of_the_face(
    finder: FaceFinder, astronaut_rgb, astronaut_face
):
    """A bare face and a masked one are as sure as before; nothing becomes sure by being followed."""
    worn = render_mask(astronaut_rgb, astronaut_face.landmarks, preset_style("surgical")).image_rgb
    for picture in (astronaut_rgb, worn):
        for confirmed in (True, False):
            known = replace(astronaut_face, confirmed=confirmed, mask_score=0.7)
            found = finder.find_again(picture, known)
            assert found is not None and found.confirmed == confirmed
            assert found.mask_score == 0.7


def test_mask_score_tells_masked_from_bare(finder: FaceFinder, astronaut_rgb, astronaut_face):
    worn = render_mask(astronaut_rgb, astronaut_face.landmarks, preset_style("surgical")).image_rgb
    assert finder.mask_score(worn, astronaut_face) > 0.95
    assert finder.mask_score(astronaut_rgb, astronaut_face) < 0.05
    assert astronaut_face.mask_score < 0.05


@pytest.mark.parametrize(
    ("kind", "sigma_px", "landmarks"), [("n95", 6, True), ("surgical", 7, False)]
)
def test_find_again_out_of_focus_is_sure_if_landmarks_are_found(
    finder: FaceFinder, astronaut_rgb, astronaut_face, kind, sigma_px, landmarks
):
    worn = render_mask(astronaut_rgb, astronaut_face.landmarks, preset_style(kind)).image_rgb
    picture = cv2.GaussianBlur(worn, (0, 0), sigma_px)
    for confirmed in (True, False):
        found = finder.find_again(picture, replace(astronaut_face, confirmed=confirmed))
        assert found is not None and (found.landmarks is not None) == landmarks
        assert found.confirmed == (confirmed and landmarks)
        assert found.mask_score > 0.95  # the aligner is asked


def test_is_face_bare_or_masked_and_not_beside_it(
    finder: FaceFinder, astronaut_rgb, astronaut_face
):
    worn = render_mask(astronaut_rgb, astronaut_face.landmarks, preset_style("surgical")).image_rgb
    aside = moved(astronaut_face, scaled_and_shifted(1.0, 180, 200))
    assert finder.is_face(astronaut_rgb, astronaut_face) and finder.is_face(worn, astronaut_face)
    assert not finder.is_face(astronaut_rgb, aside)
    assert not finder.is_face(astronaut_rgb, replace(astronaut_face, matrix=np.eye(2, 3)))


def test_portrait_is_the_largest_face_of_a_photograph(
    finder: FaceFinder, astronaut_rgb, astronaut_face
):
    small = cv2.resize(astronaut_rgb[:300, 80:380], (180, 180), interpolation=cv2.INTER_AREA)
    two = astronaut_rgb.copy()
    two[300:480, 20:200] = small
    face = finder.portrait(two)
    assert face is not None and face.landmarks is not None
    assert np.abs(face.keypoints - astronaut_face.keypoints).max() < 1
    assert finder.portrait(np.ascontiguousarray(skimage.data.coffee()[:300, :400])) is None
    worn = render_mask(astronaut_rgb, astronaut_face.landmarks, preset_style("surgical")).image_rgb
    assert finder.portrait(cv2.GaussianBlur(worn, (0, 0), 7)) is None  # without landmarks


def test_face_cut_by_the_edge_is_found_once(finder: FaceFinder, astronaut_rgb, astronaut_face):
    """What the border shows reflected is no second face, and none where the eyes are cut off."""
    for column in (200, 220):
        (face,) = finder.find_all(np.ascontiguousarray(astronaut_rgb[:260, column : column + 260]))
        assert face.box[2] + column == pytest.approx(astronaut_face.box[2], abs=6)
    assert finder.find_all(np.ascontiguousarray(astronaut_rgb[110:370, 100:360])) == []


def test_face_of_a_few_pixels_is_none(finder: FaceFinder, astronaut_rgb):
    head = cv2.resize(astronaut_rgb[:300, 80:380], (36, 36), interpolation=cv2.INTER_AREA)
    picture = np.full((128, 128, 3), _BACKGROUND, np.uint8)
    picture[10:46, 10:46] = head
    assert finder.find_all(picture) == []


def test_find_again_where_no_face_is_gives_none(finder: FaceFinder, astronaut_face: Face):
    grey = np.full((512, 512, 3), _BACKGROUND, np.uint8)
    assert finder.find_again(grey, astronaut_face) is None


def test_find_again_refused_twice_asks_for_landmarks_once(
    finder: FaceFinder, astronaut_rgb, astronaut_face: Face, monkeypatch: pytest.MonkeyPatch
):
    unsure = replace(DETECT, sure_presence=1.1, followed_face=1.1)
    asked = list[int]()

    def counted(mesh: FaceMesh, *arguments: NDArray) -> tuple[NDArray[np.float64], float]:
        asked.append(1)
        return ask(mesh, *arguments)

    ask = FaceMesh.__call__
    monkeypatch.setattr(FaceMesh, "__call__", counted)
    for module in ("face_finder", "second_look"):
        monkeypatch.setattr(f"realtime.detect.{module}.DETECT", unsure)
    assert finder.find_again(astronaut_rgb, astronaut_face) is None
    assert len(asked) == 1


def test_search_leaves_known_and_refused_faces_alone(
    finder: FaceFinder, astronaut_rgb, astronaut_face: Face
):
    windows, refused = large_windows(512, 512), Refused()
    assert finder.search(astronaut_rgb, windows, [astronaut_face], Refused()) is None
    refused.add(astronaut_face)
    assert finder.search(astronaut_rgb, windows, [], refused) is None
    found = finder.search(astronaut_rgb, windows, [], Refused())
    assert found is not None
    assert np.abs(found.centre - astronaut_face.centre).max() < 5


def test_search_finds_one_face_among_many_known(finder: FaceFinder, astronaut_rgb, astronaut_face):
    half = cv2.resize(astronaut_rgb, (256, 256), interpolation=cv2.INTER_AREA)
    row = np.concatenate([half] * 3, axis=1)
    faces = [
        moved(astronaut_face, scaled_and_shifted(0.5, 256 * n - 0.25, -0.25)) for n in range(3)
    ]
    for new in faces:
        known = [face for face in faces if face is not new]
        found = finder.search(row, large_windows(768, 256), known, Refused())
        assert found is not None and np.abs(found.centre - new.centre).max() < 4


def test_search_examines_two_detections_a_frame(finder: FaceFinder, astronaut_rgb):
    """Three are no faces, as a bar hides the eyes; of the face the detector is less sure."""
    barred = astronaut_rgb.copy()
    barred[95:125, 170:290] = 20
    dim = 0.3 * cv2.GaussianBlur(astronaut_rgb, (0, 0), 4)
    row = np.concatenate([barred] * 3 + [dim.astype(np.uint8)], axis=1)
    row = cv2.resize(row, (1024, 256), interpolation=cv2.INTER_AREA)
    windows = [Window(256 * n + 127.5, 127.5, 256) for n in range(4)]
    refused = Refused()
    assert finder.search(row, windows, [], refused) is None
    assert finder.search(row, windows, [], refused) is not None


def test_refused_detection_is_left_alone_for_a_moment(astronaut_face: Face):
    refused = Refused()
    refused.add(astronaut_face)
    assert refused.holds(astronaut_face)
    assert not refused.holds(replace(astronaut_face, keypoints=astronaut_face.keypoints + 300,
                                     box=(480, 370, 570, 480)))  # fmt: skip
    refused.advance(DETECT.refused_s / 2)
    assert refused.holds(astronaut_face)
    refused.advance(DETECT.refused_s / 2 + 0.01)
    assert not refused.holds(astronaut_face)

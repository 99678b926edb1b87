"""Photographs of masked people: which count, what was found and acted on, what was missed."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.photographs import detection
from benchmarks.photographs.lists import LISTS, is_clear, left_out, pictures_in
from inpaint_model.errors import UserError
from realtime.frames import Face
from realtime.synthetic import preset_style, render_mask


@pytest.fixture(scope="module")
def masked_bgr(astronaut_rgb: NDArray[np.uint8], astronaut_face: Face) -> NDArray[np.uint8]:
    """The astronaut in a surgical mask."""
    assert astronaut_face.landmarks is not None
    worn = render_mask(astronaut_rgb, astronaut_face.landmarks, preset_style("surgical")).image_rgb
    return np.ascontiguousarray(worn[:, :, ::-1])


def test_left_out_each_photograph_has_a_reason():
    lists = sorted(LISTS.glob("*.csv"))
    assert lists
    for path in lists:
        reasons = left_out(path.stem)
        assert reasons
        assert all(name.endswith(".jpg") and reason for name, reason in reasons.items())


def test_is_clear_uses_the_list_of_its_own_folder(tmp_path: Path):
    name = next(iter(left_out("masked_web")))
    assert not is_clear(tmp_path / "masked" / "web" / name)
    assert is_clear(tmp_path / "masked" / "elsewhere" / name)


def test_run_masked_counts_faces_and_names_missed_ones(tmp_path: Path, astronaut_rgb, masked_bgr):
    folder = tmp_path / "masked" / "web"
    folder.mkdir(parents=True)
    bare_bgr = astronaut_rgb[:, :, ::-1]
    pictures = {
        "worn.png": masked_bgr,
        "bare.png": bare_bgr,
        "dark.png": bare_bgr * 0,
        next(iter(left_out("masked_web"))): bare_bgr * 0,
    }
    for name, picture in pictures.items():
        cv2.imwrite(str(folder / name), picture)
    every, clear = detection.run_masked([folder], tmp_path / "out")
    assert (every["photographs"], clear["photographs"]) == (4, 3)
    assert clear["face found"] == pytest.approx(2 / 3)
    assert clear["acted on"] == pytest.approx(1 / 3)
    data = json.loads((tmp_path / "out" / "photos.json").read_text())
    assert data["clear, no face found"] == [str(folder / "dark.png")]
    assert data["clear, face found and not acted on"] == [str(folder / "bare.png")]
    assert (tmp_path / "out" / "sheet-photos.png").exists()


def test_pictures_in_empty_folder_raises(tmp_path: Path):
    with pytest.raises(UserError, match="no pictures"):
        pictures_in([tmp_path / "nothing"])

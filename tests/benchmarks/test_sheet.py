"""Sheets to look at: which photographs are on them, how they are cropped and laid out."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.photographs import sheet, tiles
from benchmarks.photographs.lists import choose, left_out
from inpaint_model.errors import UserError


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, astronaut_rgb: NDArray[np.uint8]) -> Path:
    """Five clear photographs, and one that is on the list of those left out."""
    folder = tmp_path_factory.mktemp("set") / "masked" / "web"
    folder.mkdir(parents=True)
    for name in ("a.png", "b.png", "c.png", "d.png", "e.png", next(iter(left_out("masked_web")))):
        cv2.imwrite(str(folder / name), astronaut_rgb[::2, ::2, ::-1])
    return folder


def test_choose_draws_clear_photographs_by_seed(folder: Path):
    assert {path.name for path in choose([folder], 9, 0)} == {f"{n}.png" for n in "abcde"}
    assert choose([folder], 3, 1) == choose([folder], 3, 1)
    assert len({tuple(choose([folder], 3, seed)) for seed in range(5)}) > 1


def test_sheet_has_as_many_pages_as_it_needs(folder: Path, tmp_path: Path):
    pages = sheet.draw_sheet([folder], tmp_path / "look.png", count=3, page=2)
    assert [page.name for page in pages] == ["look-1.png", "look-2.png"]
    pictures = [cv2.imread(str(page)) for page in pages]
    assert all(one is not None and one.shape[1] == 4 * 2 * 360 for one in pictures)
    assert sheet.draw_sheet([folder], tmp_path / "one.png", count=1) == [tmp_path / "one.png"]


def test_sheet_against_a_model_is_blind(folder: Path, tmp_path: Path):
    sheet.draw_sheet([folder], tmp_path / "ab.png", count=3, model="fast", against="paper")
    page = cv2.imread(str(tmp_path / "ab.png"))
    assert page is not None and page.shape[1] == 2 * 3 * 360
    key = json.loads((tmp_path / "ab.key.json").read_text())
    assert len(key) == 3
    assert all(sorted(pair.values()) == ["fast", "paper"] for pair in key.values())
    assert {pair["A"] for pair in key.values()} == {"fast", "paper"}


def test_sheet_that_is_no_picture_raises(folder: Path, tmp_path: Path):
    with pytest.raises(UserError, match="name a sheet"):
        sheet.draw_sheet([folder], tmp_path / "look")


def test_sheet_options_of_the_judge_alone_raise(folder: Path, tmp_path: Path):
    with pytest.raises(UserError, match="--without needs --judge"):
        sheet.run([folder], tmp_path / "look.png", without="grain")
    with pytest.raises(UserError, match="--videos needs --judge"):
        sheet.run([folder], tmp_path / "look.png", videos=[tmp_path])


def test_surroundings_add_a_margin_round_the_boxes():
    rows, columns = tiles.surroundings((400, 600), [(100, 100, 140, 150)], 0.5)
    assert (rows, columns) == (slice(75, 175), slice(70, 170))
    rows, columns = tiles.surroundings((400, 600), [(0, 0, 20, 20)], 1.0)
    assert (rows, columns) == (slice(0, 60), slice(0, 60))
    whole = (slice(0, 400), slice(0, 600))
    assert tiles.surroundings((400, 600), []) == whole
    assert tiles.surroundings((400, 600), [(0, 0, 600, 400)]) == whole


def test_fit_scales_into_the_tile():
    wide = np.full((50, 200, 3), 255, np.uint8)
    tile = tiles.fit(wide, 100)
    assert tile.shape == (100, 100, 3)
    assert tile[:25].all() and not tile[25:].any()
    assert tiles.labelled(tile, "name").shape[0] > 100

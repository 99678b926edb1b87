"""Hand-marked outlines: what lies within them, and how masks and replaced pixels are compared with them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.photographs import outlines
from benchmarks.photographs.hand_outlines import Outline, load
from benchmarks.photographs.lists import left_out
from benchmarks.tables import Row
from inpaint_model.errors import UserError
from realtime.frames import Face
from realtime.synthetic import preset_style, render_mask


@pytest.fixture(scope="module")
def worn(
    tmp_path_factory: pytest.TempPathFactory, astronaut_rgb: NDArray[np.uint8], astronaut_face: Face
) -> tuple[Path, Outline]:
    """A folder with the astronaut in a mask, and that mask's outline."""
    assert astronaut_face.landmarks is not None
    made = render_mask(astronaut_rgb, astronaut_face.landmarks, preset_style("surgical"))
    folder = tmp_path_factory.mktemp("worn")
    cv2.imwrite(str(folder / "worn.png"), made.image_rgb[:, :, ::-1])
    cv2.imwrite(str(folder / "bare.png"), astronaut_rgb[:, :, ::-1])
    contours, _ = cv2.findContours(
        (made.alpha > 0.5).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE
    )
    points = (max(contours, key=cv2.contourArea)[:, 0] + 0.5).tolist()
    height, width = astronaut_rgb.shape[:2]
    return folder, Outline("worn.png", (width, height), [points], [])


def _run(
    monkeypatch: pytest.MonkeyPatch, folder: Path, out: Path | None, shipped: list[Outline]
) -> list[Row]:
    """Compare with these outlines instead of the shipped ones."""
    monkeypatch.setattr(outlines, "load", lambda: shipped)
    return outlines.run(folder, out)


def test_outline_mask_holds_pixels_with_their_centre_inside():
    square = [[1, 1], [4, 1], [4, 3], [1, 3]]
    mask = Outline("a", (6, 5), [square], []).mask()
    assert mask.shape == (5, 6)
    assert np.array_equal(np.argwhere(mask), [[y, x] for y in (1, 2) for x in (1, 2, 3)])
    in_front = [[2, 0], [3, 0], [3, 5], [2, 5]]
    assert np.count_nonzero(Outline("a", (6, 5), [square], [in_front]).mask()) == 4


def test_load_shipped_outlines_lie_in_clear_photographs():
    marked = load()
    assert len(marked) == 40
    for one in marked:
        assert one.name not in left_out("masked_web")
        corners = np.array([corner for points in (*one.polygons, *one.holes) for corner in points])
        assert (corners >= 0).all() and (corners <= one.size).all()
        assert 0.01 < one.mask().mean() < 0.7


def test_outlines_mask_agrees_with_its_outline_and_is_replaced(
    worn: tuple[Path, Outline], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    folder, outline = worn
    bare = replace(outline, name="bare.png")
    mask, left, beside = _run(monkeypatch, folder, tmp_path, [outline, bare])
    assert mask["photographs"] == 2
    assert (mask["found"], mask["acted on"]) == (1.0, 0.5)
    assert 0.8 < float(mask["mean of those acted on"]) < 1
    assert (left["worst"], beside["median"]) == (1.0, float(beside["worst"]) / 2)  # of bare.png
    assert float(left["mean of those acted on"]) < 0.05
    assert 0.05 < float(beside["worst"]) < 0.6  # the rim is replaced too, more than the outline
    data = json.loads((tmp_path / "outlines.json").read_text())
    assert data["worst"] == ["bare.png", "worn.png"]
    assert data["photographs"][1]["mask"] == 0
    assert (tmp_path / "sheet-outlines.png").exists()


def test_outlines_only_faces_at_the_outline_count(
    worn: tuple[Path, Outline], monkeypatch: pytest.MonkeyPatch
):
    folder, outline = worn
    corner = replace(outline, polygons=[[[0, 0], [9, 0], [9, 9]]])
    mask, left, beside = _run(monkeypatch, folder, None, [corner])
    assert (mask["found"], mask["mean"], left["mean"], beside["mean"]) == (0.0, 0.0, 1.0, 0.0)


def test_outlines_other_photographs_raise(
    worn: tuple[Path, Outline], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    folder, outline = worn
    with pytest.raises(UserError, match="none of the outlined"):
        _run(monkeypatch, tmp_path, None, [outline])
    with pytest.raises(UserError, match="not the outlined picture"):
        _run(monkeypatch, folder, None, [replace(outline, size=(9, 9))])
    (tmp_path / "broken.json").write_text('{"outlines": {"a": {}}}')
    with pytest.raises(UserError, match="not a list of outlines"):
        load(tmp_path / "broken.json")

"""Hand-marked outlines: what lies within them, and how replaced pixels are compared with them."""

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


def test_an_outline_holds_the_pixels_whose_middle_lies_within():
    square = [[1, 1], [4, 1], [4, 3], [1, 3]]
    mask = Outline("a", (6, 5), [square], []).mask()
    assert mask.shape == (5, 6)
    assert np.array_equal(np.argwhere(mask), [[y, x] for y in (1, 2) for x in (1, 2, 3)])
    in_front = [[2, 0], [3, 0], [3, 5], [2, 5]]
    assert np.count_nonzero(Outline("a", (6, 5), [square], [in_front]).mask()) == 4


def test_the_shipped_outlines_lie_in_clear_photographs():
    marked = load()
    assert len(marked) == 40
    for one in marked:
        assert one.name not in left_out("masked_web")
        corners = np.array([corner for points in (*one.polygons, *one.holes) for corner in points])
        assert (corners >= 0).all() and (corners <= one.size).all()
        assert 0.01 < one.mask().mean() < 0.7


def test_a_mask_that_is_replaced_agrees_with_its_outline(
    worn: tuple[Path, Outline], tmp_path: Path
):
    folder, outline = worn
    bare = replace(outline, name="bare.png")
    replaced, mask, perfect = outlines.run(folder, tmp_path, "fast", "auto", [outline, bare])
    assert replaced["photographs"] == 2
    assert (replaced["found"], replaced["acted on"]) == (1.0, 0.5)
    assert 0.6 < float(replaced["mean of those acted on"]) < 1
    assert float(mask["mean of those acted on"]) > float(replaced["mean of those acted on"])
    assert 0.8 < float(perfect["worst"]) < 0.98  # the rim is replaced too, more than the outline
    data = json.loads((tmp_path / "outlines.json").read_text())
    assert data["worst"] == ["bare.png", "worn.png"]
    assert data["photographs"][1]["replaced"] == 0
    assert (tmp_path / "sheet-outlines.png").exists()


def test_only_faces_where_the_outline_is_count(worn: tuple[Path, Outline]):
    folder, outline = worn
    corner = replace(outline, polygons=[[[0, 0], [9, 0], [9, 9]]])
    replaced, *_ = outlines.run(folder, None, "fast", "auto", [corner])
    assert (replaced["found"], replaced["IoU mean"]) == (0.0, 0.0)


def test_photographs_that_are_not_the_outlined_ones_are_refused(
    worn: tuple[Path, Outline], tmp_path: Path
):
    folder, outline = worn
    with pytest.raises(UserError, match="none of the outlined"):
        outlines.run(tmp_path, None, "fast", "auto", [outline])
    with pytest.raises(UserError, match="not the outlined picture"):
        outlines.run(folder, None, "fast", "auto", [replace(outline, size=(9, 9))])
    (tmp_path / "broken.json").write_text('{"outlines": {"a": {}}}')
    with pytest.raises(UserError, match="not a list of outlines"):
        load(tmp_path / "broken.json")

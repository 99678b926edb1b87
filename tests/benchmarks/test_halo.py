"""The halo beside the jaw: the band, what lies in it, the colour error, and masks of three widths."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.realism import halo
from benchmarks.realism.jaw_band import REACH_PX, jaw_band, places
from benchmarks.realism.jaw_error import BAND, UNDER_MASK, colour_errors
from realtime.align.face_regions import FACE_OVAL
from realtime.frames import Face
from realtime.imaging.skin import to_ycc
from realtime.synthetic import KINDS, silhouette

SIDE, RADIUS = 160, 50.0
Picture = NDArray[np.uint8]


def round_face() -> NDArray[np.float64]:
    """Landmarks whose oval is a circle round the middle of a crop, [478, 2]; its jaw is the lower half."""
    points = np.full((478, 2), SIDE / 2)
    angles = np.deg2rad(10.0 * np.arange(len(FACE_OVAL)) - 90)
    points[list(FACE_OVAL)] += RADIUS * np.column_stack([np.cos(angles), np.sin(angles)])
    return points


def test_jaw_band_of_a_circle_is_half_a_ring():
    band = jaw_band(round_face(), (SIDE, SIDE))
    half_ring = np.pi / 2 * ((RADIUS + REACH_PX) ** 2 - RADIUS**2)
    assert band.whole.sum() == pytest.approx(half_ring, rel=0.05)  # 8 px are 8 whole pixels
    assert band.face.sum() == pytest.approx(np.pi * RADIUS**2, rel=0.03)
    assert not (band.whole & band.face).any() and not (band.beside & band.below).any()
    ys, _ = np.nonzero(band.whole)
    assert ys.min() >= SIDE / 2 - 1
    columns = np.nonzero(band.below[-1 - int(SIDE / 2 - RADIUS - REACH_PX / 2)])[0]
    assert SIDE / 2 in columns  # under the chin
    assert band.beside[SIDE // 2 + 5, int(SIDE / 2 + RADIUS + 4)]


def test_places_are_split_by_the_colour_of_the_truth():
    band = jaw_band(round_face(), (SIDE, SIDE))
    truth = np.full((SIDE, SIDE, 3), (30, 60, 200), np.uint8)
    truth[:, SIDE // 2 :] = (220, 170, 140)
    tone = to_ycc(truth)[0, -1].astype(np.float64)
    parts = places(band, truth, tone)
    assert sum(part.sum() for part in parts.values()) == band.whole.sum()
    for name, part in parts.items():
        xs = np.nonzero(part)[1]
        is_skin = name.endswith(("neck", "neck, ear"))
        assert len(xs) and ((xs >= SIDE // 2) == is_skin).all(), name


def errors_of(shown: Picture, replaced: NDArray[np.bool_], bare: Picture, face: Face):
    return dict(colour_errors(bare, shown, replaced, replaced, face))


def test_colour_errors_are_of_replaced_pixels_alone(astronaut_rgb, astronaut_face: Face):
    bare = np.ascontiguousarray(astronaut_rgb[:, :, ::-1])
    everywhere = np.ones(bare.shape[:2], dtype=bool)
    same = errors_of(bare, everywhere, bare, astronaut_face)
    assert {BAND, UNDER_MASK} <= same.keys()
    assert all(one.levels == one.delta_e == one.skin == 0 for one in same.values())
    darker = (bare // 2).astype(np.uint8)
    lower = everywhere & (np.arange(len(bare))[:, None] > astronaut_face.keypoints[2, 1])
    half = errors_of(darker, lower, bare, astronaut_face)
    assert half[BAND].px <= same[BAND].px and half[UNDER_MASK].px < same[UNDER_MASK].px
    assert half[UNDER_MASK].levels > 40 and half[UNDER_MASK].delta_e > 20
    assert errors_of(darker, ~everywhere, bare, astronaut_face) == {}
    unknown = replace(astronaut_face, landmarks=None)
    assert errors_of(darker, everywhere, bare, unknown) == {}


def test_colour_errors_count_skin_that_was_invented(astronaut_rgb, astronaut_face: Face):
    bare = np.ascontiguousarray(astronaut_rgb[:, :, ::-1])
    x, y = astronaut_face.keypoints[2].astype(int)
    skin = np.broadcast_to(bare[y - 20, x + 25], bare.shape).astype(np.uint8)
    replaced = np.ones(bare.shape[:2], dtype=bool)
    errors = errors_of(np.ascontiguousarray(skin), replaced, bare, astronaut_face)
    assert errors["beside the jaw: background, hair"].skin > 0.95
    assert errors["below the chin: neck"].skin == 0


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "template"])
def test_style_of_width_covers_more_as_it_grows(kind, astronaut_face: Face):
    assert astronaut_face.landmarks is not None
    widths = []
    for width in ("narrow", "usual", "wide"):
        style = replace(halo.style_of_width(kind, width), straps="none")
        mask = silhouette(astronaut_face.landmarks, style, (512, 512))
        widths.append(int((mask > 0).any(0).sum()))
    assert widths == sorted(set(widths))


def test_halo_run_measures_both_models(tmp_path: Path):
    rows = halo.run(out=tmp_path, against="paper")
    by = {(row["mask"], row["where"]): row for row in rows}
    assert {"all", "narrow", "usual", "wide"} == {mask for mask, _ in by}
    for width in ("narrow", "usual", "wide"):
        assert by[width, BAND]["people"] == 1
    assert float(by["wide", BAND]["px a face"]) > float(by["narrow", BAND]["px a face"])
    whole = by["all", BAND]
    assert 0 < float(whole["ΔE, fast"]) < 40
    assert whole["ΔE, fast"] != whole["ΔE, paper"]
    assert whole["levels more than the second"]
    written = json.loads((tmp_path / "halo.json").read_text())
    assert written["masked pictures"] == written["filled"] == 3
    assert (tmp_path / "sheet-halo-worst.png").is_file()

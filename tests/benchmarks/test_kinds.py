"""Hard kinds made by rendering: each changes what it says and nothing else."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.__main__ import main
from benchmarks.finding.options import FindOptions
from benchmarks.kinds import kinds, measure
from benchmarks.kinds.kinds import render_scene
from benchmarks.kinds.scene import Portrait, Scene, load_portraits
from benchmarks.kinds.table import BARE, MASKED

CLOTH = ("plain", "gaiter", "scarf", "bandana", "printed respirator", "tied straps")
WORN = ("glasses", "sunglasses", "goggles", "headscarf", "microphone", "text over the edge")
LIGHT = ("coloured light", "grain", "motion blur", "phone compression", "dark", "against the light")
MIXED = ("scarf, chin cut off", "sunglasses, side cut off", "gaiter, small")
CUT = ("chin cut off", "forehead cut off", "side cut off", "fills the picture")
EDGE_PX = 4  # a soft edge, at most


@pytest.fixture(scope="module")
def astronaut() -> Portrait:
    return load_portraits(FindOptions(), 1)[0]


@pytest.fixture(scope="module")
def plain(astronaut: Portrait) -> Scene:
    return scene_of("plain", astronaut)


def scene_of(name: str, portrait: Portrait, seed: int = 0) -> Scene:
    return render_scene(MASKED[name], portrait, seed, 0)


def grown(mask: np.ndarray, by_px: float) -> np.ndarray:
    return cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 5) <= by_px


def test_kinds_are_tested_by_name():
    assert {*CLOTH, *WORN, *LIGHT, *CUT, *MIXED, "small"} == set(MASKED)


@pytest.mark.parametrize("name", CLOTH)
def test_cloth_changes_its_pixels_and_its_shadow(astronaut: Portrait, name: str):
    scene = scene_of(name, astronaut)
    assert np.array_equal(scene.truth_rgb, astronaut.rgb)
    changed, cloth = (scene.rgb != scene.truth_rgb).any(axis=2), scene.mask | scene.ignored
    assert changed[cloth].mean() > 0.98
    strongly = np.abs(scene.rgb.astype(int) - scene.truth_rgb).max(2) > 100
    assert not (strongly & ~grown(cloth, EDGE_PX)).any()
    assert not (changed & ~grown(cloth, 2 * astronaut.pose.scale)).any()


@pytest.mark.parametrize("name", ["plain", "gaiter", "scarf", "bandana", "printed respirator"])
def test_cloth_covers_the_mouth_and_not_the_eyes(astronaut: Portrait, name: str):
    scene = scene_of(name, astronaut)
    mask = scene.mask
    mouth, chin = astronaut.landmarks[[13, 152]].astype(int)
    assert mask[mouth[1], mouth[0]]
    assert not any(mask[y, x] for x, y in astronaut.eyes.astype(int))
    below, cloth_below = (
        np.nonzero(pixels)[0].max() - chin[1] for pixels in (mask, mask | scene.ignored)
    )
    goes_on = name in ("gaiter", "scarf", "bandana")
    assert below < 5 * astronaut.pose.scale
    assert (cloth_below > 5 * astronaut.pose.scale) == goes_on


@pytest.mark.parametrize("name", WORN)
def test_worn_things_are_in_the_truth_too(astronaut: Portrait, name: str):
    scene = scene_of(name, astronaut)
    changed = (scene.truth_rgb != astronaut.rgb).any(axis=2)
    assert 0 < changed.mean() < 0.6
    off = np.abs(scene.rgb.astype(int) - scene.truth_rgb).max(2)
    assert not (off[~grown(scene.mask | scene.ignored, 2 * astronaut.pose.scale)] > 0).any()


def test_microphone_takes_its_pixels_off_the_mask(astronaut: Portrait, plain: Scene):
    scene = scene_of("microphone", astronaut)
    lost = plain.mask & ~scene.mask
    assert 0.02 < lost.sum() / plain.mask.sum() < 0.5
    assert not (scene.mask & ~plain.mask).any()
    assert np.abs(scene.rgb[lost].astype(int) - scene.truth_rgb[lost]).mean() < 5


@pytest.mark.parametrize("name", LIGHT)
def test_light_changes_picture_and_truth_alike(astronaut: Portrait, plain: Scene, name: str):
    scene = scene_of(name, astronaut)
    assert np.array_equal(scene.mask, plain.mask)
    assert (scene.truth_rgb != plain.truth_rgb).mean() > 0.5
    far = ~grown(scene.mask, 40)  # blocks of JPEG at half the size, and the blur's reach
    assert np.array_equal(scene.rgb[far], scene.truth_rgb[far])


@pytest.mark.parametrize("name", CUT)
def test_cut_keeps_what_is_inside(astronaut: Portrait, plain: Scene, name: str):
    scene = scene_of(name, astronaut)
    shift = np.rint(plain.eyes - scene.eyes).astype(int)[0]
    height, width = scene.mask.shape
    part = slice(shift[1], shift[1] + height), slice(shift[0], shift[0] + width)
    assert np.array_equal(scene.rgb, plain.rgb[part])
    assert np.array_equal(scene.mask, plain.mask[part])
    low, high = scene.face
    sides = {"chin cut off": high[1] > height, "forehead cut off": low[1] < 0}
    sides["side cut off"] = low[0] < 0 or high[0] > width
    assert [side for side, is_cut in sides.items() if is_cut] == [name] * (name in sides)


def test_small_face_is_24_to_40_px_wide(astronaut: Portrait):
    scene = scene_of("small", astronaut)
    assert 24 <= scene.width_px <= 40
    assert scene.rgb.shape[:2] == scene.mask.shape
    assert 0.2 < scene.mask.sum() / scene.width_px**2 < 1.2


@pytest.mark.parametrize("name", MIXED)
def test_mixed_kinds_are_both(astronaut: Portrait, name: str):
    first, second = name.split(", ")
    scene, wide, way = (scene_of(one, astronaut) for one in (name, first, second))
    share, wide_share = (one.mask.sum() / one.width_px**2 for one in (scene, wide))
    assert scene.rgb.size < wide.rgb.size / 2
    assert (share < 0.95 * wide_share) == (second in CUT)
    assert share != way.mask.sum() / way.width_px**2


@pytest.mark.parametrize("name", BARE)
def test_bare_faces_wear_no_mask(astronaut: Portrait, name: str):
    scene = render_scene(BARE[name], astronaut, 0, 0)
    assert not scene.mask.any()
    assert np.array_equal(scene.rgb, scene.truth_rgb)
    changed = (scene.rgb != astronaut.rgb).any(axis=2)
    assert changed.any() == (name != "bare")
    assert not any(changed[y, x] for x, y in astronaut.eyes.astype(int))


def test_render_repeats_and_seeds_differ(astronaut: Portrait):
    one, same, other = (scene_of("scarf", astronaut, seed) for seed in (0, 0, 1))
    assert np.array_equal(one.rgb, same.rgb)
    assert not np.array_equal(one.rgb, other.rgb)


def test_measures_of_the_truth_are_perfect(plain: Scene):
    assert measure.mask_left(plain, plain.truth_rgb) == 0
    assert measure.psnr_db(plain, plain.truth_rgb) > 70
    assert measure.ring_error(plain, plain.truth_rgb) == 0


def test_measures_of_an_untouched_mask_are_bad(plain: Scene):
    assert measure.mask_left(plain, plain.rgb) == 1
    assert measure.psnr_db(plain, plain.rgb) < 25
    assert measure.ring_error(plain, plain.rgb) > 0.5


def test_measures_leave_out_ignored_pixels(plain: Scene):
    spoilt = plain.truth_rgb.copy()
    ignored = grown(plain.mask, 2) & ~plain.mask
    spoilt[ignored] = 0
    blind = replace(plain, ignored=ignored)
    assert measure.ring_error(blind, spoilt) == 0 < measure.ring_error(plain, spoilt)


def test_run_without_data_measures_the_astronaut(tmp_path: Path):
    sheet = tmp_path / "sheet.png"
    done = kinds.run(kind=["small", "bare"], count=1, sheet=sheet, out=tmp_path)
    assert [row["kind"] for row in done["kinds"]] == ["small", "all"]
    assert done["kinds"][0]["stream of 12: filled"] == "1.00 [1.00, 1.00]"
    outcome = json.loads((tmp_path / "kinds.json").read_text())["outcomes"]["small"][0]
    assert outcome["iou"] > 0.8
    assert outcome["left"] < 0.2
    assert outcome["psnr_db"] > 10
    assert done["kinds-bare"][0]["touched"] == "0.000 [0.000, 0.000]"
    assert cv2.imread(str(sheet)).shape[1] == 1500


def test_run_unknown_kind_is_one_line(capsys: pytest.CaptureFixture[str]):
    assert main(["kinds", "--kind", "hand"]) == 2
    assert capsys.readouterr().err.startswith("error: --kind: no kind 'hand'; there are: plain, ")

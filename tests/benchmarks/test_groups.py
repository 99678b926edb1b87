"""Groups of people: what a name and the skin tell, the measures, and the spread that chance explains."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.__main__ import main
from benchmarks.photographs.tiles import WorstTiles
from benchmarks.quality import groups
from benchmarks.quality.people import ita_deg, person_of, skin_ita_deg, tone_class
from realtime.frames import Face

WHOLE = np.ones((128, 128), dtype=bool)


def plain(*rgb: int) -> NDArray[np.uint8]:
    """A crop of one colour, uint8 [128, 128, 3]."""
    return np.full((128, 128, 3), rgb, np.uint8)


@pytest.mark.parametrize(
    ("lightness", "yellow", "degrees", "name"),
    [
        (70, 20, 45.0, "light"),
        (50, 15, 0.0, "brown"),
        (30, 20, -45.0, "dark"),
        (60, 10 * np.sqrt(3), 30.0, "intermediate"),
        (50 + 10 * np.tan(np.deg2rad(56)), 10, 56.0, "very light"),
        (50 + 10 * np.tan(np.deg2rad(11)), 10, 11.0, "tan"),
    ],
)
def test_ita_known_colours_have_known_classes(
    lightness: float, yellow: float, degrees: float, name: str
):
    assert ita_deg(lightness, yellow) == pytest.approx(degrees)
    assert tone_class(degrees) == name


def test_skin_ita_of_red_is_that_of_its_cielab():
    """Pure sRGB red is L* 53.24, b* 67.20: atan(3.24 / 67.20) is 2.76 degrees."""
    assert skin_ita_deg(plain(255, 0, 0), WHOLE) == pytest.approx(2.76, abs=0.03)
    assert skin_ita_deg(plain(255, 0, 0), ~WHOLE) is None


def test_person_of_reads_utkface_names():
    skin = np.ascontiguousarray(plain(224, 172, 137)[:, :, ::-1])
    person = person_of("61_1_3_20170109150557335.jpg.chip", skin, np.eye(2, 3))
    assert person is not None
    assert person.groups == {
        "label": "Indian",
        "sex": "female",
        "age": "60 and over",
        "skin tone": "light",
    }
    grey = person_of("17_0_4_1", plain(90, 91, 90), np.eye(2, 3))
    assert grey is not None and grey.ita_deg is None
    assert list(grey.groups.values()) == ["Others", "male", "under 18", "grey picture"]
    for name in ("61_1_20170109150557335", "astronaut", "61_2_3_20170109150557335"):
        assert person_of(name, skin, np.eye(2, 3)) is None


def test_compare_counts_the_given_pixels_alone():
    truth, shown = plain(100, 100, 100), plain(90, 90, 90)
    shown[64:] = 255
    psnr_db, lightness = groups.compare(shown, truth, np.arange(128)[:, None].repeat(128, 1) < 64)
    assert psnr_db == pytest.approx(10 * np.log10(255**2 / 100))
    assert lightness == pytest.approx(-10)


def test_spread_exceeds_chance_for_groups_that_differ():
    rng = np.random.default_rng(0)
    values = rng.normal(0, 1, 60)
    names = np.array(["a", "b", "c"]).repeat(20)
    alike, by_chance = groups.spread_and_chance(values, names, rng)
    assert 0 < alike < by_chance
    values[names == "c"] += 5
    differ, by_chance = groups.spread_and_chance(values, names, rng)
    assert differ == pytest.approx(5, abs=0.7)
    assert by_chance < differ / 2
    assert groups.spread_and_chance(values, np.array(["a"] * 60), rng) == (0.0, 0.0)


def test_worst_tiles_keeps_the_worst_case_of_each(tmp_path: Path):
    worst = WorstTiles(count=2, side=8)
    for name, error in (("a", 1.0), ("b", 3.0), ("b", 2.0), ("c", 2.5), ("b", 4.0), ("a", 0.5)):
        worst.add(name, error, "", [np.full((8, 8, 3), round(error * 10), np.uint8)])
    worst.write(tmp_path / "sheet.png", columns=1)
    sheet = cv2.imread(str(tmp_path / "sheet.png"))
    assert sheet is not None
    assert [int(sheet[at, 0, 0]) for at in (len(sheet) // 2 - 1, -1)] == [40, 25]


@pytest.fixture(scope="module")
def people_folder(
    tmp_path_factory: pytest.TempPathFactory, astronaut_rgb, astronaut_face: Face
) -> Path:
    """Two tight pictures of one face, named as UTKFace names them, and one of another name."""
    folder = tmp_path_factory.mktemp("utk")
    x0, y0, x1, y1 = (round(edge) for edge in astronaut_face.box)
    tight = astronaut_rgb[y0 - 15 : y1 + 2, x0 - 12 : x1 + 12, ::-1]
    face = cv2.resize(tight, (200, 200), interpolation=cv2.INTER_CUBIC)
    pictures = {"28_1_0_20170101": face, "61_0_1_20170102": face[:, ::-1], "portrait": face}
    rows = ["path,source,split,identity"]
    for name, picture in pictures.items():
        cv2.imwrite(str(folder / f"{name}.png"), picture)
        rows.append(f"{name}.png,utk,val,")
    (folder / "manifest.csv").write_text("\n".join(rows) + "\n")
    return folder


def test_groups_run_measures_each_group(people_folder: Path, tmp_path: Path):
    manifest = people_folder / "manifest.csv"
    rows = groups.run(people_folder, manifest, masks=2, out=tmp_path)
    by_group = {(row["by"], row["group"]): row for row in rows if "group" in row}
    assert by_group["all", "all"]["people"] == 2
    assert str(by_group["all", "all"]["acted on, %"]).startswith("100.0")
    assert {group for by, group in by_group if by == "label"} == {"White", "Black"}
    assert by_group["sex", "female"]["people"] == by_group["age", "60 and over"]["people"] == 1
    assert by_group["all", "all"]["bare touched"] == 0
    written = json.loads((tmp_path / "groups.json").read_text())
    assert written["left out"] == ["portrait"]
    assert 12 < written["people"][0]["PSNR, dB"] < 35
    assert (tmp_path / "sheet-groups-worst.png").is_file()
    assert [row["groups"] for row in rows if "groups" in row] == [0, 0, 0, 0]  # too few people


def test_groups_without_named_faces_is_one_line(
    photo_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    manifest = tmp_path / "manifest.csv"
    picture = photo_folder / "Ann_One" / "Ann_One_0001.jpg"
    manifest.write_text(f"path,source,split,identity\n{picture},utk,val,\n")
    assert (
        main(
            ["groups", "--faces", str(picture.parent), "--manifest", str(manifest), "--limit", "1"]
        )
        == 2
    )
    assert "no file is named age_sex_label_time" in capsys.readouterr().err

"""The tables of docs/api.md say what the code does: names, types, shapes, colour order, keys, errors."""

from __future__ import annotations

import builtins
import inspect
import json
import re
from dataclasses import asdict, fields
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import inpaint_model
import realtime
from realtime.align.warp_crop import warp_crop
from realtime.batch.jobs import Outcome
from realtime.cli.batch import _finish
from realtime.cli.errors import BAD_INPUT, FAILED
from realtime.demo.clip import CameraPath, DemoClip
from realtime.frames import FaceResult, UnmaskResult
from realtime.live.statistics import LiveReport
from realtime.media.report_file import write_report
from realtime.runtime.report import Report
from realtime.unmasker import Unmasker
from realtime.video.file import unmask_video
from tests.reading_documents import ROOT, read_tables
from tests.realtime.making_media import StubUnmasker, moving_images, write_video

TABLES = dict(read_tables(ROOT / "docs" / "api.md"))


def first_cells(table: str) -> list[str]:
    return [row[0].strip("`") for row in TABLES[table]]


@pytest.fixture(scope="module")
def values() -> dict[str, object]:
    """The values of a real call by the names that the page gives them."""
    clip = DemoClip(path=CameraPath(side=256, seconds=0.04))
    frame = next(iter(clip.masked_bgr()))
    with Unmasker(mode="image") as unmasker:
        tracked = unmasker.detect_and_track(frame)
        result = unmasker.composite(unmasker.inpaint(unmasker.segment(tracked)))
    (face,) = result.faces
    found = {"frame": frame, "matrix": tracked.faces[0].matrix}
    for name, value in (("result", result), ("face", face)):
        found |= {f"{name}.{member}": getattr(value, member) for member in public_members(value)}
    return found


def public_members(value: object) -> list[str]:
    """The fields and properties of a frozen value."""
    kind = type(value)
    members = [field.name for field in fields(kind)]  # pyright: ignore[reportArgumentType]
    return members + [name for name, _ in inspect.getmembers(kind, lambda m: type(m) is property)]


def test_page_has_every_value_of_a_result(values: dict[str, object]) -> None:
    assert first_cells("value") == [name for name in values if name != "matrix"]
    assert {field.name for field in fields(UnmaskResult)} <= {n.split(".")[-1] for n in values}
    assert {field.name for field in fields(FaceResult)} <= {n.split(".")[-1] for n in values}


@pytest.mark.parametrize("row", TABLES["value"], ids=lambda row: row[0].strip("`"))
def test_page_says_type_and_shape_of_a_value(row: list[str], values: dict[str, object]) -> None:
    value, stated = values[row[0].strip("`")], row[1]
    if not isinstance(value, np.ndarray):
        kind, _, length = stated.partition(" of ")
        assert type(value).__name__ == kind
        assert not length or len(value) == int(length)  # pyright: ignore[reportArgumentType]
        return
    match = re.fullmatch(r"(\w+) \[(.*)\]", stated)
    assert match is not None
    sizes = match[2].replace("H", "256").replace("W", "256")
    assert (str(value.dtype), list(value.shape)) == (match[1], json.loads(f"[{sizes}]"))
    if row[2] == "255 or 0":
        assert set(np.unique(value)) == {0, 255}


def test_page_says_colour_order(values: dict[str, object]) -> None:
    orders = {row[0].strip("`"): row[2] for row in TABLES["value"] if row[2] in ("BGR", "RGB")}
    shown, _ = warp_crop(as_array(values["frame"]), as_array(values["matrix"]))
    lower = slice(64, 104), slice(44, 84)  # of the crop; the mask there is blue
    blue = {name: as_array(values[name]) for name in ("face.crop_before", "frame")}
    blue["frame"] = shown
    for name, image in blue.items():
        means = image[lower].mean((0, 1))
        assert {"BGR": means[0], "RGB": means[2]}[orders[name]] == means.max() > means.min() + 30
    assert (orders["result.frame"], orders["face.crop_after"]) == ("BGR", "RGB")
    upper = slice(20, 44), slice(44, 84)  # both crops are the same above the mask
    assert np.array_equal(
        blue["face.crop_before"][upper], as_array(values["face.crop_after"])[upper]
    )


def as_array(value: object) -> NDArray:
    assert isinstance(value, np.ndarray)
    return value


def test_page_has_every_argument_and_method_of_unmasker() -> None:
    parameters = list(inspect.signature(Unmasker).parameters.values())
    stated = [
        (row[0].strip("`"), row[1].strip("`").replace('"', "'")) for row in TABLES["argument"]
    ]
    assert stated == [(parameter.name, repr(parameter.default)) for parameter in parameters]
    methods = {
        name
        for name, member in vars(Unmasker).items()
        if inspect.isfunction(member) and (not name.startswith("_") or name == "__call__")
    }
    assert set(first_cells("method")) == methods


@pytest.mark.parametrize("row", TABLES["error"], ids=lambda row: row[0].strip("`"))
def test_page_says_what_an_error_is(row: list[str]) -> None:
    error = getattr(realtime, row[0].strip("`"))
    assert getattr(inpaint_model, error.__name__) is error
    for name in re.findall(r"`(\w+)`", row[1]):
        assert issubclass(error, getattr(realtime, name, None) or getattr(builtins, name))
    exported = {name for name in realtime.__all__ if name.endswith("Error")}
    assert set(first_cells("error")) == exported


def test_page_has_every_exit_code() -> None:
    assert first_cells("code") == ["0", str(FAILED), str(BAD_INPUT)]


def test_page_has_every_key_of_the_reports(tmp_path: Path) -> None:
    path, records = tmp_path / "report.json", list[str]()
    source = write_video(tmp_path / "in.mp4", moving_images(3))
    done = unmask_video(source, tmp_path / "o.mp4", StubUnmasker(), on_record=records.append)
    write_report(path, asdict(done), records)
    written = json.loads(path.read_text())
    assert first_cells("key") == list(written)
    assert len(written["face_records"]) == written["faces"] == 3
    assert all(first_cells("key of a face record") == [*one] for one in written["face_records"])
    base, live = ([field.name for field in fields(kind)] for kind in (Report, LiveReport))
    assert first_cells("key of a live report") == live[len(base) :]

    lines = path.read_text().splitlines()  # it can be read line by line
    start = lines.index('  "face_records": [') + 1
    assert [json.loads(line.rstrip(",")) for line in lines[start:-2]] == written["face_records"]


def test_page_has_every_key_of_a_batch_report(tmp_path: Path) -> None:
    _finish(
        [Outcome("in.png", "out.png", "done")], tmp_path, tmp_path / "report.json", overwrite=True
    )
    written = json.loads((tmp_path / "report.json").read_text())
    assert first_cells("key of a batch report") == list(written)
    outcomes = dict(TABLES["key of a batch report"])["`outcomes`"]
    assert re.findall(r"`(\w+)`", outcomes) == list(written["outcomes"][0])

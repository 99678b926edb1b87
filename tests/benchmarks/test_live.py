"""The live benchmarks: loops on one camera, tiled faces, and growth over time."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.live import camera_clip, live, soak
from benchmarks.live.camera_clip import tiled
from benchmarks.live.filled_faces import without_speed
from benchmarks.live.loops import Outcome
from inpaint_model.errors import UserError


@pytest.fixture(autouse=True)
def short_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camera_clip, "MOST_FRAMES", 8)
    monkeypatch.setattr(live, "_WARM_UP_FRAMES", 4)


def test_live_measures_every_loop_on_the_same_camera(tmp_path: Path) -> None:
    rows = live.run(seconds=0.5, size=["640x480"], fps=[60], faces=[1], out=tmp_path)
    assert [row["loop"] for row in rows] == ["unmask live", "one thread", "endless queue"]
    for row in rows:
        assert float(row["seconds"]) >= 0.5
        assert float(row["frames/s"]) > 0
        assert float(row["p50 ms"]) <= float(row["p95 ms"]) <= float(row["p99 ms"])
        assert float(row["faces filled"]) > 0.5
    assert json.loads((tmp_path / "live.json").read_text())["rows"] == [dict(row) for row in rows]


def test_live_faces_not_filled_are_said_in_place_of_speeds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of two faces, one is filled in 42 of 50 frames."""
    latency_ms = {"p50": 11.5, "p95": 12.5, "p99": 13.5}
    done = Outcome(50, 2.0, 7, latency_ms, 42, {"segment": {"p50_ms": 9.25}}, 0.625)
    monkeypatch.setitem(live.LOOPS, "one thread", lambda *_: done)
    choice = {"size": ["640x480"], "fps": [60], "faces": [2], "loop": ["one thread"]}
    (row,) = live.run(**choice, out=tmp_path)
    printed = capsys.readouterr().out
    assert "| one thread | 2 | fills only 42 % | - | - | - | - | - | 0.42 | - |" in printed
    assert row["frames/s"] == 24.5 and row["p95 ms"] == 12.5
    assert json.loads((tmp_path / "live.json").read_text())["rows"] == [dict(row)]


def test_without_speed_enough_faces_are_filled_keeps_speeds() -> None:
    row = {"frames/s": 29.0, "faces filled": 0.95}
    assert without_speed(row, ["frames/s"]) == row
    too_few = without_speed({**row, "faces filled": 0.949}, ["frames/s"])
    assert too_few == {"frames/s": "fills only 94 %", "faces filled": 0.949}


def test_live_unknown_camera_or_loop_raises() -> None:
    with pytest.raises(UserError, match="there are: 640x480 at 60, 1 faces; "):
        live.choose_cases(["1x1"], None, None)
    with pytest.raises(UserError, match="no loop fast; there are: unmask live"):
        live.run(loop=["fast"])


def test_tiled_shows_each_face_at_another_moment() -> None:
    frames = [np.full((512, 512, 3), level, np.uint8) for level in (10, 20, 30, 40)]
    picture = tiled(frames, 1, 4, (640, 480))
    assert picture.shape == (480, 640, 3)
    assert [int(picture[y, x, 0]) for y in (120, 360) for x in (160, 480)] == [20, 30, 40, 10]
    with pytest.raises(UserError, match="3 faces"):
        tiled(frames, 0, 3, (640, 480))


def test_samples_slope_is_growth_a_minute() -> None:
    samples = soak.Samples(1.0, 0.0)
    samples.minutes = [0.0, 1.0, 2.0, 3.0]
    assert samples.slope([100.0, 102.0, 104.0, 106.0]) == pytest.approx(2.0)


def test_soak_reports_memory_and_delay(tmp_path: Path) -> None:
    (row,) = soak.run(0.025, out=tmp_path)
    assert float(row["frames"]) > 0
    assert float(row["delay ms, second half"]) > 0
    assert (tmp_path / "soak.json").exists()

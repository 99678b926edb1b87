"""The live benchmarks count what they say: delays, drops, flicker, blinks, slopes."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.live import live, soak
from benchmarks.live.camera_clip import tiled
from benchmarks.realism import stability
from benchmarks.realism.scenes import Scene
from inpaint_model.errors import UserError


def test_live_preview_and_naive_loops_see_the_same_camera(tmp_path: Path) -> None:
    cases = live.choose_cases(["640x480"], [60], [1])
    rows = live.run(None, cases, 1.0, list(live.LOOPS), tmp_path, "fast", "auto", most_frames=12)
    assert [row["loop"] for row in rows] == ["unmask live", "one thread", "endless queue"]
    for row in rows:
        assert float(row["seconds"]) >= 1
        assert float(row["frames/s"]) > 0
        assert float(row["p50 ms"]) <= float(row["p95 ms"]) <= float(row["p99 ms"])
        assert float(row["faces filled"]) > 0.5
    assert json.loads((tmp_path / "live.json").read_text())["rows"] == [dict(row) for row in rows]


def test_wrong_cameras_and_loops_are_named() -> None:
    with pytest.raises(UserError, match="there are: 640x480 at 60, 1 faces; "):
        live.choose_cases(["1x1"], None, None)
    with pytest.raises(UserError, match="no loop fast; there are: unmask live"):
        live.run(None, live.CASES, 1.0, ["fast"], None, "fast", "auto")


def test_faces_are_tiled() -> None:
    frames = [np.full((512, 512, 3), level, np.uint8) for level in (10, 20, 30, 40)]
    picture = tiled(frames, 1, 4, (640, 480))
    assert picture.shape == (480, 640, 3)
    assert [int(picture[y, x, 0]) for y in (120, 360) for x in (160, 480)] == [20, 30, 40, 10]
    with pytest.raises(UserError, match="3 faces"):
        tiled(frames, 0, 3, (640, 480))


def test_growth_is_measured() -> None:
    samples = soak.Samples(1.0, 0.0)
    samples.minutes = [0.0, 1.0, 2.0, 3.0]
    assert samples.slope([100.0, 102.0, 104.0, 106.0]) == pytest.approx(2.0)


def test_a_short_soak_runs(tmp_path: Path) -> None:
    (row,) = soak.run(0.05, None, tmp_path, "fast", "auto", most_frames=12)
    assert float(row["frames"]) > 3
    assert float(row["delay ms, second half"]) > 0
    assert (tmp_path / "soak.json").exists()


def picture(level: int) -> NDArray[np.uint8]:
    return np.full((128, 128, 3), level, np.uint8)


def test_flicker_is_relative_to_the_truth() -> None:
    identity = np.array([[1.0, 0, 0], [0, 1.0, 0]])
    bare = [picture(100 + 2 * (n % 2)) for n in range(6)]
    scene = Scene("test", 30.0, bare, bare, [identity] * 6)
    hole = np.zeros((128, 128), np.uint8)
    cv2.rectangle(hole, (30, 70), (100, 110), 255, -1)
    shown = [picture(100 + 3 * (n % 2)) for n in range(6)]
    assert stability.flicker(scene, stability.Results(shown, [hole] * 6)) == pytest.approx(1.5)
    assert stability.flicker(scene, stability.Results(bare, [hole] * 6)) == pytest.approx(1.0)


def test_blinks_and_jitter_are_counted() -> None:
    assert stability.blinks([False, True, True, False, True, False]) == 2
    smooth = [np.array([3.0 * n, 1.0 * n]) for n in range(10)]
    assert stability.jitter(smooth) == pytest.approx(0.0, abs=1e-9)
    shaken = [point + np.array([n % 2, 0]) for n, point in enumerate(smooth)]
    assert stability.jitter(shaken) == pytest.approx(2.0)

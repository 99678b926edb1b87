"""The five points of masked faces: a run on the astronaut, and the errors that it counts."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.recognition import points as points_benchmark
from benchmarks.recognition.points import crop_error_px
from realtime.feed.aligned_crop import ARCFACE_TEMPLATE


def test_crop_error_px_of_moved_points_is_their_move():
    points = ARCFACE_TEMPLATE * 3 + 100
    assert crop_error_px(points, points) == pytest.approx(0)
    assert crop_error_px(points, points + np.array([6, 0])) == pytest.approx(2)


def test_crop_error_px_by_the_eyes_ignores_the_mouth():
    moved = ARCFACE_TEMPLATE.copy()
    moved[3:] += (0, 15)
    by_eyes = crop_error_px(ARCFACE_TEMPLATE, moved, 2)
    assert by_eyes == pytest.approx(0, abs=0.2)
    assert crop_error_px(ARCFACE_TEMPLATE, moved) > by_eyes + 1


def test_points_without_data_measures_the_astronaut(tmp_path: Path):
    points_benchmark.run(count=1, out=tmp_path)
    rows = json.loads((tmp_path / "recognition-points.json").read_text())["rows"]
    by_name = {row["points"]: row for row in rows}
    masked, raw = by_name["masked pictures"], by_name["masked, landmarks of the masked face"]
    assert masked["faces"] == masked["found"] == 1
    assert 0.01 < masked["mouth"] != raw["mouth"] > 0.01
    assert masked["eyes"] < 0.05
    assert by_name["bare"]["mouth"] < 0.02
    assert by_name["truth, shifted photograph"]["p95"] < 0.05
    assert by_name["yaw 30 and more"]["faces"] == 0
    yaws = json.loads((tmp_path / "recognition-yaw.json").read_text())["rows"]
    assert np.isfinite(yaws[0]["mean absolute error, degrees"])

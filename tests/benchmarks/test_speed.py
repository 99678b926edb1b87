"""Threads and latency are compared in one run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.speed import latency, threads
from inpaint_model import UserError
from realtime.demo.clip import CameraPath, DemoClip


def test_threads_are_compared_on_unmask_video(tmp_path: Path, monkeypatch):
    short = CameraPath(side=320, seconds=0.2)
    monkeypatch.setattr(threads, "DemoClip", lambda: DemoClip(path=short))
    rows = threads.run(["fast"], [1, 2], "auto", 1, tmp_path)
    assert [row["threads"] for row in rows] == [1, 2]
    assert all(float(row["frames/s"]) > 0 and float(row["inpaint ms, p50"]) > 0 for row in rows)


def test_latency_compares_models_with_the_first(tmp_path: Path):
    rows = latency.run(["fast", "fast"], [1, 2], "auto", 1, 3, tmp_path)
    assert [(row["model"], row["batch"]) for row in rows] == [("fast", 1)] * 2 + [("fast", 2)] * 2
    assert rows[0]["times the first"] == 1
    assert all(float(row["ms a crop, p50"]) > 0 for row in rows)
    assert json.loads((tmp_path / "latency.json").read_text())["rows"] == [dict(r) for r in rows]
    with pytest.raises(UserError, match="at least one"):
        latency.run(["fast"], [0])

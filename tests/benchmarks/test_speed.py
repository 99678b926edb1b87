"""Engines, threads and latency are compared in one run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from benchmarks.speed import engines, latency, threads
from inpaint_model import UserError
from realtime.demo.clip import CameraPath, DemoClip


def test_engines_cpu_are_compared_with_eager_torch(tmp_path: Path, capsys):
    rows = engines.run(["fast"], [1, 2], "cpu", 1, 2, tmp_path)
    names = [str(row["engine"]).split(",")[0] for row in rows if row["batch"] == 1]
    assert names[0] == "torch eager"
    assert {"openvino", "onnxruntime", "torch"} <= set(names)
    assert rows[0]["times faster than eager"] == 1
    for row in rows:
        per_second = 1000 * float(row["batch"]) / float(row["ms a call, p50"])
        assert float(row["crops/s"]) == pytest.approx(per_second, rel=0.01)
        share = str(row["share of peak"])
        assert share == "–" if "int8" in str(row["engine"]) else float(share) > 0
    assert "1 torch threads" in capsys.readouterr().out
    assert json.loads((tmp_path / "engines.json").read_text())["rows"] == [dict(r) for r in rows]


def test_engines_missing_device_raises():
    with pytest.raises(UserError, match="unknown device"):
        engines.run(["fast"], [1], "tpu")
    if not torch.cuda.is_available():
        with pytest.raises(UserError, match="--device cpu"):
            engines.run(["fast"], [1], "cuda")


@pytest.mark.gpu
def test_engines_gpu_prints_the_share_of_its_peak(capsys):
    if not torch.cuda.is_available():
        pytest.skip("torch finds no CUDA GPU")
    rows = engines.run(["fast"], [1], "cuda", rounds=2)
    assert any("CUDA" in str(row["engine"]) or "compiled" in str(row["engine"]) for row in rows)
    assert "TFLOP/s" in capsys.readouterr().out


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

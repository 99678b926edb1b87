"""`python -m trainer fit` as a user runs it: the paper's preset, several devices, orders that fail."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


def trainer(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "COLUMNS": "200"}
    command = [sys.executable, "-m", "trainer", *arguments]
    return subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=120
    )


def paper(prepared_file: Path, run: str, *more: str) -> list[str]:
    tiny = ["--scale", "2e-6", "--batch", "2", "--width", "4", "--accelerator", "cpu"]
    return ["fit", "--preset", "paper", "--data", str(prepared_file), "--run", run, *tiny, *more]


def test_the_papers_preset_runs(prepared_file: Path, tmp_path: Path):
    done = trainer(*paper(prepared_file, "run"), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "crops/s" in done.stdout and "of the matrix peak" in done.stdout
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert (config["network"], config["holes"], config["faces"]) == ("paper", "squares", 2000)
    metrics = (tmp_path / "run" / "metrics.csv").read_text().splitlines()
    assert {"crops", "squares_db", "seen_squares_db"} <= set(metrics[0].split(","))


def test_two_devices_share_the_batch(prepared_file: Path, tmp_path: Path):
    done = trainer(*paper(prepared_file, "run", "--devices", "2"), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "run" / "checkpoint.pt").is_file()
    assert done.stdout.count("faces to train on") == 1


@pytest.mark.parametrize(
    ("more", "named"),
    [
        (["--devices", "3"], "does not divide over 3 devices"),
        (["--precision", "8-bit"], "precision"),
        (["--begin", "nowhere"], "holds no run"),
    ],
)
def test_an_order_that_cannot_be_met_is_one_line(
    prepared_file: Path, tmp_path: Path, more: list[str], named: str
):
    done = trainer(*paper(prepared_file, "run", *more), cwd=tmp_path)
    assert done.returncode == 2
    assert named in done.stderr and "Traceback" not in done.stderr

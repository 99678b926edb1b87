"""`python -m trainer fit` as a user runs it: the paper's preset, two devices, bad options."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from trainer.__main__ import main


def paper(prepared_file: Path, run: Path, *more: str) -> list[str]:
    tiny = ["--scale", "2e-6", "--batch", "2", "--width", "4", "--accelerator", "cpu"]
    data, folder = str(prepared_file), str(run)
    return ["trainer", "fit", "--preset", "paper", "--data", data, "--run", folder, *tiny, *more]


def run_here(command: list[str], monkeypatch: pytest.MonkeyPatch) -> int:
    """Run a command in this process, which has torch imported already; return its exit code."""
    monkeypatch.setattr(sys, "argv", command)
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)  # Typer sets another
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def check_run(run: Path, said: str) -> None:
    """Check the run folder and the log of the paper's preset."""
    assert "crops/s" in said and "of the matrix peak" in said
    assert said.count("faces to train on") == 1
    config = json.loads((run / "config.json").read_text())
    assert (config["network"], config["holes"], config["faces"]) == ("paper", "squares", 2000)
    metrics = (run / "metrics.csv").read_text().splitlines()
    assert {"crops", "squares_db", "seen_squares_db"} <= set(metrics[0].split(","))
    assert {"average-00.bin", "state-00.bin"} <= {path.name for path in run.glob("checkpoint-*/*")}


def test_fit_paper_preset_runs(
    prepared_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    run = tmp_path / "run"
    assert run_here(paper(prepared_file, run), monkeypatch) == 0
    check_run(run, capsys.readouterr().out)


def test_fit_on_two_devices_shares_the_batch(prepared_file: Path, tmp_path: Path):
    order = paper(prepared_file, tmp_path / "run", "--devices", "2")
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "COLUMNS": "200"}
    done = subprocess.run(
        [sys.executable, "-m", *order], env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    check_run(tmp_path / "run", done.stdout)


@pytest.mark.parametrize(
    ("more", "named"),
    [
        (["--devices", "3"], "does not divide over 3 devices"),
        (["--precision", "8-bit"], "precision"),
        (["--begin", "nowhere"], "holds no run"),
    ],
)
def test_fit_with_bad_option_is_one_line(
    prepared_file: Path,
    tmp_path: Path,
    more: list[str],
    named: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    assert run_here(paper(prepared_file, tmp_path / "run", *more), monkeypatch) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert named in line


def test_fit_with_teacher_distils(
    prepared_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    tiny = ["--scale", "1e-5", "--batch", "2", "--width", "4", "--accelerator", "cpu"]
    where = ["--data", str(prepared_file), "--run", str(tmp_path / "run")]
    preset = ["--preset", "paper-mask", "--stage", "1", "--teacher", "fast"]
    assert run_here(["trainer", "fit", *preset, *where, *tiny], monkeypatch) == 0
    assert "distil" in capsys.readouterr().out

"""`python -m trainer fit` as a user runs it: the paper's preset, two devices, bad options."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from threading import Thread

import numpy as np
import pytest

from inpaint_model import open_inpainter
from trainer.__main__ import main
from trainer.data.face_set import FaceSet
from trainer.presets import resolve
from trainer.runs import RunFolder


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


def test_fit_paper_preset_with_teacher_distils(
    prepared_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    run = tmp_path / "run"
    assert run_here(paper(prepared_file, run, "--teacher", "fast"), monkeypatch) == 0
    said = capsys.readouterr().out
    check_run(run, said)
    assert "distil" in said


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
        (["--minutes", "1"], "name one of --minutes and --scale"),
        (["--crops", "9"], "name one of --crops and --scale"),
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


@pytest.mark.parametrize(
    ("length", "named"),
    [
        (["--minutes", "0"], "--minutes must be a number above 0"),
        (["--minutes", "-1"], "--minutes must be a number above 0"),
        (["--minutes", "nan"], "--minutes must be a number above 0"),
        (["--minutes", "1", "--devices", "2"], "--minutes needs one device"),
        (["--crops", "0"], "--crops must be at least 1"),
        (["--scale", "nan"], "--scale must be a number above 0"),
    ],
)
def test_fit_with_bad_length_is_one_line(
    tmp_path: Path,
    length: list[str],
    named: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    where = ["--preset", "glcic", "--data", "none.npz", "--run", str(tmp_path / "run")]
    assert run_here(["trainer", "fit", *where, *length], monkeypatch) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert named in line


@pytest.mark.parametrize(
    ("wide", "more", "named"),
    [(True, [], "name --places FOLDER"), (False, ["--places", "."], "with a margin")],
)
def test_fit_aligner_without_its_data_is_one_line(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    wide: bool,
    more: list[str],
    named: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    data = request.getfixturevalue("wide_file" if wide else "prepared_file")
    where = ["--preset", "aligner", "--data", str(data), "--run", str(tmp_path / "run")]
    assert run_here(["trainer", "fit", *where, "--accelerator", "cpu", *more], monkeypatch) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert named in line


def test_fit_refiner_needs_fine_faces(
    prepared_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    where = ["--preset", "refiner", "--data", str(prepared_file), "--run", str(tmp_path / "run")]
    assert run_here(["trainer", "fit", *where, "--accelerator", "cpu"], monkeypatch) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "prepared with --scale 2" in line


def test_fit_refiner_runs_and_exports(
    fine_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    run = tmp_path / "run"
    where = ["--data", str(fine_file), "--run", str(run), "--accelerator", "cpu"]
    tiny = ["--preset", "refiner", "--crops", "8", "--batch", "4"]
    assert run_here(["trainer", "fit", *tiny, *where], monkeypatch) == 0
    assert "contrast" in capsys.readouterr().out
    metrics = (run / "metrics.csv").read_text().splitlines()
    assert {"detail", "contrast"} <= set(metrics[0].split(","))


def test_fit_aligner_runs_with_places(
    wide_file: Path,
    photo_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    run = tmp_path / "run"
    where = ["--data", str(wide_file), "--run", str(run), "--accelerator", "cpu"]
    # The test has no photographs without people: what the network learns of these does not matter.
    places = ["--places", str(photo_folder), "--manifest", str(photo_folder / "wide.csv")]
    tiny = ["--preset", "aligner", "--crops", "8", "--batch", "4"]
    assert run_here(["trainer", "fit", *tiny, *where, *places], monkeypatch) == 0
    assert "recall" in capsys.readouterr().out
    metrics = (run / "metrics.csv").read_text().splitlines()
    assert {"recall", "point_px", "mask"} <= set(metrics[0].split(","))


def test_fit_minutes_stopped_then_resumed_exports(
    prepared_file: Path,
    faces: FaceSet,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    run = tmp_path / "run"
    where = ["--data", str(prepared_file), "--run", str(run), "--accelerator", "cpu"]
    size = ["--preset", "glcic", "--minutes", "60", "--batch", "2", "--width", "2"]
    command = ["trainer", "fit", *size, *where]
    stopper = Thread(target=_terminate_after, args=(run / "checkpoint-000001",))
    stopper.start()
    assert run_here(command, monkeypatch) == 2
    stopper.join()
    stopped = capsys.readouterr().err.splitlines()[-1]
    assert "--resume takes the time that is left" in stopped
    assert 0 < json.loads((run / "clock.json").read_text())["used_s"] < 3600

    # All but the last second was used by a process that was killed.
    (run / "clock.json").write_text('{"used_s": 3599}')
    assert run_here([*command, "--resume"], monkeypatch) == 0
    said = capsys.readouterr().out
    assert f"{run / 'glcic.onnx'}: fp16" in said
    assert [line.split()[0] for line in said.splitlines()[-2:]] == ["lost", "in"]
    assert f"step {re.findall('[0-9]+', stopped)[0]} " in said
    assert not list(run.glob("*.part")) and not (run / "template.onnx").exists()
    holes = np.zeros((1, 128, 128), bool)
    holes[:, 60:100, 40:90] = True
    with open_inpainter(run / "glcic.onnx", "onnxruntime") as inpainter:
        filled = inpainter(faces.crops[:1], holes)
    assert np.array_equal(filled[~holes], faces.crops[:1][~holes])

    assert run_here([*command, "--resume"], monkeypatch) == 0
    assert "60 minutes are over" in capsys.readouterr().out
    assert run_here([*command, "--resume", "--minutes", "61"], monkeypatch) == 2
    assert "which --minutes does not change" in capsys.readouterr().err


def test_fit_resumed_before_checkpoint_needs_begin_again(
    prepared_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    config = replace(resolve("paper", width=4), initial_weights="older")
    RunFolder(tmp_path / "run").begin(config, resume=False)
    assert run_here(paper(prepared_file, tmp_path / "run", "--resume"), monkeypatch) == 2
    assert "name --begin older again" in capsys.readouterr().err


def _terminate_after(folder: Path) -> None:
    """Send SIGTERM to this process once a folder exists, or give up after a minute."""
    for _ in range(600):
        if folder.exists():
            os.kill(os.getpid(), signal.SIGTERM)
            return
        time.sleep(0.1)

"""The commands as a user runs them, with the real models."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import psutil
import pytest

import realtime
from realtime.cli.app import run
from realtime.demo.clip import CameraPath, DemoClip
from tests.realtime.making_media import read_packets, write_video

RECORD = ["frame_index", "pts_s", "track_id", "box", "keypoints", "mask_coverage", "inpainted"]
COMMAND = [sys.executable, "-X", "faulthandler", "-m", "realtime"]


@pytest.fixture(scope="module")
def clip() -> DemoClip:
    return DemoClip(path=CameraPath(side=320, seconds=0.4, zoom=(1.0, 1.2)))


@pytest.fixture(scope="module")
def masked_video(clip: DemoClip, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("cli") / "masked.mp4"
    return write_video(path, clip.masked_bgr(), sound_s=0.4)


def test_help_imports_nothing_heavy() -> None:
    program = (
        "import sys\nfrom realtime.cli.app import run\nassert run(['--help']) == 0\n"
        "heavy = {'cv2', 'numpy', 'av', 'mediapipe', 'openvino', 'rich', 'torch'}\n"
        "assert not heavy & sys.modules.keys(), heavy & sys.modules.keys()"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for command in ("image", "video", "batch", "live", "demo", "doctor"):
        assert command in done.stdout


def test_version_prints_the_installed_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"unmask {realtime.__version__}\n"


def test_completion_of_a_command_names_it() -> None:
    asked = {"_UNMASK_COMPLETE": "complete_bash", "COMP_WORDS": "unmask vid", "COMP_CWORD": "1"}
    done = subprocess.run(COMMAND, env=os.environ | asked, capture_output=True, text=True)
    assert done.stdout.split() == ["video"]


def test_image_command_unmasks_a_picture(
    clip: DemoClip, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, target, report = (tmp_path / name for name in ("in.png", "out.png", "report.json"))
    masked_rgb = clip.masked_rgb(3)
    cv2.imwrite(str(source), masked_rgb[:, :, ::-1])
    status = run(["image", str(source), str(target), "--report", str(report), "--max-faces", "1"])
    assert status == 0
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("unmask: model fast, engine openvino")
    assert lines[-1].endswith("1 picture, 1 face found, 1 unmasked")
    result_rgb = cv2.imread(str(target))[:, :, ::-1]
    hole = clip.mask(3)
    before = np.abs(masked_rgb[hole].astype(int) - clip.truth_rgb(3)[hole]).mean()
    after = np.abs(result_rgb[hole].astype(int) - clip.truth_rgb(3)[hole]).mean()
    assert after < 0.6 * before
    figures = json.loads(report.read_text())
    assert (figures["frames"], figures["masked_faces"]) == (1, 1)
    assert figures["stages"]["inpaint"]["p50_ms"] > 0
    (record,) = figures["face_records"]
    assert list(record) == RECORD
    assert record["inpainted"] and 0.05 < record["mask_coverage"] < 0.5
    assert "chosen by auto: " in figures["engine_reason"]
    assert figures["engine_reason"] in lines[0]


def test_batch_command_signals_end_it_in_one_line(tmp_path: Path) -> None:
    """A terminal that is closed sends SIGHUP to the workers as well, and Ctrl-C may follow."""
    long, out, numbers = tmp_path / "long.mp4", tmp_path / "out", (signal.SIGHUP, signal.SIGINT)
    write_video(long, [np.zeros((64, 96, 3), np.uint8)] * 2000)
    process = subprocess.Popen(
        [*COMMAND, "batch", str(long), "--out", str(out)],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: [signal.signal(number, signal.SIG_DFL) for number in numbers],
    )
    deadline = time.monotonic() + 60
    while not list(out.glob(".long.mp4*")) and time.monotonic() < deadline:
        time.sleep(0.05)
    workers = psutil.Process(process.pid).children(recursive=True)
    while process.poll() is None:
        for number in numbers:
            os.killpg(process.pid, number)
        time.sleep(0.01)
    _, error = process.communicate(timeout=30)
    _, alive = psutil.wait_procs(workers, timeout=30)
    assert process.returncode == 1, error
    assert len(error.splitlines()) == 1, error
    assert error.startswith(f"unmask: error: {out}: stopped; what is done is kept")
    assert workers and not alive
    assert not (out / "long.mp4").exists()


@pytest.mark.parametrize("strict", [[], ["--strict"]])
def test_image_command_without_a_face_copies(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], strict: list[str]
) -> None:
    source, target, report = (tmp_path / name for name in ("in.png", "out.png", "report.json"))
    cv2.imwrite(str(source), np.full((1, 40, 3), 90, np.uint8))
    status = run(["image", str(source), str(target), "--report", str(report), *strict])
    lines = capsys.readouterr().err.splitlines()
    assert status == len(strict)
    assert "unmask: note: no face found: the output is a copy of the input" in lines
    assert lines[-1].startswith("unmask: error: no face found") == bool(strict)
    assert target.read_bytes() == source.read_bytes()
    figures = json.loads(report.read_text())
    assert (figures["outcome"], figures["face_records"]) == ("no face", [])


def test_report_of_a_private_source_is_private(tmp_path: Path) -> None:
    source, report = tmp_path / "in.png", tmp_path / "report.json"
    cv2.imwrite(str(source), np.full((1, 40, 3), 90, np.uint8))
    source.chmod(0o600)
    assert run(["image", str(source), str(tmp_path / "out.png"), "--report", str(report)]) == 0
    assert report.stat().st_mode & 0o777 == 0o600


def test_image_command_says_when_faces_are_left_out(
    clip: DemoClip, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, target = tmp_path / "in.png", tmp_path / "out.png"
    cv2.imwrite(str(source), np.hstack([clip.masked_rgb(3)] * 2)[:, :, ::-1])
    assert run(["image", str(source), str(target), "--max-faces", "1"]) == 0
    assert "--max-faces" in capsys.readouterr().err


def test_video_command_unmasks_without_foreign_messages(masked_video: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.mp4"
    done = subprocess.run(
        [*COMMAND, "video", str(masked_video), str(target), "--max-faces", "1"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    lines = done.stderr.splitlines()
    assert all(line.startswith("unmask: ") for line in lines), done.stderr
    assert "10 frames" in lines[-1]
    before, after = read_packets(masked_video), read_packets(target)
    assert after.shown_s == before.shown_s
    assert after.sound == before.sound


@pytest.mark.parametrize("name", ["SIGHUP", "SIGINT"])
def test_video_command_signals_leave_no_file(tmp_path: Path, name: str) -> None:
    long = tmp_path / "long.mp4"
    write_video(long, [np.zeros((64, 96, 3), np.uint8)] * 2000)
    process = subprocess.Popen(
        [*COMMAND, "video", str(long), str(tmp_path / "out.mp4")],
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(getattr(signal, name), signal.SIG_DFL),
    )
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob(".out.mp4*")) and time.monotonic() < deadline:
        time.sleep(0.05)
    while process.poll() is None:  # however often
        process.send_signal(getattr(signal, name))
        time.sleep(0.01)
    _, error = process.communicate(timeout=30)
    assert process.returncode == 1, error
    assert error.splitlines()[-1] == "unmask: error: stopped; no output was written"
    assert len(error.splitlines()) <= 2
    assert [path.name for path in tmp_path.iterdir()] == ["long.mp4"]


def test_unexpected_error_is_one_line_and_code_1(
    masked_video: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("by zero\nand more")

    monkeypatch.setattr("realtime.video.file.VideoJob.run", fail)
    arguments = ["video", str(masked_video), str(tmp_path / "out.mp4")]
    assert run(arguments) == 1
    error = capsys.readouterr().err
    assert "Traceback" not in error
    expected = f"failed: {masked_video}: ZeroDivisionError: by zero and more"
    assert expected in error.splitlines()[-1]
    monkeypatch.setenv("UNMASK_DEBUG", "1")
    assert run(arguments) == 1
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("command", "part"),
    [("image", "image_file.read_picture"), ("feed", "feed.run.Feed._all")],
)
def test_unexpected_error_names_the_file(
    command: str,
    part: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    source = tmp_path / "in.png"
    cv2.imwrite(str(source), np.zeros((8, 8, 3), np.uint8))
    monkeypatch.setattr(f"realtime.{part}", None)
    target = tmp_path / "out.png"
    assert run([command, str(source), *([str(target)] if command == "image" else [])]) == 1
    assert f"failed: {source}: TypeError: " in capsys.readouterr().err.splitlines()[-1]


def test_no_command_shows_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([]) == 2
    assert "Commands:" in capsys.readouterr().out


def test_video_command_options_reach_the_pipeline(clip: DemoClip, tmp_path: Path) -> None:
    pair = np.hstack([clip.masked_rgb(3)[:, :, ::-1]] * 2)
    source = write_video(tmp_path / "pair.mp4", [pair] * 4)
    target, report = tmp_path / "out.mp4", tmp_path / "report.json"
    options = ["--max-faces", "1", "--side-by-side", "--report", str(report)]
    assert run(["video", str(source), str(target), *options]) == 0
    assert json.loads(report.read_text())["faces"] == 4
    assert read_packets(target).size == (1280, 320)

"""`unmask live` as a user runs it: a file as the camera, a real window where there is a display server."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from realtime.cli.app import run
from realtime.demo.clip import CameraPath, DemoClip
from realtime.live.choices import Key
from tests.realtime.feed.delivery.making_receivers import wait_for
from tests.realtime.making_live import network_camera
from tests.realtime.making_media import largest_file, write_video
from tests.realtime.x_display import XDisplay

LIVE = [sys.executable, "-m", "realtime", "live"]


@pytest.fixture(scope="module")
def masked_video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    clip = DemoClip(path=CameraPath(side=320, seconds=1.2, zoom=(1.0, 1.2)))
    return write_video(tmp_path_factory.mktemp("live") / "masked.mp4", clip.masked_bgr())


@pytest.fixture(scope="module")
def noisy_video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two and a half seconds of noise at 10 frames/s, of which a recording takes 40 kB a frame."""
    noise = np.random.default_rng(0).integers(0, 256, (25, 192, 256, 3), np.uint8)
    path = tmp_path_factory.mktemp("live") / "noisy.mp4"
    return write_video(path, noise, steps=[1280] * len(noise))


def test_live_command_unmasks_a_paced_file(
    masked_video: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "report.json"
    arguments = ["--source", str(masked_video), "--sink", "none", "--loop", "--seconds", "1"]
    out = tmp_path / "new" / "folder"
    arguments += ["--report", str(report), "--record", "--out", str(out)]
    status = run(["live", *arguments])
    lines = capsys.readouterr().err.splitlines()
    assert status == 0, lines
    assert any(line.startswith("unmask: from capture to display: p50 ") for line in lines)
    figures = json.loads(report.read_text())
    assert figures["masked_faces"] > 0
    assert figures["synthetic"] is True
    assert {"detect_and_track", "segment", "inpaint", "composite", "show"} == set(figures["stages"])
    assert len(list(out.glob("unmask-*.mp4"))) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--source", "77", "--sink", "none"], "error: no camera 77; "),
        (["--source", "77", "--sink", "none", "--size", "big"], "error: --size big: write it as"),
        (["--sink", "none", "--out", __file__], "test_live.py: is not a folder"),
        (["--sink", "none", "--out", "/proc/no/such"], "error: /proc/no/such: cannot be made"),
        (["--source", "no.mp4"], "error: no file and no camera no.mp4"),
        (["--sink", "wall"], "Invalid value for '--sink'"),
    ],
)
def test_live_command_wrong_use_is_one_line(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["live", *arguments]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line


@pytest.mark.skipif(sys.platform != "linux", reason="other systems always have a display")
@pytest.mark.parametrize(("name", "why"), [(None, "no display"), (":987", "could not connect")])
def test_live_command_without_display_says_the_fix(name: str | None, why: str) -> None:
    environment = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY")}
    environment |= {"DISPLAY": name} if name else {}
    done = subprocess.run(LIVE, env=environment, capture_output=True, text=True)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert why in line
    assert "--sink none" in line


@pytest.mark.skipif(Path("/sys/module/v4l2loopback").exists(), reason="there is such a device")
@pytest.mark.skipif(sys.platform != "linux", reason="other systems need no device")
def test_live_command_without_virtual_camera_says_the_fix(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["live", "--sink", "virtual-camera"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "modprobe v4l2loopback" in line


def test_live_keys_are_in_help_and_document(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["live", "--help"]) == 0
    help_text = capsys.readouterr().out.split("Keys in the window:")[1].split("Options")[0]
    document = (Path(__file__).parents[3] / "docs" / "live.md").read_text(encoding="utf-8")
    table = document.split("## The window")[1].split("## How it keeps up")[0]
    for key in Key:
        assert f" {key.value} " in help_text
        assert f"`{key.value}`" in table


def test_live_command_lists_the_cameras(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["live", "--list"]) == 0
    said = capsys.readouterr()
    assert said.out or "no camera is connected" in said.err


@pytest.mark.usefixtures("quick_retries")
def test_live_command_gives_up_on_a_camera_that_is_gone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("UNMASK_LIMITS", "open_s=1 silent_s=1 lost_s=1")
    with network_camera() as camera:

        def unplug() -> None:
            wait_for(lambda: camera.given > 20)
            camera.unplug()

        thread = threading.Thread(target=unplug)
        thread.start()
        assert run(["live", "--source", camera.url, "--sink", "none"]) == 1
        thread.join()
    lines = capsys.readouterr().err.splitlines()
    assert any("waiting for it to come back" in line for line in lines)
    assert lines[-1].startswith(f"unmask: error: {camera.url}: ")
    assert "; not back after 1 s" in lines[-1]


def _recorded_s(folder: Path) -> float:
    """Return the time of the last frame of the only file in a folder."""
    (path,) = folder.iterdir()
    assert path.name.startswith("unmask-")
    with av.open(str(path)) as file:
        return max(float(frame.time or 0) for frame in file.decode(video=0))


def test_live_command_recording_on_a_full_disk_is_kept(
    noisy_video: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["live", "--source", str(noisy_video), "--sink", "none"]
    assert run([*words, "--seconds", "0.1"]) == 0  # the compiled models are kept: they are larger
    capsys.readouterr()
    with largest_file(250_000):
        assert run([*words, "--record", "--out", str(tmp_path)]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert any("from capture to display" in line for line in lines)  # the run went on
    assert lines[-1].startswith("unmask: error: ")
    assert "cannot be written to its end" in lines[-1] and "the rest is kept" in lines[-1]
    assert _recorded_s(tmp_path) >= 0.3  # of the five frames that fit the last one may be cut


def test_live_command_recording_ended_by_sighup_plays(noisy_video: Path, tmp_path: Path) -> None:
    words = ["--source", str(noisy_video), "--loop", "--sink", "none", "--record"]
    with subprocess.Popen(
        [*LIVE, *words, "--out", str(tmp_path)],
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),
    ) as process:
        try:
            wait_for(lambda: any(path.stat().st_size for path in tmp_path.iterdir()), 60)
            process.send_signal(signal.SIGHUP)
            said = process.communicate(timeout=60)[1]
        finally:
            process.kill()
    assert process.returncode == 0, said
    assert "recording saved: " in said
    assert _recorded_s(tmp_path) > 0


def _heed_ctrl_c() -> None:
    """A shell's background jobs, these tests perhaps, hand on that Ctrl-C is ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def run_in_window(
    display: XDisplay, arguments: list[str], end: Callable[[subprocess.Popen[str], int], None]
) -> str:
    """Run `unmask live` until its window shows something, end it, and return what it said."""
    with subprocess.Popen(
        [*LIVE, *arguments],
        env=display.environment(),
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=_heed_ctrl_c,
    ) as process:
        try:
            end(process, display.wait_for_window(process))
            said = process.communicate(timeout=60)[1]
        finally:
            process.kill()
        assert process.returncode == 0, said
    return said


def test_live_command_shows_a_window_until_ctrl_c(
    display: XDisplay, masked_video: Path, tmp_path: Path
) -> None:
    report = tmp_path / "report.json"
    arguments = ["--source", str(masked_video), "--loop", "--report", str(report)]
    arguments += ["--sink", "window", "--sink", "none"]
    said = run_in_window(display, arguments, lambda process, _: process.send_signal(signal.SIGINT))
    assert "model fast" in said
    assert "from capture to display" in said
    figures = json.loads(report.read_text())
    assert figures["frames"] > 0
    assert figures["sink"] == "window + none"


def test_live_command_closed_window_ends_the_run(display: XDisplay, masked_video: Path) -> None:
    arguments = ["--source", str(masked_video), "--loop"]
    said = run_in_window(display, arguments, lambda _, window: display.close(window))
    assert "from capture to display" in said

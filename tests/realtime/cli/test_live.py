"""`unmask live` as a user runs it: a file as the camera, a real window where there is a display server."""

from __future__ import annotations

import ctypes
import ctypes.util
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from realtime.cli.app import run
from realtime.demo.clip import CameraPath, DemoClip
from tests.realtime.making_media import write_video

LIVE = [sys.executable, "-m", "realtime", "live"]


@pytest.fixture(scope="module")
def masked_video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    clip = DemoClip(path=CameraPath(side=320, seconds=1.2, zoom=(1.0, 1.2)))
    return write_video(tmp_path_factory.mktemp("live") / "masked.mp4", clip.masked_bgr())


@pytest.fixture(scope="module")
def display() -> Iterator[str]:
    """A display in memory."""
    server = shutil.which("Xvfb")
    if server is None:
        pytest.skip("Xvfb is not installed: apt-get install xvfb")
    receiving, sending = os.pipe()
    command = [server, "-displayfd", str(sending), "-screen", "0", "800x600x24"]
    with subprocess.Popen(command, pass_fds=[sending], stderr=subprocess.DEVNULL) as process:
        os.close(sending)
        with os.fdopen(receiving) as numbers:
            yield f":{numbers.readline().strip()}"
        process.terminate()


def close_windows(display: str) -> None:
    """Do what a window manager does when the user clicks on the cross (X11's WM_DELETE_WINDOW)."""
    path = ctypes.util.find_library("X11")
    if path is None:
        pytest.skip("libX11 is not installed")
    x11 = ctypes.CDLL(path)
    x11.XOpenDisplay.restype = ctypes.c_void_p
    connection = ctypes.c_void_p(x11.XOpenDisplay(display.encode()))
    x11.XInternAtom.restype = x11.XDefaultRootWindow.restype = ctypes.c_ulong
    protocols, delete = (
        x11.XInternAtom(connection, name, False) for name in (b"WM_PROTOCOLS", b"WM_DELETE_WINDOW")
    )
    root = ctypes.c_ulong(x11.XDefaultRootWindow(connection))
    ids, count, unused = (
        ctypes.POINTER(ctypes.c_ulong)(),
        ctypes.c_uint(),
        ctypes.c_ulong(),
    )
    x11.XQueryTree(
        connection, root, *[ctypes.byref(unused)] * 2, ctypes.byref(ids), ctypes.byref(count)
    )
    for number in range(count.value):
        # XClientMessageEvent: type 33, serial, send_event, display, window, message, format, data
        event = (ctypes.c_long * 24)(33, 0, 1, 0, ids[number], protocols, 32, delete)
        x11.XSendEvent(connection, ctypes.c_ulong(ids[number]), 0, 0, ctypes.byref(event))
    x11.XSync(connection, 0)
    x11.XCloseDisplay(connection)


def test_live_command_unmasks_a_paced_file(
    masked_video: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "report.json"
    arguments = ["--source", str(masked_video), "--sink", "none", "--loop", "--seconds", "2"]
    arguments += ["--report", str(report), "--record", "--out", str(tmp_path)]
    status = run(["live", *arguments])
    lines = capsys.readouterr().err.splitlines()
    assert status == 0, lines
    assert any(line.startswith("unmask: from capture to display: p50 ") for line in lines)
    figures = json.loads(report.read_text())
    assert figures["masked_faces"] > 0
    assert figures["synthetic"] is True
    assert {"detect_and_track", "segment", "inpaint", "composite", "show"} == set(figures["stages"])
    assert len(list(tmp_path.glob("unmask-*.mp4"))) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--source", "77", "--sink", "none"], "error: no camera 77; "),
        (["--source", "77", "--sink", "none", "--size", "big"], "error: --size big: write it as"),
        (["--sink", "none", "--out", "nowhere"], "error: nowhere: is not a folder"),
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


def test_live_command_lists_the_cameras(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["live", "--list"]) == 0
    said = capsys.readouterr()
    assert said.out or "no camera is connected" in said.err


def _heed_ctrl_c() -> None:
    """A shell's background jobs, these tests perhaps, hand on that Ctrl-C is ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_live_command_shows_a_window_until_ctrl_c(
    display: str, masked_video: Path, tmp_path: Path
) -> None:
    report = tmp_path / "report.json"
    command = [*LIVE, "--source", str(masked_video), "--loop", "--report", str(report)]
    environment = {**os.environ, "DISPLAY": display}
    with subprocess.Popen(
        command,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=_heed_ctrl_c,
    ) as process:
        assert process.stderr is not None
        assert "model fast" in process.stderr.readline()
        time.sleep(2)
        process.send_signal(signal.SIGINT)
        try:
            said = process.communicate(timeout=60)[1]
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        assert process.returncode == 0, said
    assert "from capture to display" in said
    assert json.loads(report.read_text())["frames"] > 0


def test_window_poll_returns_the_key(display: str) -> None:
    program = """if True:
        import cv2, numpy as np
        from realtime.live.choices import Key
        from realtime.live.sinks import Window
        window = Window("preview")
        window.show(np.zeros((48, 64, 3), np.uint8))
        assert window.poll() is None
        for code, key in ((ord("U"), Key.TOGGLE), (27, Key.QUIT), (ord("x"), None)):
            cv2.pollKey = lambda: code
            assert window.poll() is key, (code, key)
    """
    environment = {**os.environ, "DISPLAY": display}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_live_command_closed_window_ends_the_run(display: str, masked_video: Path) -> None:
    command = [*LIVE, "--source", str(masked_video), "--loop"]
    environment = {**os.environ, "DISPLAY": display}
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert "model fast" in process.stderr.readline()
        time.sleep(2)
        close_windows(display)
        said = process.stderr.read()
        assert process.wait(20) == 0, said
    assert "from capture to display" in said

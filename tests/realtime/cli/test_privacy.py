"""The commands open no connection and write nothing to the home folder: seen in their system calls."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import pytest

from realtime.demo.clip import CameraPath, DemoClip
from tests.realtime.making_media import write_video

ROOT = Path(__file__).parents[3]
COMMANDS = """
import sys
from realtime.cli.app import run
assert run(["image", "in.png", "out.png", "--engine", "onnxruntime"]) == 0
assert run(["video", "in.mp4", "out.mp4"]) == 0
assert run(["live", "--source", "in.mp4", "--sink", "none"]) == 0
assert run(["doctor"]) == 0
"""
LOOK_UP = "import socket; socket.socket().connect_ex(('127.0.0.1', 9))"


def trace_network(code: str, folder: Path) -> list[str]:
    """Run Python code in a folder and return the system calls of its processes that name the internet.

    `CI` is unset, since some libraries look nothing up where it is set. A program that opens no such socket
    cannot be stalled by a network that drops its packets.
    """
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("strace is not installed: apt-get install strace")
    tracer = [strace, "--seccomp-bpf", "-f", "-qq", "-e", "trace=network", "-o", "calls.txt"]
    if subprocess.run([*tracer, "true"], cwd=folder, capture_output=True).returncode:
        pytest.skip("strace may not trace here")
    kept = {name: value for name, value in os.environ.items() if name != "CI"}
    own = {"HOME": str(folder / "home"), "PYTHONPATH": str(ROOT)}
    (folder / "home").mkdir()
    command = [*tracer, sys.executable, "-c", code]
    done = subprocess.run(command, cwd=folder, env=kept | own, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return [line for line in (folder / "calls.txt").read_text().splitlines() if "AF_INET" in line]


def test_commands_open_no_internet_socket(tmp_path: Path) -> None:
    clip = DemoClip(path=CameraPath(side=192, seconds=0.2, zoom=(0.8, 0.9)))
    cv2.imwrite(str(tmp_path / "in.png"), clip.masked_rgb(0)[:, :, ::-1])
    write_video(tmp_path / "in.mp4", clip.masked_bgr())
    assert trace_network(COMMANDS, tmp_path) == []
    assert list((tmp_path / "home").iterdir()) == []


def test_trace_network_sees_a_connection(tmp_path: Path) -> None:
    assert any("127.0.0.1" in call for call in trace_network(LOOK_UP, tmp_path))

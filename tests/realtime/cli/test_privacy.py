"""The commands open no connection and write nothing to the home folder: the system itself says so."""

from __future__ import annotations

import os
import re
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
from realtime.cli.app import run
assert run(["image", "in.png", "out.png", "--engine", "onnxruntime"]) == 0
assert run(["video", "in.mp4", "out.mp4"]) == 0
assert run(["live", "--source", "in.mp4", "--sink", "none"]) == 0
assert run(["doctor"]) == 0
"""
MESSAGE = "import socket; socket.socket(type=socket.SOCK_DGRAM).sendto(b'?', ('127.0.0.1', 9))"
# A network that is up and drops every packet: what waits for an answer stalls.
DEAD_NETWORK = """
ip link set lo up && ip address add 10.9.9.2/32 dev lo && ip route add default dev lo || exit 99
"$@"; status=$?; cat /proc/net/snmp /proc/net/snmp6 > packets.txt; exit $status
"""
IN_DEAD_NETWORK = ["unshare", "--map-root-user", "--net", "sh", "-c", DEAD_NETWORK, "sh"]
TRACED = ["strace", "--seccomp-bpf", "-f", "-qq", "-e", "trace=network", "-o", "calls.txt"]


def watch_network(code: str, folder: Path) -> list[str]:
    """Run Python code in a folder and return what shows that it or a child used the internet.

    That is each system call that names it, where strace may be used, and the numbers of connections and
    datagrams that were sent, where a network namespace can be made. `CI` is unset, since some libraries
    look nothing up where it is set.
    """
    watchers = [words for words in (IN_DEAD_NETWORK, TRACED) if _works([*words, "true"], folder)]
    if not watchers:
        pytest.skip("neither strace nor a network namespace can be used here")
    kept = {name: value for name, value in os.environ.items() if name != "CI"}
    own = {"HOME": str(folder / "home"), "PYTHONPATH": str(ROOT)}
    (folder / "home").mkdir()
    command = [*(word for words in watchers for word in words), sys.executable, "-c", code]
    done = subprocess.run(command, cwd=folder, env=kept | own, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return _calls(folder / "calls.txt") + _sent(folder / "packets.txt")


def _works(command: list[str], folder: Path) -> bool:
    if shutil.which(command[0]) is None:
        return False
    return subprocess.run(command, cwd=folder, capture_output=True).returncode == 0


def _calls(trace: Path) -> list[str]:
    lines = trace.read_text().splitlines() if trace.exists() else []
    return [line for line in lines if "AF_INET" in line]


def _sent(counters: Path) -> list[str]:
    """Return the counters of datagrams and connections that are not zero, of IPv4 and IPv6."""
    if not counters.exists():
        return []
    text = counters.read_text()
    found = dict(re.findall(r"^(Udp6OutDatagrams)\s+(\d+)", text, re.MULTILINE))
    for protocol, name in (("Udp", "OutDatagrams"), ("Tcp", "ActiveOpens")):
        names, values = re.findall(rf"^{protocol}: (.*)$", text, re.MULTILINE)
        found[f"{protocol} {name}"] = values.split()[names.split().index(name)]
    return [f"{name} {value}" for name, value in found.items() if value != "0"]


def test_commands_use_no_network(tmp_path: Path) -> None:
    clip = DemoClip(path=CameraPath(side=192, seconds=0.2, zoom=(0.8, 0.9)))
    cv2.imwrite(str(tmp_path / "in.png"), clip.masked_rgb(0)[:, :, ::-1])
    write_video(tmp_path / "in.mp4", clip.masked_bgr())
    assert watch_network(COMMANDS, tmp_path) == []
    assert list((tmp_path / "home").iterdir()) == []


@pytest.mark.parametrize("watcher", ["strace", "unshare"])
def test_watch_network_sees_a_message(
    watcher: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: name if name == watcher else None)
    found = watch_network(MESSAGE, tmp_path)
    assert any(
        ("127.0.0.1" if watcher == "strace" else "Udp OutDatagrams 1") in one for one in found
    )

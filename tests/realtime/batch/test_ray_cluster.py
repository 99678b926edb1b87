"""A batch on a real Ray of two workers, one of which is killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from realtime.cli.app import run

_READ_KEYS = """
import sys
from ray._raylet import GcsClient
print(GcsClient(address=sys.argv[1]).internal_kv_keys(b"", None))
"""


def _ask_cluster_without_token(ray: Any, home: Path, refusals: list[str]) -> None:
    """Read from the cluster of this process as another user of the machine could, once it runs."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not ray.is_initialized():
        time.sleep(0.1)
    environment = {**os.environ, "HOME": str(home), "RAY_AUTH_MODE": "disabled"}
    command = [sys.executable, "-c", _READ_KEYS, ray.get_runtime_context().gcs_address]
    asked = subprocess.run(command, env=environment, capture_output=True, text=True)
    refusals.append(asked.stderr if asked.returncode else "")


def _kill_first(match: str, killed: list[int]) -> None:
    """Kill one process of ours by number, once it has begun to work."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not killed:
        for process in psutil.process_iter(["pid", "cmdline"]):
            line = " ".join(process.info["cmdline"] or [])
            if match in line:
                os.kill(process.info["pid"], signal.SIGKILL)
                killed.append(process.info["pid"])
                return
        time.sleep(0.1)


def test_ray_killed_worker_every_file_is_done_once(
    media: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ray = pytest.importorskip("ray", reason="the extra `cluster` is not installed")
    source, out = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    out.mkdir()
    face, film = media / "a" / "face.png", media / "a" / "b" / "film.mp4"
    for number, path in enumerate((face, film, film)):
        (source / f"{number}{path.suffix}").write_bytes(path.read_bytes())
    (tmp_path / "av.py").write_text("raise SystemExit(77)")  # the workers must not import it
    monkeypatch.chdir(tmp_path)
    killed: list[int] = []
    killer = threading.Thread(target=_kill_first, args=("ray::RayFileWorker.run", killed))
    refusals: list[str] = []
    stranger = threading.Thread(
        target=_ask_cluster_without_token, args=(ray, tmp_path / "stranger", refusals)
    )
    killer.start()
    stranger.start()
    command = ["batch", str(source), "--out", str(out), "--ray", "local", "--workers", "2"]
    status = run([*command, "--report", str(out / "r.json"), "--max-faces", "1"])
    killer.join()
    stranger.join()
    assert killed
    assert "token" in refusals[0].lower()
    assert status == 0, (out / "r.json").read_text()
    figures = json.loads((out / "r.json").read_text())
    assert (figures["files"], figures["done"]) == (3, 3)
    assert len([p for p in out.iterdir() if p.suffix in (".png", ".mp4")]) == 3
    assert not list(out.glob(".*unmask*.tmp"))

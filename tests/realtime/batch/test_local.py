"""Worker processes on this machine: one that is killed, and one whose parent is."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil

from realtime.batch.jobs import Job
from realtime.batch.local import run_local
from realtime.batch.worker import WorkerOptions
from tests.realtime.making_media import write_video


def test_batch_killed_worker_fails_only_its_file(media: Path, tmp_path: Path) -> None:
    jobs = [
        Job(str(media / "a" / "face.png"), str(tmp_path / f"{n}.png")) for n in range(3)
    ]  # fmt: skip
    outcomes = run_local(jobs, WorkerOptions(max_faces=1), workers=1)
    first = next(outcomes)
    children = psutil.Process().children(recursive=True)
    for child in children:
        if "spawn_main" in " ".join(child.cmdline()):
            child.kill()
    rest = list(outcomes)
    statuses = [first.status, *(outcome.status for outcome in rest)]
    assert statuses.count("done") == 2
    assert any("the worker died (signal 9)" in outcome.message for outcome in rest)


def test_batch_worker_ends_with_a_killed_parent(media: Path, tmp_path: Path) -> None:
    long = write_video(tmp_path / "long.mp4", [np.zeros((360, 640, 3), np.uint8)] * 300)
    out = tmp_path / "out"
    command = [sys.executable, "-m", "realtime", "batch", str(long), "--out", str(out)]
    parent = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 240
    while not list(out.glob(".long.mp4*")) and time.monotonic() < deadline:
        time.sleep(0.02)
    workers = psutil.Process(parent.pid).children(recursive=True)
    parent.kill()
    parent.wait()
    _, alive = psutil.wait_procs(workers, timeout=60)
    assert workers and not alive
    assert not (out / "long.mp4").exists()  # they did not finish the file first

"""Runs every command that reads a file on hostile ones: no traceback, hang, crash or runaway memory."""

from __future__ import annotations

import os
import resource
import signal
import sys
import tempfile
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from benchmarks.robustness.hostile_files import Hostile, hostile_files
from benchmarks.tables import Row, publish

MOST_SECONDS, MOST_MB = 30.0, 2000


@dataclass(frozen=True)
class Verdict:
    """How one command took one file.

    Attributes:
        case, command: which.
        fault: what went wrong, or "".
        seconds, peak_mb: cost.
        line: the last line it printed.
    """

    case: str
    command: str
    fault: str
    seconds: float
    peak_mb: float
    line: str


def run(count: int, out: Path | None, seed: int, every: int = 1) -> list[Row]:
    """Try every so manieth of `count` files and print the faults."""
    with tempfile.TemporaryDirectory() as scratch:
        verdicts = list(try_all(Path(scratch), count, seed, every))
    faults = [verdict for verdict in verdicts if verdict.fault]
    for verdict in faults:
        print(f"{verdict.command} on {verdict.case}: {verdict.fault}: {verdict.line}")
    rows: list[Row] = [
        {
            "files": -(-count // every),
            "runs": len(verdicts),
            "faults": len(faults),
            "slowest, s": max(verdict.seconds for verdict in verdicts),
            "largest, MB": max(verdict.peak_mb for verdict in verdicts),
        }
    ]
    publish("hostile", rows, out)
    return rows


def try_all(scratch: Path, count: int, seed: int = 0, every: int = 1) -> Iterator[Verdict]:
    """Yield a verdict for every command on every file that is tried."""
    _warm_up()
    picture = scratch / "picture.png"
    cv2.imwrite(str(picture), np.full((64, 64, 3), 90, np.uint8))
    for number, case in enumerate(hostile_files(scratch / "files", count, seed)):
        if number % every:
            continue
        results = scratch / "results" / str(number)
        results.mkdir(parents=True)
        for command in commands_for(case, picture, results):
            yield try_one(case, command, scratch / "said.txt")


def commands_for(case: Hostile, picture: Path, results: Path) -> list[list[str]]:
    """Return the command lines that read such a file."""
    path = str(case.path)
    if case.kind == "model":
        return [
            ["image", str(picture), str(results / "o.png"), "--model", path],
            ["engine", "build", "--model", path],
        ]
    if case.kind == "task":
        folder = str(case.path.parent)
        return [["image", str(picture), str(results / "o.png"), "--models-dir", folder]]
    if case.kind == "faces":
        return [["trainer", "evaluate", "--model", "fast", "--data", path, "--out", str(results)]]
    batch = ["batch", "--out", str(results / "b"), "--", path]
    if case.kind == "picture":
        single = [["image", "--", path, str(results / "o.png")]]
    else:
        single = [["video", "--", path, str(results / "o.mkv")]]
    return single + ([batch] if zlib.crc32(case.name.encode()) % 10 == 0 else [])


def try_one(case: Hostile, command: list[str], said: Path) -> Verdict:
    """Run a command in a process of its own, made by forking this one."""
    began = time.monotonic()
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if not child:
        _be_the_command(command, said)
    status, usage, hung = None, None, False
    while status is None:
        done, code, usage = os.wait4(child, os.WNOHANG)
        if done:
            status = code
        elif time.monotonic() - began > MOST_SECONDS and not hung:
            hung = True
            os.kill(child, signal.SIGKILL)
        else:
            time.sleep(0.01)
    seconds = time.monotonic() - began
    text = said.read_text(encoding="utf-8", errors="replace")
    peak_mb = (usage.ru_maxrss if usage else 0) / 1024
    lines = text.strip().splitlines()
    fault = ""
    if hung:
        fault = "hang"
    elif os.WIFSIGNALED(status):
        fault = f"crash by signal {os.WTERMSIG(status)}"
    elif "Traceback" in text:
        fault = "traceback"
    elif "failed: " in text and command[0] != "batch":
        fault = "unforeseen error"
    elif os.WEXITSTATUS(status) not in (0, 1, 2):
        fault = f"exit code {os.WEXITSTATUS(status)}"
    elif peak_mb > MOST_MB:
        fault = f"{peak_mb:.0f} MB"
    name = " ".join(word for word in command[:2] if not word.startswith("-"))
    return Verdict(case.name, name.split(" /")[0], fault, seconds, peak_mb, (lines or [""])[-1])


def _be_the_command(command: list[str], said: Path) -> None:
    """Never return: run and leave."""
    os.setsid()
    handle = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(handle, 1)
    os.dup2(handle, 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    code = 3
    try:
        if command[0] == "trainer":
            code = _run_trainer(command[1:])
        else:
            from realtime.cli.app import run as unmask

            code = unmask(command)
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _run_trainer(arguments: list[str]) -> int:
    from trainer.__main__ import main

    sys.argv = ["trainer", *arguments]
    try:
        main()
    except SystemExit as error:
        return error.code if isinstance(error.code, int) else 1
    return 0


def _warm_up() -> None:
    """Import what commands import, so that every fork begins with it; nothing is started."""
    import mediapipe.tasks.python.vision  # noqa: F401
    import openvino  # noqa: F401

    import realtime.cli.app
    import realtime.image_file
    import realtime.unmasker
    import realtime.video.file  # noqa: F401

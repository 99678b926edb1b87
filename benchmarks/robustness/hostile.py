"""Runs every command that reads a file on hostile ones: no traceback, hang, crash or runaway memory."""

from __future__ import annotations

import os
import resource
import signal
import sys
import tempfile
import time
import traceback
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import typer

from benchmarks.options import Count, Out, Seed
from benchmarks.robustness.hostile_files import HostileFile, hostile_files
from benchmarks.tables import Row, publish

TIMEOUT_S, MOST_MB = 30.0, 2000
_BATCH_SHARE = 10  # `unmask batch` reads one of so many files, besides the command for one file


@dataclass(frozen=True)
class Verdict:
    """What a command made of one file.

    Attributes:
        file, command: their names.
        fault: what went wrong, or "".
        seconds, peak_mb: time and memory.
        last_line: the last line of its output.
    """

    file: str
    command: str
    fault: str
    seconds: float
    peak_mb: float
    last_line: str


def run(
    count: Count = 500,
    seed: Seed = 0,
    every: Annotated[int, typer.Option(min=1, help="Try one file of so many.")] = 1,
    out: Out = None,
) -> list[Row]:
    """Run every command that reads a file on broken ones: no traceback, hang, crash, runaway memory."""
    with tempfile.TemporaryDirectory() as scratch:
        verdicts = list(_try_all(Path(scratch), count, seed, every))
    faults = [verdict for verdict in verdicts if verdict.fault]
    for verdict in faults:
        print(f"{verdict.command} on {verdict.file}: {verdict.fault}: {verdict.last_line}")
    row: Row = {
        "files": -(-count // every),
        "runs": len(verdicts),
        "faults": len(faults),
        "slowest, s": max(verdict.seconds for verdict in verdicts),
        "largest, MB": max(verdict.peak_mb for verdict in verdicts),
    }
    rows = publish("hostile", [row], out)
    if faults:
        raise typer.Exit(1)
    return rows


def _try_all(scratch: Path, count: int, seed: int, every: int) -> Iterator[Verdict]:
    """Yield a verdict for every command on every file that is tried."""
    _import_commands()
    picture = scratch / "picture.png"
    cv2.imwrite(str(picture), np.full((64, 64, 3), 90, np.uint8))
    for number, file in enumerate(hostile_files(scratch / "files", count, seed)):
        if number % every == 0:
            results = scratch / "results" / str(number)
            results.mkdir(parents=True)
            for command in _commands_for(file, picture, results):
                yield _try(file, command, scratch / "output.txt")


def _import_commands() -> None:
    """Import what commands import, so that no fork has to."""
    import openvino  # noqa: F401

    import realtime.cli.app
    import realtime.image_file
    import realtime.unmasker
    import realtime.video.file  # noqa: F401


def _commands_for(file: HostileFile, picture: Path, results: Path) -> list[list[str]]:
    """The command lines that read such a file."""
    path, image = str(file.path), ["image", str(picture), str(results / "o.png")]
    if file.kind == "model":
        return [[*image, "--model", path], ["engine", "build", "--model", path]]
    if file.kind == "task":
        return [[*image, "--models-dir", str(file.path.parent)]]
    if file.kind == "faces":
        return [["trainer", "evaluate", "--model", "fast", "--data", path, "--out", str(results)]]
    name = "image" if file.kind == "picture" else "video"
    commands = [[name, "--", path, str(results / ("o.png" if name == "image" else "o.mkv"))]]
    if zlib.crc32(file.name.encode()) % _BATCH_SHARE == 0:
        commands.append(["batch", "--out", str(results / "b"), "--", path])
    return commands


def _try(file: HostileFile, command: list[str], output: Path) -> Verdict:
    """Run a command in a fork of this process, which has imported everything; kill it when it hangs."""
    began = time.monotonic()
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if not child:
        _run_and_exit(command, output)
    hung = False
    while not (waited := os.wait4(child, os.WNOHANG))[0]:
        if time.monotonic() - began > TIMEOUT_S and not hung:
            hung = True
            os.kill(child, signal.SIGKILL)
        time.sleep(0.01)
    _, status, usage = waited
    text = output.read_text(encoding="utf-8", errors="replace")
    peak_mb = usage.ru_maxrss / 1024
    fault = "hang" if hung else _fault(command, status, text, peak_mb)
    name = " ".join(word for word in command[:2] if word[0] not in "-/")
    last_line = (text.strip().splitlines() or [""])[-1]
    return Verdict(file.name, name, fault, time.monotonic() - began, peak_mb, last_line)


def _fault(command: list[str], status: int, text: str, peak_mb: float) -> str:
    if os.WIFSIGNALED(status):
        return f"crash by signal {os.WTERMSIG(status)}"
    if "Traceback" in text:
        return "traceback"
    if "failed: " in text and command[0] != "batch":
        return "unforeseen error"
    if os.WEXITSTATUS(status) not in (0, 1, 2):
        return f"exit code {os.WEXITSTATUS(status)}"
    return f"{peak_mb:.0f} MB" if peak_mb > MOST_MB else ""


def _run_and_exit(command: list[str], output: Path) -> None:
    """Run a command with its output in a file, and end the process."""
    os.setsid()
    handle = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(handle, 1)
    os.dup2(handle, 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    code = 3
    try:
        if command[0] == "trainer":
            from trainer.__main__ import main

            sys.argv = command
            main()
            code = 0
        else:
            from realtime.cli.app import run as unmask

            code = unmask(command)
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)

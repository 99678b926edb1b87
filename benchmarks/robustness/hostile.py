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
from collections import Counter
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
from inpaint_model.limits import VARIABLE

TIMEOUT_S, MOST_MB = 30.0, 1500
_BATCH_SHARE = (
    10  # `unmask batch` and `feed` read one of so many files, besides the command for one
)
_STREAM_LIMITS = "open_s=3 silent_s=2 lost_s=4"  # so that no stream takes long
_OUTCOMES = {0: "done", 2: "refused"}


@dataclass(frozen=True)
class Verdict:
    """What a command made of one file.

    Attributes:
        file, kind, command: their names.
        outcome: "done", "refused", "given up", "crashed" or "hung".
        fault: what went wrong, or "".
        seconds, peak_mb: time and memory.
        last_line: the last line of its output.
    """

    file: str
    kind: str
    command: str
    outcome: str
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
    """Run every command on broken and hostile input: no traceback, hang, crash, runaway memory."""
    with tempfile.TemporaryDirectory() as scratch:
        verdicts = []
        for verdict in _try_all(Path(scratch), count, seed, every):
            verdicts.append(verdict)
            if verdict.fault:
                told = f"{verdict.fault}: {verdict.last_line}"
                print(f"{verdict.command} on {verdict.file}: {told}", flush=True)
    kinds = sorted({verdict.kind for verdict in verdicts})
    rows = [_row(kind, [one for one in verdicts if one.kind == kind]) for kind in kinds]
    publish("hostile", [*rows, _row("all", verdicts)], out)
    if any(verdict.fault for verdict in verdicts):
        raise typer.Exit(1)
    return rows


def _row(kind: str, verdicts: list[Verdict]) -> Row:
    counts = Counter(verdict.outcome for verdict in verdicts)
    return {
        "kind": kind,
        "files": len({verdict.file for verdict in verdicts}),
        "tried": len(verdicts),
        **{name: counts[name] for name in ("refused", "done", "given up", "crashed", "hung")},
        "faults": sum(bool(verdict.fault) for verdict in verdicts),
        "slowest, s": max(verdict.seconds for verdict in verdicts),
        "peak, MB": max(verdict.peak_mb for verdict in verdicts),
    }


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

    import realtime.capture
    import realtime.cli.app
    import realtime.feed.sources
    import realtime.image_file
    import realtime.unmasker
    import realtime.video.file  # noqa: F401


def _commands_for(file: HostileFile, picture: Path, results: Path) -> list[list[str]]:
    """The command lines that read such a file."""
    path, image = str(file.path), ["image", str(picture), str(results / "o.png")]
    if file.kind == "stream":
        options = ["--sink", "none", "--seconds", "2", "--out", str(results)]
        return [["live", "--source", file.address, *options]]
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
        commands.append(["feed", "--out", str(results / "f.jsonl"), "--", path])
    return commands


def _try(file: HostileFile, command: list[str], output: Path) -> Verdict:
    """Run a command in a fork of this process, which has imported everything; kill it when it hangs."""
    began = time.monotonic()
    beside = set(file.path.parent.iterdir())
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if not child:
        if file.address:
            os.environ[VARIABLE] = _STREAM_LIMITS
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
    new = set(file.path.parent.iterdir()) - beside
    fault = fault or (
        f"wrote {', '.join(path.name for path in new)} beside its input" if new else ""
    )
    outcome = "given up" if os.WIFEXITED(status) else "crashed"
    outcome = _OUTCOMES.get(os.waitstatus_to_exitcode(status), outcome)
    if hung or fault in ("traceback", "unforeseen error"):
        outcome = "hung" if hung else "crashed"
    name = " ".join(word for word in command[:2] if word[0] not in "-/")
    last_line = (text.strip().splitlines() or [""])[-1]
    seconds = time.monotonic() - began
    return Verdict(file.name, file.kind, name, outcome, fault, seconds, peak_mb, last_line)


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

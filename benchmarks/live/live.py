"""Frames a second, delay and drops of live preview, against two naive loops on the same paced camera."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.live.camera_clip import Frame, looped_frames, tiled, write_mjpg
from benchmarks.live.filled_faces import COLUMN, without_speed
from benchmarks.live.loops import LOOPS, Outcome
from benchmarks.options import Clip, Engine, Model, Out
from benchmarks.tables import Row, publish, stage_times
from inpaint_model.errors import UserError
from realtime import Unmasker

_WARM_UP_FRAMES = 20
_SPEEDS = ("frames/s", "dropped", "p50 ms", "p95 ms", "p99 ms", "CPU share", "stages p50 ms")


@dataclass(frozen=True)
class Case:
    """A camera: width and height in pixels, frames a second, faces in its picture."""

    size: tuple[int, int]
    fps: int
    faces: int

    def __str__(self) -> str:
        return f"{self.size[0]}x{self.size[1]} at {self.fps}, {self.faces} faces"


CASES = (
    Case((640, 480), 60, 1),
    Case((640, 480), 60, 2),
    Case((640, 480), 60, 4),
    Case((640, 480), 30, 1),
    Case((1280, 720), 30, 1),
    Case((1280, 720), 30, 2),
    Case((1280, 720), 30, 4),
    Case((1280, 720), 60, 1),
)


def choose_cases(
    sizes: Sequence[str] | None, rates: Sequence[int] | None, faces: Sequence[int] | None
) -> list[Case]:
    """Choose cases by size ("640x480"), frame rate and number of faces; None takes all.

    Raises:
        UserError: no case matches.
    """
    cases = [
        case
        for case in CASES
        if (not sizes or "{}x{}".format(*case.size) in sizes)
        and (not rates or case.fps in rates)
        and (not faces or case.faces in faces)
    ]
    if not cases:
        raise UserError(f"no such camera; there are: {'; '.join(map(str, CASES))}")
    return cases


def run(
    clip: Clip = None,
    seconds: Annotated[float, typer.Option(min=1, help="Length of each run.")] = 20.0,
    size: Annotated[list[str] | None, typer.Option(help="Such as 640x480; repeat.")] = None,
    fps: Annotated[list[int] | None, typer.Option(help="Of the camera; repeat.")] = None,
    faces: Annotated[list[int] | None, typer.Option(help="1, 2 or 4; repeat.")] = None,
    loop: Annotated[list[str] | None, typer.Option(help="unmask live, ...; repeat.")] = None,
    out: Out = None,
    model: Model = "fast",
    engine: Engine = "auto",
) -> list[Row]:
    """Measure frames a second, delay and drops of live preview and of two naive loops, by camera.

    Where fewer than 95 % of the faces are filled, the table says so in place of a speed.
    """
    cases = choose_cases(size, fps, faces)
    names = loop or list(LOOPS)
    unknown = set(names) - set(LOOPS)
    if unknown:
        raise UserError(f"no loop {', '.join(unknown)}; there are: {', '.join(LOOPS)}")
    frames = looped_frames(clip)
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as scratch:
        for case in cases:
            camera = Path(scratch) / "camera.mkv"
            write_mjpg(camera, frames, case.faces, case.size, case.fps)
            for name in names:
                mode = "live" if name == next(iter(LOOPS)) else "video"
                with Unmasker(model, engine, case.faces, mode=mode) as unmasker:
                    _warm_up(frames, case, unmasker)
                    done = LOOPS[name](camera, case.fps, seconds, unmasker)
                rows.append(_row(case, name, model, done))
    return publish("live", rows, out, printed=[without_speed(row, _SPEEDS) for row in rows])


def _warm_up(frames: Sequence[Frame], case: Case, unmasker: Unmasker) -> None:
    """Let models load and caches fill before anything is counted."""
    for number in range(_WARM_UP_FRAMES):
        unmasker(tiled(frames, number, case.faces, case.size))


def _row(case: Case, name: str, model: str, done: Outcome) -> Row:
    return {
        "camera": str(case),
        "model": model,
        "loop": name,
        "seconds": done.seconds,
        "frames/s": done.fps,
        "dropped": done.dropped,
        "p50 ms": done.latency_ms["p50"],
        "p95 ms": done.latency_ms["p95"],
        "p99 ms": done.latency_ms["p99"],
        "CPU share": done.cpu_share,
        COLUMN: done.masked / max(done.shown * case.faces, 1),
        "stages p50 ms": stage_times(done.stages),
    }

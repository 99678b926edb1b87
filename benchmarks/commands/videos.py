"""The commands that measure the application at work: on video files, on live preview, on broken files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from benchmarks.commands.options import Engine, Model, Out, parse_size


def video(
    clips: Annotated[list[Path], typer.Option(help="Clip or folder of clips; repeat.")],
    out: Out = None,
    model: Model = "fast",
    engine: Engine = "auto",
) -> None:
    """Frames a second and peak memory of `unmask video` on 512x512 clips."""
    from benchmarks.speed import video as benchmark

    benchmark.run(clips, out, model, engine)


def stability(
    clips: Annotated[list[Path], typer.Option(help="Clip of one bare face, or a folder; repeat.")],
    frames: Annotated[int, typer.Option(min=20, help="Of each clip the first so many.")] = 150,
    out: Out = None,
    model: Model = "fast",
    engine: Engine = "auto",
) -> None:
    """Flicker, jitter, reaction to masks put on and taken off, with smoothing and without."""
    from benchmarks.realism import stability as benchmark

    benchmark.run(clips, frames, out, model, engine)


def live(
    clip: Annotated[
        Path | None,
        typer.Option(help="Clip of one bare face; else the demo's.", show_default=False),
    ] = None,
    seconds: Annotated[float, typer.Option(min=1, help="Of each run.")] = 20.0,
    size: Annotated[list[str] | None, typer.Option(help="Such as 640x480; repeat.")] = None,
    fps: Annotated[list[int] | None, typer.Option(help="Of the camera; repeat.")] = None,
    faces: Annotated[list[int] | None, typer.Option(help="1, 2 or 4; repeat.")] = None,
    loop: Annotated[list[str] | None, typer.Option(help="unmask live, ...; repeat.")] = None,
    out: Out = None,
    model: Model = "fast",
    engine: Engine = "auto",
) -> None:
    """Frames a second, delay and drops of live preview against two naive loops, by camera."""
    from benchmarks.live import live as benchmark

    cases = benchmark.choose_cases(size, fps, faces)
    benchmark.run(clip, cases, seconds, loop or list(benchmark.LOOPS), out, model, engine)


def soak(
    minutes: Annotated[float, typer.Option(min=0.05, help="How long.")] = 10.0,
    clip: Annotated[
        Path | None,
        typer.Option(help="Clip of one bare face; else the demo's.", show_default=False),
    ] = None,
    out: Out = None,
    model: Model = "fast",
    engine: Engine = "auto",
) -> None:
    """Growth of memory and delay of live preview."""
    from benchmarks.live import soak as benchmark

    benchmark.run(minutes, clip, out, model, engine)


def cold_start(out: Out = None, model: Model = "fast", engine: Engine = "auto") -> None:
    """Seconds to the help text and to the first unmasked frame."""
    from benchmarks.speed import cold_start as benchmark

    benchmark.run(out, model, engine)


def file_fps(
    size: Annotated[str, typer.Option(help="Width x height.")] = "1280x720",
    seconds: Annotated[float, typer.Option(help="Length of the clip at 30 frames/s.")] = 20.0,
    rounds: Annotated[int, typer.Option(min=1, help="Runs of each; the median counts.")] = 3,
    out: Out = None,
    model: Model = "fast",
    engine: Engine = "auto",
) -> None:
    """Frames a second of a file from decoding to coding, beside a supervision-style loop."""
    from benchmarks.speed import file_fps as benchmark

    benchmark.run(out, model, engine, parse_size(size), seconds, rounds)


def memory(
    size: Annotated[str, typer.Option(help="Width x height.")] = "1920x1080",
    minutes: Annotated[float, typer.Option(help="Length of the looped video.")] = 60.0,
    out: Out = None,
    model: Model = "fast",
    engine: Engine = "auto",
) -> None:
    """Peak memory over a long video, and its growth with the frames."""
    from benchmarks.robustness import memory as benchmark

    benchmark.run(out, model, engine, parse_size(size), minutes)


def kills(
    count: Annotated[int, typer.Option(min=1, help="Runs that are killed.")] = 20,
    seconds: Annotated[float, typer.Option(help="Length of the clip.")] = 20.0,
    seed: Annotated[int, typer.Option(help="Of the moments.")] = 0,
    out: Out = None,
) -> None:
    """SIGKILL at random moments, then --resume: files and timestamps must come out right."""
    from benchmarks.robustness import kills as benchmark

    benchmark.run(out, count, seconds, seed)


def hostile(
    count: Annotated[int, typer.Option(min=1, help="Files.")] = 500,
    seed: Annotated[int, typer.Option(help="Of the random damage.")] = 0,
    every: Annotated[int, typer.Option(min=1, help="Try only every so manieth.")] = 1,
    out: Out = None,
) -> None:
    """Every command that reads a file on broken ones: no traceback, hang, crash, runaway memory."""
    from benchmarks.robustness import hostile as benchmark

    if any(row["faults"] for row in benchmark.run(count, out, seed, every)):
        raise typer.Exit(1)


def run_all(out: Out = None, model: Model = "fast", engine: Engine = "auto") -> None:
    """What can be measured without research data: cold start, and the demo's clip as a video."""
    from benchmarks.speed import cold_start as start
    from benchmarks.speed import video as film

    start.run(out, model, engine)
    film.run_demo(out, model, engine)

"""Opens the unmasker for a command, and prints what a run did."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from realtime.cli import options as opts
from realtime.cli.errors import FAILED
from realtime.runtime.console import print_status

if TYPE_CHECKING:
    from realtime.runtime.report import Report
    from realtime.unmasker import Mode, Unmasker


def open_unmasker(
    model: str,
    engine: opts.EngineName,
    max_faces: int,
    models_dir: Path | None,
    *,
    mode: Mode = "video",
) -> Unmasker:
    """Load the models and print which model and engine run.

    Raises:
        UserError: a model cannot be found, or the engine cannot run.
    """
    from realtime.unmasker import Unmasker

    unmasker = Unmasker(model, engine.value, max_faces, mode=mode, models_dir=models_dir)
    print_status(f"model {unmasker.inpainter.model}, engine {unmasker.inpainter.reason}")
    return unmasker


def finish(
    done: Report,
    source: Path,
    target: Path,
    report: Path | None,
    records: Iterable[str],
    *,
    overwrite: bool,
    strict: bool,
) -> None:
    """Print a run's warnings and counts, and write its report if asked for.

    Raises:
        Exit: with exit code 1, if `strict` and no face was found.
    """
    from realtime.media.report_file import write_report

    for warning in done.warnings:
        print_status(f"note: {warning}")
    frames = "1 picture" if done.frames == 1 else f"{done.frames} frames, {done.fps:.1f} frames/s"
    faces = "1 face" if done.faces == 1 else f"{done.faces} faces"
    print_status(f"{target}: {frames}, {faces} found, {done.masked_faces} unmasked")
    if report is not None:
        write_report(report, asdict(done), records, overwrite=overwrite, source=source)
    if strict and done.outcome == "no face":
        print_status("error: no face found, and --strict was given")
        raise typer.Exit(FAILED)

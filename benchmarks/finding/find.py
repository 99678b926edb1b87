"""How well faces are found: each part prints a table."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.finding.options import FindOptions
from benchmarks.options import Engine, Model, Out, Seed
from benchmarks.tables import Row
from inpaint_model.errors import UserError

# Modules of `benchmarks.finding`, in the order in which they run.
PARTS = (
    *("sizes", "rolls", "conditions", "group"),
    *("real", "slip", "bare", "twice", "equal", "cost"),
)


def choose_parts(names: list[str] | None) -> list[str]:
    """The parts named, in order; all where none is named.

    Raises:
        UserError: there is no such part.
    """
    unknown = [name for name in names or () if name not in PARTS]
    if unknown:
        raise UserError(f"--part: no part '{unknown[0]}'; there are: {', '.join(PARTS)}")
    return [name for name in PARTS if not names or name in names]


def run(
    part: Annotated[list[str] | None, typer.Option(help="Only this part; repeat.")] = None,
    faces: Annotated[
        Path | None, typer.Option(help="Folder of bare faces; its val split is used.")
    ] = None,
    manifest: Annotated[Path | None, typer.Option(help="CSV path,source,split,identity.")] = None,
    marked: Annotated[
        Path | None, typer.Option(help="JSON of marked boxes, beside its videos.")
    ] = None,
    videos: Annotated[
        list[Path] | None, typer.Option(help="More videos of masked people, or a folder; repeat.")
    ] = None,
    bare: Annotated[
        list[Path] | None, typer.Option(help="Video of bare people, or a folder; repeat.")
    ] = None,
    photos: Annotated[
        list[Path] | None, typer.Option(help="Folder of photographs of masked people; repeat.")
    ] = None,
    count: Annotated[
        int, typer.Option(min=0, help="Faces, pictures or frames a part; 0: its own number.")
    ] = 0,
    every: Annotated[int, typer.Option(min=1, help="`slip`: compare each frame of so many.")] = 20,
    max_faces: Annotated[int, typer.Option(min=1, help="Faces a frame, at most.")] = 8,
    seed: Seed = 0,
    out: Out = None,
    model: Model = "fast",
    engine: Engine = "auto",
) -> dict[str, list[Row]]:
    """Measure how well faces are found, part by part; without data on pictures of its own."""
    options = FindOptions(
        faces,
        manifest,
        marked,
        videos or [],
        bare or [],
        photos or [],
        count,
        every,
        max_faces,
        seed,
        out,
        model,
        engine,
    )
    return {
        name: import_module(f"benchmarks.finding.{name}").run(options)
        for name in choose_parts(part)
    }

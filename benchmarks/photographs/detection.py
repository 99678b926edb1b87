"""Real photographs: the share of masked faces found and filled, and of bare faces left untouched."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from benchmarks.options import Engine, Limit, Model, Out, Photos
from benchmarks.photographs.lists import is_clear, pictures_in, read_pictures
from benchmarks.photographs.tiles import before_and_after, write_tiles
from benchmarks.tables import Row, publish
from inpaint_model.errors import UserError
from realtime import Unmasker

_COLUMNS, _SHOWN = 4, 60  # of the sheet: pairs a row, and in all


def run_masked(
    photos: Photos,
    out: Out = None,
    model: Model = "fast",
    engine: Engine = "auto",
    limit: Limit = 0,
) -> list[Row]:
    """Count masked faces found and filled in photographs; draw a sheet of them.

    The second row counts the clear photographs alone; the JSON names those of them that were missed.
    """
    shown = set(pictures_in(photos, _SHOWN))
    found: dict[Path, bool] = {}
    filled: dict[Path, bool] = {}
    tiles = []
    with Unmasker(model=model, engine=engine, mode="image") as unmasker:
        for path, frame in read_pictures(pictures_in(photos, limit), "photographs"):
            result = None if frame is None else unmasker(frame)
            found[path] = result is not None and bool(result.faces)
            filled[path] = result is not None and any(face.inpainted for face in result.faces)
            if frame is not None and result is not None and path in shown:
                tiles.append(before_and_after(frame, result.frame))
    clear = [path for path in found if is_clear(path)]
    rows: list[Row] = [
        {
            "which": which,
            "photographs": len(paths),
            "face found": sum(found[path] for path in paths) / max(len(paths), 1),
            "acted on": sum(filled[path] for path in paths) / max(len(paths), 1),
        }
        for which, paths in (("all", list(found)), ("clear", clear))
    ]
    missed = {
        "clear, no face found": [str(path) for path in clear if not found[path]],
        "clear, face found and not acted on": [
            str(path) for path in clear if found[path] and not filled[path]
        ],
    }
    if out is not None:
        write_tiles(out / "sheet-photos.png", tiles, _COLUMNS)
    return publish("photos", rows, out, missed)


def run_bare(
    faces: Annotated[Path, typer.Option(help="Folder of bare faces; its val split is used.")],
    manifest: Annotated[Path | None, typer.Option(help="CSV path,source,split,identity.")] = None,
    out: Out = None,
    model: Model = "fast",
    engine: Engine = "auto",
) -> list[Row]:
    """Count photographs of bare faces that come out bit for bit as they were; draw the others."""
    from trainer.data.photographs import find_photos

    paths = [photo.path for photo in find_photos(faces, manifest) if photo.split == "val"]
    changed = []
    with Unmasker(model=model, engine=engine, mode="image") as unmasker:
        for path, frame in read_pictures(paths, "bare faces"):
            if frame is None:
                raise UserError(f"{path}: cannot be read as a picture")
            result = unmasker(frame)
            if not np.array_equal(result.frame, frame):
                changed.append(before_and_after(frame, result.frame))
    if out is not None and changed:
        write_tiles(out / "sheet-bare-touched.png", changed, _COLUMNS)
    same = len(paths) - len(changed)
    return publish(
        "bare", [{"bare photographs": len(paths), "bit-identical": same / len(paths)}], out
    )

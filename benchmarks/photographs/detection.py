"""Real photographs: the share of masked faces found and filled, and of bare faces left untouched."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.photographs.lists import is_clear, pictures_in, read_pictures
from benchmarks.photographs.tiles import before_and_after, write_tiles
from benchmarks.tables import Row, publish
from inpaint_model.errors import UserError
from realtime import Unmasker

_COLUMNS = 4


@dataclass(frozen=True)
class _Outcome:
    """What came of one photograph."""

    path: Path
    found: bool
    filled: bool


def run_masked(
    folders: list[Path], out: Path | None, model: str, engine: str, limit: int = 0, sheet: int = 60
) -> list[Row]:
    """Unmask photographs of masked people; count faces found and filled; draw a sheet.

    The second row counts the clear photographs alone; the JSON names those of them that were missed.

    Args:
        folders: where the photographs are.
        out: folder for JSON and sheet; None writes none.
        model, engine: as in `Unmasker`.
        limit: so many photographs, evenly spread; 0 takes all.
        sheet: so many photographs on the sheet, evenly spread.
    """
    shown = set(pictures_in(folders, sheet))
    outcomes: list[_Outcome] = []
    tiles = []
    with Unmasker(model=model, engine=engine, mode="image") as unmasker:
        for path, frame in read_pictures(pictures_in(folders, limit), "photographs"):
            if frame is None:
                outcomes.append(_Outcome(path, False, False))
                continue
            result = unmasker(frame)
            filled = any(face.inpainted for face in result.faces)
            outcomes.append(_Outcome(path, bool(result.faces), filled))
            if path in shown:
                tiles.append(before_and_after(frame, result.frame))
    clear = [one for one in outcomes if is_clear(one.path)]
    rows = [_row("all", outcomes), _row("clear", clear)]
    missed = {
        "clear, no face found": [str(one.path) for one in clear if not one.found],
        "clear, face found and not acted on": [
            str(one.path) for one in clear if one.found and not one.filled
        ],
    }
    if out is not None:
        write_tiles(out / "sheet-photos.png", tiles, _COLUMNS)
    return publish("photos", rows, out, missed)


def _row(which: str, outcomes: list[_Outcome]) -> Row:
    number = len(outcomes)
    return {
        "which": which,
        "photographs": number,
        "face found": sum(one.found for one in outcomes) / max(number, 1),
        "acted on": sum(one.filled for one in outcomes) / max(number, 1),
    }


def run_bare(
    data_folder: Path, manifest: Path | None, out: Path | None, model: str, engine: str
) -> list[Row]:
    """Unmask photographs of bare faces; count those that come out bit for bit as they were.

    Args:
        data_folder: photographs of one face each; the validation split is used.
        manifest: CSV file that names the splits; None takes the folder's own.
        out: folder for JSON and the sheet of photographs that were changed; None writes none.
        model, engine: as in `Unmasker`.

    Raises:
        UserError: a photograph cannot be read.
    """
    from trainer.data.prepare import find_photos

    paths = [photo.path for photo in find_photos(data_folder, manifest) if photo.split == "val"]
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

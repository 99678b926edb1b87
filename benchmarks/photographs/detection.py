"""Real photographs: share of masked faces found and acted on, bare faces left untouched, sheets."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from rich.progress import track

from benchmarks.photographs.lists import is_clear, pictures_in
from benchmarks.photographs.tiles import fit, write_tiles
from benchmarks.tables import Row, publish
from realtime import Unmasker

_TILE = 240


@dataclass(frozen=True)
class _Seen:
    """What came of one photograph."""

    path: Path
    found: bool
    acted: bool


def run_masked(
    folders: list[Path], out: Path | None, model: str, engine: str, limit: int = 0, sheet: int = 60
) -> list[Row]:
    """Unmask photographs of masked people; count what was found and acted on; draw a sheet.

    The second row counts the clear ones alone; the JSON names those of them that were missed.
    """
    paths = pictures_in(folders, limit)
    shown = set(pictures_in(folders, sheet))
    seen: list[_Seen] = []
    tiles = []
    with Unmasker(model=model, engine=engine, still=True) as unmasker:
        for path in track(paths, "photographs"):
            picture = cv2.imread(str(path))
            if picture is None:
                seen.append(_Seen(path, False, False))
                continue
            frame = np.asarray(picture, dtype=np.uint8)
            result = unmasker(frame)
            acted = any(face.inpainted for face in result.faces)
            seen.append(_Seen(path, bool(result.faces), acted))
            if path in shown:
                tiles.append(np.hstack([fit(frame, _TILE), fit(result.frame, _TILE)]))
    clear = [one for one in seen if is_clear(one.path)]
    rows = [_counted("all", seen), _counted("clear", clear)]
    missed = {
        "clear, no face found": [str(one.path) for one in clear if not one.found],
        "clear, face found and not acted on": [
            str(one.path) for one in clear if one.found and not one.acted
        ],
    }
    publish("photos", rows, out, missed)
    if out is not None:
        write_tiles(out / "sheet-photos.png", tiles, 4)
    return rows


def _counted(which: str, seen: list[_Seen]) -> Row:
    number = len(seen)
    return {
        "which": which,
        "photographs": number,
        "face found": sum(one.found for one in seen) / max(number, 1),
        "acted on": sum(one.acted for one in seen) / max(number, 1),
    }


def run_bare(
    data_folder: Path, manifest: Path | None, out: Path | None, model: str, engine: str
) -> list[Row]:
    """Run photographs of bare faces through; count those left bit for bit as they were."""
    from trainer.data.prepare import find_photos

    paths = [photo.path for photo in find_photos(data_folder, manifest) if photo.split == "val"]
    same, tiles = 0, []
    with Unmasker(model=model, engine=engine, still=True) as unmasker:
        for path in track(paths, "bare faces"):
            frame = np.asarray(cv2.imread(str(path)), dtype=np.uint8)
            result = unmasker(frame)
            untouched = np.array_equal(result.frame, frame)
            same += untouched
            if not untouched:
                tiles.append(np.hstack([fit(frame, _TILE), fit(result.frame, _TILE)]))
    rows: list[Row] = [{"bare photographs": len(paths), "bit-identical": same / len(paths)}]
    publish("bare", rows, out)
    if out is not None and tiles:
        write_tiles(out / "sheet-bare-touched.png", tiles, 4)
    return rows

"""Real photographs: share of masked faces found and acted on, bare faces left untouched, sheets."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from benchmarks.tables import Row, publish
from inpaint_model.errors import UserError
from realtime import Unmasker

_TILE = 240


def pictures_in(folders: list[Path], limit: int = 0) -> list[Path]:
    """List the pictures of folders, sorted; `limit` takes that many, evenly spread."""
    suffixes = {".jpg", ".jpeg", ".png"}
    paths = sorted(p for f in folders for p in f.rglob("*") if p.suffix.lower() in suffixes)
    if not paths:
        raise UserError(f"no pictures in {', '.join(map(str, folders))}")
    if limit and limit < len(paths):
        paths = [paths[i] for i in np.linspace(0, len(paths) - 1, limit).astype(int)]
    return paths


def run_masked(
    folders: list[Path], out: Path | None, model: str, engine: str, limit: int = 0, sheet: int = 60
) -> list[Row]:
    """Unmask photographs of masked people; count what was found and acted on; draw a sheet."""
    paths = pictures_in(folders, limit)
    shown = set(pictures_in(folders, sheet))
    found = acted = 0
    tiles = []
    with Unmasker(model=model, engine=engine, still=True) as unmasker:
        for path in track(paths, "photographs"):
            frame = cv2.imread(str(path))
            if frame is None:
                continue
            result = unmasker(np.asarray(frame, dtype=np.uint8))
            found += bool(result.faces)
            acted += any(face.inpainted for face in result.faces)
            if path in shown:
                tiles.append(np.hstack([_tile(frame), _tile(result.frame)]))
    rows: list[Row] = [
        {
            "photographs": len(paths),
            "face found": found / len(paths),
            "acted on": acted / len(paths),
        }
    ]
    publish("photos", rows, out)
    if out is not None:
        write_tiles(out / "sheet-photos.png", tiles, 4)
    return rows


def run_bare(
    data_folder: Path, manifest: Path | None, out: Path | None, model: str, engine: str
) -> list[Row]:
    """Run photographs of bare faces through; count those left bit for bit as they were."""
    from trainer.prepare import find_photos

    paths = [photo.path for photo in find_photos(data_folder, manifest) if photo.split == "val"]
    same, tiles = 0, []
    with Unmasker(model=model, engine=engine, still=True) as unmasker:
        for path in track(paths, "bare faces"):
            frame = np.asarray(cv2.imread(str(path)), dtype=np.uint8)
            result = unmasker(frame)
            untouched = np.array_equal(result.frame, frame)
            same += untouched
            if not untouched:
                tiles.append(np.hstack([_tile(frame), _tile(result.frame)]))
    rows: list[Row] = [{"bare photographs": len(paths), "bit-identical": same / len(paths)}]
    publish("bare", rows, out)
    if out is not None and tiles:
        write_tiles(out / "sheet-bare-touched.png", tiles, 4)
    return rows


def _tile(frame: NDArray) -> NDArray[np.uint8]:
    """Fit a picture into a square tile."""
    scale = _TILE / max(frame.shape[:2])
    small = cv2.resize(frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    tile = np.zeros((_TILE, _TILE, 3), np.uint8)
    tile[: small.shape[0], : small.shape[1]] = small
    return tile


def write_tiles(path: Path, tiles: list[NDArray[np.uint8]], columns: int) -> None:
    """Write tiles of one size as a PNG sheet, BGR."""
    blank = np.zeros_like(tiles[0])
    tiles = tiles + [blank] * (-len(tiles) % columns)
    rows = [np.hstack(tiles[at : at + columns]) for at in range(0, len(tiles), columns)]
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.vstack(rows))

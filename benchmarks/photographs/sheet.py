"""Contact sheets to judge by eye: random clear photographs of masked people, before and after."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.photographs.lists import is_clear, pictures_in, read_pictures
from benchmarks.photographs.tiles import before_and_after, labelled, surroundings, write_pages
from inpaint_model.errors import UserError
from realtime import Unmasker
from realtime.frames import UnmaskResult

_TILE_PX, _COLUMNS = 360, 4
_FORMATS = {".png", ".jpg", ".jpeg"}


def choose(folders: list[Path], count: int, seed: int) -> list[Path]:
    """Draw so many of the folders' clear photographs at random, without repeats.

    Raises:
        UserError: there is none.
    """
    clear = [path for path in pictures_in(folders) if is_clear(path)]
    if not clear:
        raise UserError(f"no clear photograph in {', '.join(map(str, folders))}")
    order = np.random.default_rng(seed).permutation(len(clear))[:count]
    return [clear[index] for index in order]


def run(
    folders: list[Path],
    target: Path,
    model: str,
    engine: str,
    *,
    count: int = 60,
    seed: int = 0,
    per_page: int = 20,
) -> list[Path]:
    """Unmask random clear photographs; write before and after side by side.

    Args:
        folders: where the photographs are.
        target: the sheet; where it takes several pages, they are named after it.
        model, engine: as in `Unmasker`.
        count: so many photographs, or all where there are fewer.
        seed: of the draw.
        per_page: pairs on one page.

    Returns:
        The pages written.

    Raises:
        UserError: there is no photograph, one cannot be read, or the target is no picture.
    """
    if target.suffix.lower() not in _FORMATS:
        raise UserError(f"{target}: name a sheet that ends in {', '.join(sorted(_FORMATS))}")
    if count < 1 or per_page < 1:
        raise UserError("a sheet needs at least one photograph, and one on each page")
    tiles = []
    with Unmasker(model=model, engine=engine, mode="image") as unmasker:
        for path, frame in read_pictures(choose(folders, count, seed), "photographs"):
            if frame is None:
                raise UserError(f"{path}: cannot be read as a picture")
            tiles.append(_pair(path, frame, unmasker(frame)))
    pages = write_pages(target, tiles, _COLUMNS, per_page)
    print("\n".join(map(str, pages)))
    return pages


def _pair(path: Path, frame: NDArray[np.uint8], result: UnmaskResult) -> NDArray[np.uint8]:
    """Both pictures, cropped to the surroundings of the faces that were filled, else of those found."""
    filled = [face.box for face in result.faces if face.inpainted]
    part = surroundings(frame.shape, filled or [face.box for face in result.faces])
    state = "" if filled else "not acted on" if result.faces else "no face found"
    pair = before_and_after(frame[part], result.frame[part], _TILE_PX)
    return labelled(pair, f"{path.parent.name}/{path.name} {state}")

"""Contact sheets to judge by eye: random clear photographs of masked people, before and after."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray

from benchmarks.options import Count, Engine, Model, Photos, Seed
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
    photos: Photos,
    out: Annotated[Path, typer.Option(help="The sheet, a PNG or JPEG; pages are numbered.")],
    count: Count = 60,
    seed: Seed = 0,
    page: Annotated[int, typer.Option(min=1, help="Pairs on a page.")] = 20,
    model: Model = "fast",
    engine: Engine = "auto",
) -> list[Path]:
    """Draw random clear photographs before and after, to judge by eye."""
    if out.suffix.lower() not in _FORMATS:
        raise UserError(f"{out}: name a sheet that ends in {', '.join(sorted(_FORMATS))}")
    tiles = []
    with Unmasker(model=model, engine=engine, mode="image") as unmasker:
        for path, frame in read_pictures(choose(photos, count, seed), "photographs"):
            if frame is None:
                raise UserError(f"{path}: cannot be read as a picture")
            tiles.append(_pair(path, frame, unmasker(frame)))
    pages = write_pages(out, tiles, _COLUMNS, page)
    print("\n".join(map(str, pages)))
    return pages


def _pair(path: Path, frame: NDArray[np.uint8], result: UnmaskResult) -> NDArray[np.uint8]:
    """Both pictures, cropped to the surroundings of the faces that were filled, else of those found."""
    filled = [face.box for face in result.faces if face.inpainted]
    part = surroundings(frame.shape, filled or [face.box for face in result.faces])
    state = "" if filled else "not acted on" if result.faces else "no face found"
    pair = before_and_after(frame[part], result.frame[part], _TILE_PX)
    return labelled(pair, f"{path.parent.name}/{path.name} {state}")

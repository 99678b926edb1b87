"""Contact sheets to judge by eye: photographs of masked people before and after, by one model or two."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray

from benchmarks.options import Count, Engine, Model, Photos, Seed
from benchmarks.photographs.lists import is_clear, pictures_in, read_pictures
from benchmarks.photographs.tiles import fit, labelled, surroundings, write_pages
from inpaint_model.errors import UserError
from realtime import Unmasker
from realtime.frames import UnmaskResult

_TILE_PX, _COLUMNS, _BLIND_COLUMNS = 360, 4, 2
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
    page: Annotated[int, typer.Option(min=1, help="Photographs on a page.")] = 20,
    model: Model = "fast",
    against: Annotated[
        str | None,
        typer.Option(help="Second model: a blind sheet of both, A and B in random order."),
    ] = None,
    engine: Engine = "auto",
) -> list[Path]:
    """Draw random clear photographs before and after, to judge by eye.

    With a second model each photograph is followed by the results A and B of the two models, in an order
    drawn at random for each. The order is written to NAME.key.json beside the sheet, to be opened after
    judging.
    """
    if out.suffix.lower() not in _FORMATS:
        raise UserError(f"{out}: name a sheet that ends in {', '.join(sorted(_FORMATS))}")
    models = [model] if against is None else [model, against]
    rng = np.random.default_rng([seed, 1])
    tiles, key = [], {}
    with ExitStack() as stack:
        unmaskers = [
            stack.enter_context(Unmasker(model=name, engine=engine, mode="image"))
            for name in models
        ]
        for path, frame in read_pictures(choose(photos, count, seed), "photographs"):
            if frame is None:
                raise UserError(f"{path}: cannot be read as a picture")
            order = [int(place) for place in rng.permutation(len(models))]
            name = f"{path.parent.name}/{path.name}"
            tiles.append(_tile(name, frame, [unmaskers[place](frame) for place in order]))
            key[name] = {letter: models[place] for letter, place in zip("AB", order, strict=False)}
    pages = write_pages(out, tiles, _COLUMNS if against is None else _BLIND_COLUMNS, page)
    if against is not None:
        out.with_suffix(".key.json").write_text(json.dumps(key, indent=2) + "\n", encoding="utf-8")
    print("\n".join(map(str, pages)))
    return pages


def _tile(
    name: str, frame: NDArray[np.uint8], results: Sequence[UnmaskResult]
) -> NDArray[np.uint8]:
    """The photograph and its results, cropped to the faces that were filled, else to those found."""
    faces = results[0].faces
    filled = [face.box for face in faces if face.inpainted]
    part = surroundings(frame.shape, filled or [face.box for face in faces])
    state = "" if filled else "not acted on" if faces else "no face found"
    shown = [frame, *(result.frame for result in results)]
    tile = np.hstack([fit(picture[part], _TILE_PX) for picture in shown])
    letters = " | A | B" if len(results) > 1 else ""
    return labelled(tile, f"{name}{letters} {state}")

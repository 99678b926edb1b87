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

from benchmarks.options import PHOTOS_HELP, Count, Engine, Model, Seed
from benchmarks.photographs.lists import choose, read_pictures
from benchmarks.photographs.tiles import fit, labelled, surroundings, write_pages
from benchmarks.tables import Row
from inpaint_model.errors import UserError
from realtime import Unmasker
from realtime.frames import UnmaskResult

_TILE_PX, _COLUMNS, _BLIND_COLUMNS = 360, 4, 2
_FORMATS = {".png", ".jpg", ".jpeg"}
_JUDGEMENTS = Path("out/judgements.jsonl")


def run(
    photos: Annotated[list[Path] | None, typer.Option(help=PHOTOS_HELP)] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="The sheet, a PNG or JPEG; pages are numbered. --judge: folder for JSON."
        ),
    ] = None,
    count: Count = 60,
    seed: Seed = 0,
    page: Annotated[int, typer.Option(min=1, help="Photographs on a page.")] = 20,
    model: Model = "fast",
    against: Annotated[
        str | None,
        typer.Option(help="Second model: a blind sheet of both, A and B in random order."),
    ] = None,
    engine: Engine = "auto",
    judge: Annotated[
        bool, typer.Option("--judge", help="Show filled faces one by one in the browser instead.")
    ] = False,
    videos: Annotated[
        list[Path] | None,
        typer.Option(help="--judge: video of masked people, or a folder; repeat."),
    ] = None,
    judgements: Annotated[
        Path, typer.Option(help="--judge: the file that judgements are added to.")
    ] = _JUDGEMENTS,
    judge_name: Annotated[str, typer.Option(help="--judge: who judges.")] = "",
    without: Annotated[
        str, typer.Option(help="--judge: compare with results without this appearance step.")
    ] = "",
) -> list[Path] | list[Row]:
    """Draw random clear photographs before and after, to judge by eye.

    With a second model each photograph is followed by the results A and B of the two models, in an order
    drawn at random for each. The order is written to NAME.key.json beside the sheet, to be opened after
    judging.

    With --judge filled faces are shown one by one in the browser instead: first with a face 150 px wide,
    then at full size. With a second model, or with --without, both results are shown at full size, in an
    order drawn for each face. Each judgement is kept at once: the judge can stop and go on later. The
    figures are printed at the end. Without photographs and videos the figures of earlier judgements are
    printed.
    """
    if judge:
        from benchmarks.judging import judge as judging

        models = [model] if against is None and not without else [model, against or model]
        sources = photos or (), videos or ()
        who = judgements, judge_name, count, seed, engine, out, without
        options = judging.JudgeOptions(*sources, models, *who)
        return judging.run(options)
    for name, value in {"videos": videos, "judge-name": judge_name, "without": without}.items():
        if value:
            raise UserError(f"--{name} needs --judge")
    if not photos or out is None:
        raise UserError("a sheet needs --photos and --out; --judge shows faces in the browser")
    return draw_sheet(photos, out, count, seed, page, model, against, engine)


def draw_sheet(
    photos: list[Path],
    out: Path,
    count: int = 60,
    seed: int = 0,
    page: int = 20,
    model: str = "fast",
    against: str | None = None,
    engine: str = "auto",
) -> list[Path]:
    """Draw the sheet; the arguments are those of `run`.

    Returns:
        The files of the pages.
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

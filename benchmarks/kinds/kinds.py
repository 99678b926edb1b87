"""Hard kinds made by rendering: finding, marking and filling by kind, against exact truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray
from rich.progress import track

from benchmarks.finding.options import FindOptions
from benchmarks.kinds.measure import STREAM_FRAMES, Outcome, look
from benchmarks.kinds.scene import Kind, Picture, Portrait, Scene, load_portraits
from benchmarks.kinds.table import BARE, MASKED
from benchmarks.options import Engine, Model, Out, Seed
from benchmarks.photographs.tiles import fit, labelled, write_pages
from benchmarks.tables import Row, publish
from inpaint_model.errors import UserError
from realtime import Unmasker

_TILE_PX, _COLUMNS, _SHOWN, _PER_PAGE = 250, 2, 6, 18
_STREAM = f"stream of {STREAM_FRAMES}"
_NOTHING = "–"


def run(
    faces: Annotated[
        Path | None, typer.Option(help="Folder of bare faces; its val split is used.")
    ] = None,
    manifest: Annotated[Path | None, typer.Option(help="CSV path,source,split,identity.")] = None,
    kind: Annotated[list[str] | None, typer.Option(help="Only this kind; repeat.")] = None,
    count: Annotated[int, typer.Option(min=1, help="So many photographs.")] = 30,
    sheet: Annotated[
        Path | None, typer.Option(help="Sheet of pictures, results and truth by kind, a PNG.")
    ] = None,
    seed: Seed = 0,
    out: Out = None,
    model: Model = "fast",
    engine: Engine = "auto",
) -> dict[str, list[Row]]:
    """Render masked faces of hard kinds, and bare faces with something before the mouth; measure both."""
    known = {**MASKED, **BARE}
    if unknown := [name for name in kind or () if name not in known]:
        raise UserError(f"--kind: no kind '{unknown[0]}'; there are: {', '.join(known)}")
    tables = {"kinds": _chosen(MASKED, kind), "kinds-bare": _chosen(BARE, kind)}
    portraits = load_portraits(FindOptions(faces, manifest), count)
    published, tiles = {}, []
    with ExitStack() as stack:
        pictures, stream = (
            stack.enter_context(Unmasker(model=model, engine=engine, mode=mode))
            for mode in ("image", "video")
        )
        for name, kinds in tables.items():
            done: dict[str, list[Outcome]] = {}
            for label, render in track(kinds.items(), name):
                done[label] = []
                for number, portrait in enumerate(portraits):
                    scene = render_scene(render, portrait, seed, number)
                    outcome, after = look(portrait.name, scene, pictures, stream)
                    done[label].append(outcome)
                    if sheet is not None and number < _SHOWN:
                        tiles.append(_tile(label, scene, after, outcome))
            if done:
                published[name] = _publish(name, done, out, seed)
    if sheet is not None:
        print("\n".join(map(str, write_pages(sheet, tiles, _COLUMNS, _PER_PAGE))))
    return published


def _chosen(kinds: Mapping[str, Kind], names: Sequence[str] | None) -> dict[str, Kind]:
    return {name: kind for name, kind in kinds.items() if not names or name in names}


def render_scene(kind: Kind, portrait: Portrait, seed: int, number: int) -> Scene:
    """Render a kind from a portrait; all kinds of one number draw from the same random numbers."""
    return kind(portrait, np.random.default_rng([seed, number]))


def _publish(
    name: str, done: Mapping[str, list[Outcome]], out: Path | None, seed: int
) -> list[Row]:
    row = _masked_row if name == "kinds" else _bare_row
    every = {**done, "all": [one for some in done.values() for one in some]}
    rows = [row(label, outcomes, seed) for label, outcomes in every.items()]
    details = {label: [asdict(one) for one in outcomes] for label, outcomes in done.items()}
    return publish(name, rows, out, {"outcomes": details})


def _masked_row(kind: str, outcomes: Sequence[Outcome], seed: int) -> Row:
    filled = [one for one in outcomes if one.filled]
    return {
        "kind": kind,
        "faces": len(outcomes),
        "found": _mean([one.found for one in outcomes], seed, 2),
        "filled": _mean([one.filled for one in outcomes], seed, 2),
        f"{_STREAM}: found": _mean([one.stream_found for one in outcomes], seed, 2),
        f"{_STREAM}: filled": _mean([one.stream_filled for one in outcomes], seed, 2),
        "IoU of the mask": _mean([one.iou for one in filled], seed, 3),
        "mask left to see, %": _mean([100 * one.left for one in filled], seed, 1),
        "PSNR under the mask, dB": _mean([one.psnr_db for one in filled], seed, 1),
        "error in the ring, levels": _mean([one.ring for one in filled], seed, 1),
    }


def _bare_row(kind: str, outcomes: Sequence[Outcome], seed: int) -> Row:
    return {
        "before the mouth": kind,
        "faces": len(outcomes),
        "found": _mean([one.found for one in outcomes], seed, 2),
        "touched": _mean([one.touched for one in outcomes], seed, 3),
        f"{_STREAM}: touched": _mean([one.stream_touched for one in outcomes], seed, 3),
    }


def _mean(values: Sequence[float], seed: int, digits: int) -> str:
    """The mean of the finite values with its bootstrap interval."""
    from trainer.evaluate.bootstrap import mean_interval

    known: NDArray[np.float64] = np.array(values, dtype=np.float64)
    known = known[np.isfinite(known)]
    return mean_interval(known, seed).text(digits) if known.size else _NOTHING


def _tile(kind: str, scene: Scene, after_rgb: Picture, outcome: Outcome) -> NDArray[np.uint8]:
    """Picture, result and truth side by side, BGR."""
    shown = (scene.rgb, after_rgb, scene.truth_rgb)
    tile = np.hstack([fit(np.ascontiguousarray(one[:, :, ::-1]), _TILE_PX) for one in shown])
    state = "" if outcome.filled else "not filled" if outcome.found else "not found"
    return labelled(tile, f"{kind}: {outcome.name} {state}")

"""How wrong are the colours beside the jaw, where a mask that is wider than the face was painted over?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray
from rich.progress import track

from benchmarks.finding.faces import bare_pictures
from benchmarks.finding.options import FindOptions
from benchmarks.options import Count, Engine, Model, Out
from benchmarks.photographs.tiles import WorstTiles
from benchmarks.realism.jaw_error import BAND, UNDER_MASK, ColourError, colour_errors
from benchmarks.tables import Row, publish
from inpaint_model.errors import UserError
from realtime import Unmasker
from realtime.detect.face_finder import FaceFinder
from realtime.frames import Face, UnmaskResult
from realtime.inpaint.background import BackgroundPainting
from realtime.synthetic import Kind, MaskStyle, RenderedMask, preset_style, render_mask
from trainer.evaluate.bootstrap import Interval, mean_interval, paired_difference

_KINDS: tuple[Kind, ...] = ("surgical", "cloth", "n95", "kn95")  # in turns
# By how much a mask's half width differs from the preset's at its top and at its bottom corners, cm.
_WIDTHS = {"narrow": (-0.6, -0.6), "usual": (0.0, 0.0), "wide": (0.6, 1.4)}
_SHIPPED, _WITHOUT = _WAYS = "as shipped", f"without `{BackgroundPainting.name}`"
Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class _Measured:
    """The error in one place of one face that wears one mask, by one way of making fills."""

    person: int
    width: str
    way: str
    place: str
    error: ColourError


def run(
    faces: Annotated[
        Path | None, typer.Option(help="Folder of wide photographs; its val split is used.")
    ] = None,
    manifest: Annotated[Path | None, typer.Option(help="CSV path,source,split,identity.")] = None,
    count: Count = 120,
    out: Out = None,
    model: Model = "fast",
    engine: Engine = "auto",
) -> list[Row]:
    """Measure the colour error of the replaced pixels up to 8 crop px outside the true jaw line.

    Bare photographs wear rendered masks of three widths, so the truth is known. The band is split by what
    the bare photograph shows there; the same inside the face is the control. Without a folder it takes
    the astronaut.
    """
    pictures = list(bare_pictures(FindOptions(faces, manifest), count))
    measured: list[_Measured] = []
    filled = shown = 0
    worst = WorstTiles()
    with (
        FaceFinder() as finder,
        Unmasker(model, engine, mode="image") as shipped,
        Unmasker(model, engine, mode="image", without_steps=[BackgroundPainting.name]) as without,
    ):
        ways = {_SHIPPED: shipped, _WITHOUT: without}
        for person, (name, bare) in enumerate(track(pictures, "photographs")):
            face = finder.portrait(np.ascontiguousarray(bare[:, :, ::-1]))
            if face is None or face.landmarks is None:
                continue
            for width, worn in _worn(bare, face.landmarks, _KINDS[person % len(_KINDS)]):
                masked = np.ascontiguousarray(worn.image_rgb[:, :, ::-1])
                results = _unmask(masked, ways)
                shown += 1
                filled += results[_SHIPPED].any_replaced
                part = _errors(bare, results, worn, face, person, width)
                measured += part
                for one in part:
                    if one.way == _SHIPPED and one.place == BAND:
                        text = f"{one.error.levels:.1f} levels, {width}, {name}"
                        pair = [bare, masked, results[_SHIPPED].frame]
                        worst.add(name, one.error.levels, text, pair)
    if not measured:
        raise UserError("no masked face was filled beside its jaw")
    if out is not None:
        worst.write(out / "sheet-halo-worst.png")
    names = [name for name in dict.fromkeys(one.place for one in measured) if name != UNDER_MASK]
    rows = [_row("all", name, measured) for name in (*names, UNDER_MASK)]
    for width in _WIDTHS:
        of = [one for one in measured if one.width == width]
        rows += [_row(width, name, of) for name in (BAND, UNDER_MASK)]
    return publish("halo", rows, out, {"masked pictures": shown, "filled": filled})


def style_of_width(kind: Kind, width: str) -> MaskStyle:
    """The preset of a kind, "narrow", "usual" or "wide"."""
    style, (top, bottom) = preset_style(kind), _WIDTHS[width]
    fit = style.fit
    wider = replace(fit, side_x=fit.side_x + top, side_taper=fit.side_taper + top - bottom)
    return replace(style, fit=wider)


def _worn(
    bare: Picture, landmarks: NDArray[np.float64], kind: Kind
) -> Iterator[tuple[str, RenderedMask]]:
    """The face in a mask of each width."""
    rgb = np.ascontiguousarray(bare[:, :, ::-1])
    for width in _WIDTHS:
        yield width, render_mask(rgb, landmarks, style_of_width(kind, width))


def _unmask(masked: Picture, ways: dict[str, Unmasker]) -> dict[str, UnmaskResult]:
    """Detect and segment once, then fill in each way."""
    first = ways[_SHIPPED]
    segmented = first.segment(first.detect_and_track(masked))
    return {way: one.composite(one.inpaint(segmented)) for way, one in ways.items()}


def _errors(
    bare: Picture,
    results: dict[str, UnmaskResult],
    worn: RenderedMask,
    face: Face,
    person: int,
    width: str,
) -> list[_Measured]:
    """The errors of one masked face, by way and place."""
    return [
        _Measured(person, width, way, place, error)
        for way, result in results.items()
        for place, error in colour_errors(
            bare, result.frame, result.replaced > 0, worn.alpha > 0, face
        )
    ]


def _row(width: str, place: str, measured: Iterable[_Measured]) -> Row:
    """The means over people of one place; of levels with their 95 % bootstrap intervals."""
    here = [one for one in measured if one.place == place]
    row: dict[str, str | float | int] = {
        "mask": width,
        "where": place,
        "people": len({one.person for one in here}),
        "px a face": round(float(np.mean([one.error.px for one in here])) if here else 0.0),
    }
    levels = [_by_person([m for m in here if m.way == way], "levels") for way in _WAYS]
    for way, of in zip(_WAYS, levels, strict=True):
        part = [one for one in here if one.way == way]
        row[f"levels, {way}"] = _text(mean_interval, of)
        row[f"ΔE, {way}"] = _mean(_by_person(part, "delta_e"))
        row[f"skin where none is, %, {way}"] = 100 * _mean(_by_person(part, "skin"))
    row["levels that the step adds"] = _text(paired_difference, *levels)
    return row


def _text(interval: Callable[..., Interval], *values: NDArray[np.float64]) -> str:
    """An interval of values in one cell; nothing where there is no value."""
    return interval(*values).text(1) if len(values[0]) else ""


def _by_person(part: Iterable[_Measured], name: str) -> NDArray[np.float64]:
    """The mean of one measure for each person, float64 [N]."""
    of: dict[int, list[float]] = {}
    for one in part:
        of.setdefault(one.person, []).append(getattr(one.error, name))
    return np.array([float(np.mean(values)) for values in of.values()])


def _mean(values: NDArray[np.float64]) -> float:
    """The mean, rounded; not a number where there is no value."""
    return round(float(values.mean()), 3) if len(values) else float("nan")

"""How wrong are the colours beside the jaw, where a mask that is wider than the face was painted over?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
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
from realtime.frames import UnmaskResult
from realtime.synthetic import Kind, MaskStyle, RenderedMask, preset_style, render_mask
from trainer.evaluate.bootstrap import Interval, mean_interval, paired_difference

_KINDS: tuple[Kind, ...] = ("surgical", "cloth", "n95", "kn95")  # in turns
# By how much a mask's half width differs from the preset's at its top and at its bottom corners, cm.
_WIDTHS = {"narrow": (-0.6, -0.6), "usual": (0.0, 0.0), "wide": (0.6, 1.4)}
Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class _Measured:
    """The error in one place of one face that wears one mask, of the fills of one model."""

    person: int
    width: str
    model: str
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
    against: Annotated[
        str | None, typer.Option(help="A second model, which is compared face by face.")
    ] = None,
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
    names = [model] if against is None else [model, against]
    with ExitStack() as stack:
        finder = stack.enter_context(FaceFinder())
        models = {name: stack.enter_context(Unmasker(name, engine, mode="image")) for name in names}
        for person, (name, bare) in enumerate(track(pictures, "photographs")):
            face = finder.portrait(bare)
            if face is None or face.landmarks is None:
                continue
            for width, worn in _worn(bare, face.landmarks, _KINDS[person % len(_KINDS)]):
                masked = np.ascontiguousarray(worn.image_rgb[:, :, ::-1])
                results = _unmask(masked, list(models.values()))
                shown += 1
                filled += results[0].any_replaced
                for of, result in zip(names, results, strict=True):
                    errors = dict(
                        colour_errors(bare, result.frame, result.replaced > 0, worn.alpha > 0, face)
                    )
                    measured += [_Measured(person, width, of, *one) for one in errors.items()]
                    if of == model and BAND in errors:
                        levels = errors[BAND].levels
                        text = f"{levels:.1f} levels, {width}, {name}"
                        worst.add(name, levels, text, [bare, masked, result.frame])
    if not measured:
        raise UserError("no masked face was filled beside its jaw")
    if out is not None:
        worst.write(out / "sheet-halo-worst.png")
    places = [name for name in dict.fromkeys(one.place for one in measured) if name != UNDER_MASK]
    rows = [_row("all", place, measured, names) for place in (*places, UNDER_MASK)]
    for width in _WIDTHS:
        of_width = [one for one in measured if one.width == width]
        rows += [_row(width, place, of_width, names) for place in (BAND, UNDER_MASK)]
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


def _unmask(masked: Picture, models: Sequence[Unmasker]) -> list[UnmaskResult]:
    """Detect and segment once, then fill by each model."""
    segmented = models[0].segment(models[0].detect_and_track(masked))
    return [one.composite(one.inpaint(segmented)) for one in models]


def _row(width: str, place: str, measured: Iterable[_Measured], models: Sequence[str]) -> Row:
    """The means over people of one place; of levels with their 95 % bootstrap intervals."""
    here = [one for one in measured if one.place == place]
    row: dict[str, str | float | int] = {
        "mask": width,
        "where": place,
        "people": len({one.person for one in here}),
        "px a face": round(float(np.mean([one.error.px for one in here])) if here else 0.0),
    }
    levels = []
    for model in models:
        part = [one for one in here if one.model == model]
        levels.append(_by_person(part, "levels"))
        row[f"levels, {model}"] = _text(mean_interval, levels[-1])
        row[f"ΔE, {model}"] = _mean(_by_person(part, "delta_e"))
        row[f"skin where none is, %, {model}"] = 100 * _mean(_by_person(part, "skin"))
    if len(levels) > 1:
        row["levels more than the second"] = _text(paired_difference, *levels)
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

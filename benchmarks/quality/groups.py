"""Are all people unmasked alike? UTKFace wearing rendered masks, by label, sex, age and skin tone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import typer
from numpy.typing import NDArray
from rich.progress import track

from benchmarks.finding.faces import bare_pictures
from benchmarks.finding.options import FindOptions
from benchmarks.options import Engine, Limit, Model, Out, Seed, Templates
from benchmarks.photographs.tiles import WorstTiles
from benchmarks.quality.people import ATTRIBUTES, NO_TONE, Person, has_known_name, person_of
from benchmarks.tables import Row, publish
from inpaint_model.errors import UserError
from realtime import Unmasker
from realtime.detect.face_finder import FaceFinder
from realtime.synthetic import (
    Kind,
    MaskStyle,
    load_templates,
    preset_style,
    random_style,
    render_mask,
)
from trainer.evaluate.bootstrap import mean_interval

_KINDS: tuple[Kind, ...] = ("surgical", "cloth", "n95", "kn95")
_PAD = 0.25  # of a picture's height, on each side: UTKFace's pictures end at chin and forehead
_LEAST_FACES = 10  # of a group that counts in the spread
_SHUFFLES = 2000  # random groupings, for the spread by chance
_CHANCE = 0.95  # quantile of their spreads
_NO_ERROR = 1e-3  # squared levels; keeps PSNR finite
Picture = NDArray[np.uint8]


@dataclass
class _Measured:
    """One person and the measures of the faces that they show, one a mask.

    Attributes:
        person: who.
        bare_touched: the bare face was changed.
        acted_on: by mask, whether anything was replaced.
        psnr_db: of the masks acted on, over the mask's pixels inside the photograph.
        lightness: of the same, mean luma of the fill less the truth's, levels of 0..255.
    """

    person: Person
    bare_touched: bool
    acted_on: list[bool] = field(default_factory=list)
    psnr_db: list[float] = field(default_factory=list)
    lightness: list[float] = field(default_factory=list)


def run(
    faces: Annotated[Path, typer.Option(help="Folder of UTKFace; its val split is used.")],
    manifest: Annotated[Path | None, typer.Option(help="CSV path,source,split,identity.")] = None,
    templates: Templates = None,
    masks: Annotated[
        int, typer.Option(min=1, help="So many masks: presets, then random ones.")
    ] = 8,
    seed: Seed = 0,
    out: Out = None,
    model: Model = "fast",
    engine: Engine = "auto",
    limit: Limit = 0,
) -> list[Row]:
    """Compare groups of people wearing the same masks: share acted on, PSNR, lightness, bare faces touched.

    Each person wears each mask: the presets, random ones, and the drawings of `--templates`. The second
    table has the largest difference between groups of ten people and more, and the difference that groups
    of the same sizes drawn at random stay below in 95 of 100 cases.
    """
    styles = _styles(masks, templates, seed)
    pictures = list(bare_pictures(FindOptions(faces, manifest), limit or 10**9))
    if not any(has_known_name(name) for name, _ in pictures):
        raise UserError(f"{faces}: no file is named age_sex_label_time, as those of UTKFace are")
    worst = WorstTiles()
    measured: list[_Measured] = []
    left_out: list[str] = []
    with FaceFinder() as finder, Unmasker(model, engine, mode="image") as unmasker:
        for name, picture in track(pictures, "people"):
            one = _measure(name, picture, styles, finder, unmasker, worst)
            if one is None:
                left_out.append(name)
            else:
                measured.append(one)
    if not measured:
        raise UserError(f"{faces}: no face found in its val split")
    if out is not None:
        worst.write(out / "sheet-groups-worst.png")
    rows = [_row("all", "all", measured)]
    for attribute, groups in ATTRIBUTES.items():
        of = {name: [m for m in measured if m.person.groups[attribute] == name] for name in groups}
        rows += [_row(attribute, name, part) for name, part in of.items() if part]
    details = {"masks": len(styles), "left out": left_out, "people": [_entry(m) for m in measured]}
    publish("groups", rows, out, details)
    spreads = [_spread_row(attribute, measured, seed) for attribute in ATTRIBUTES]
    return rows + publish("groups-spread", spreads, out)


def _styles(count: int, templates: Path | None, seed: int) -> list[MaskStyle]:
    """So many masks that cover mouth and nose, the presets first and then random ones, and all drawings."""
    rng = np.random.default_rng([seed, 3])
    styles = [preset_style(kind) for kind in _KINDS[:count]]
    while len(styles) < count:
        style = random_style(rng)
        if style.pulled_down == "no":
            styles.append(style)
    drawings = load_templates(templates) if templates else []
    return styles + [preset_style("template", drawing) for drawing in drawings]


def _measure(
    name: str,
    picture: Picture,
    styles: Sequence[MaskStyle],
    finder: FaceFinder,
    unmasker: Unmasker,
    worst: WorstTiles,
) -> _Measured | None:
    """Measure one person, bare and in each mask; None where the bare face or its name is not known."""
    pad = round(_PAD * picture.shape[0])
    bare = np.asarray(
        cv2.copyMakeBorder(picture, pad, pad, pad, pad, cv2.BORDER_REPLICATE), dtype=np.uint8
    )
    bare_rgb = np.ascontiguousarray(bare[:, :, ::-1])
    face = finder.portrait(bare)
    if face is None or face.landmarks is None:
        return None
    person = person_of(name, bare, face.matrix)
    if person is None:
        return None
    inside = np.zeros(bare.shape[:2], dtype=bool)
    inside[pad:-pad, pad:-pad] = True
    one = _Measured(person, unmasker(bare).any_replaced)
    for style in styles:
        worn = render_mask(bare_rgb, face.landmarks, style)
        masked = np.ascontiguousarray(worn.image_rgb[:, :, ::-1])
        result = unmasker(masked)
        one.acted_on.append(result.any_replaced)
        if result.any_replaced:
            psnr_db, lightness = compare(result.frame, bare, (worn.alpha > 0) & inside)
            one.psnr_db.append(psnr_db)
            one.lightness.append(lightness)
            text = f"{psnr_db:.1f} dB, {', '.join(person.groups.values())}"
            worst.add(name, -psnr_db, text, [bare, masked, result.frame])
    return one


def compare(shown: Picture, truth: Picture, where: NDArray[np.bool_]) -> tuple[float, float]:
    """Compare a result with the truth over some pixels.

    Args:
        shown, truth: uint8 [H, W, 3], BGR.
        where: bool [H, W], the pixels that count, at least one.

    Returns:
        PSNR, dB, and mean luma of the result less the truth's, levels of 0..255.
    """
    error = np.square(shown[where].astype(np.float64) - truth[where]).mean()
    luma = [cv2.cvtColor(one, cv2.COLOR_BGR2GRAY)[where].mean() for one in (shown, truth)]
    return float(10 * np.log10(255.0**2 / max(error, _NO_ERROR))), float(luma[0] - luma[1])


def _entry(one: _Measured) -> dict[str, object]:
    """What the JSON says of a person."""
    return {
        "name": one.person.name,
        "ITA": one.person.ita_deg,
        **one.person.groups,
        **{name: float(np.mean(values)) if values else None for name, values in _values(one)},
        "bare touched": one.bare_touched,
    }


def _values(one: _Measured) -> list[tuple[str, Sequence[float]]]:
    """The three measures of a person, a value a mask."""
    acted_on = [100.0 * flag for flag in one.acted_on]
    return [("acted on, %", acted_on), ("PSNR, dB", one.psnr_db), ("lightness", one.lightness)]


def _means(part: Sequence[_Measured]) -> dict[str, NDArray[np.float64]]:
    """The mean of each measure for each person who has one."""
    of: dict[str, list[float]] = {}
    for one in part:
        for name, values in _values(one):
            of.setdefault(name, []).extend([float(np.mean(values))] if values else [])
    return {name: np.array(values) for name, values in of.items()}


def _row(attribute: str, group: str, part: Sequence[_Measured]) -> Row:
    """The means over a group's people, with 95 % bootstrap intervals over people."""
    cells = {
        name: mean_interval(values).text(1 if name.startswith("acted") else 2)
        if len(values)
        else ""
        for name, values in _means(part).items()
    }
    touched = sum(one.bare_touched for one in part)
    return {"by": attribute, "group": group, "people": len(part), **cells, "bare touched": touched}


def _spread_row(attribute: str, measured: Sequence[_Measured], seed: int) -> Row:
    """The largest difference of the means of an attribute's groups, and the one that chance explains."""
    names = np.array([one.person.groups[attribute] for one in measured])
    large = [
        name
        for name in ATTRIBUTES[attribute]
        if name != NO_TONE and (names == name).sum() >= _LEAST_FACES
    ]
    row: dict[str, str | float | int] = {"by": attribute, "groups": len(large)}
    rng = np.random.default_rng([seed, 4])
    for measure in ("acted on, %", "PSNR, dB", "lightness"):
        of = [dict(_values(one))[measure] for one in measured]
        counted = np.array([bool(values) for values in of]) & np.isin(names, large)
        values = np.array([float(np.mean(of[at])) for at in np.flatnonzero(counted)])
        spread, by_chance = spread_and_chance(values, names[counted], rng)
        row |= {measure: round(spread, 2), f"{measure}, by chance": round(by_chance, 2)}
    return row


def spread_and_chance(
    values: NDArray[np.float64], names: NDArray[np.str_], rng: np.random.Generator
) -> tuple[float, float]:
    """The largest difference between groups' means, and what 95 % of random groupings stay below.

    Args:
        values: float64 [N], a value a person.
        names: str [N], the group of each.
        rng: of the random groupings, which have the same sizes.
    """
    groups, number = np.unique(names, return_inverse=True)
    if len(groups) < 2:
        return 0.0, 0.0

    def spread(order: NDArray[np.intp]) -> float:
        means = np.bincount(order, values) / np.bincount(order)
        return float(np.ptp(means))

    shuffled = [spread(rng.permutation(number)) for _ in range(_SHUFFLES)]
    return spread(number), float(np.quantile(shuffled, _CHANCE))

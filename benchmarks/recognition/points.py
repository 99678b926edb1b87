"""How exact the five points of a face are under a mask, and the crop that is aligned to them.

The truth is what the landmark network finds on the bare photograph. The same photograph then wears a
rendered mask, and the product finds the points again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray
from rich.progress import track

from benchmarks.finding.faces import TestFace, load_faces
from benchmarks.finding.options import FindOptions
from benchmarks.options import Engine, Model, Out, Seed
from benchmarks.recognition.found_points import (
    MOVES,
    SMALL_PX,
    STREAM_FRAMES,
    Case,
    Look,
    Points,
    case_of,
    found_again,
    small_case,
)
from benchmarks.tables import Row, publish
from realtime.align.affine import apply, invert
from realtime.detect.face_finder import FaceFinder
from realtime.feed.aligned_crop import ARCFACE_TEMPLATE, fit_similarity, template_matrix
from realtime.feed.crop_quality import yaw_deg

_YAWS_DEG = {"yaw below 15": (0, 15), "yaw 15 to 30": (15, 30), "yaw 30 and more": (30, 180)}
_NO_INTERVAL = "–"


def run(
    faces: Annotated[
        Path | None, typer.Option(help="Folder of bare faces; its val split is used.")
    ] = None,
    manifest: Annotated[Path | None, typer.Option(help="CSV path,source,split,identity.")] = None,
    count: Annotated[int, typer.Option(min=1, help="So many photographs.")] = 150,
    seed: Seed = 0,
    out: Out = None,
    model: Model = "fast",
    engine: Engine = "auto",
) -> list[Row]:
    """Measure the five points of masked faces against the points of the bare photographs."""
    options = FindOptions(
        faces, manifest, count=count, seed=seed, out=out, model=model, engine=engine
    )
    group = load_faces(options, count)
    cases = dict(_conditions(options, group))
    publish("recognition-yaw", [_yaw_row(name, some) for name, some in cases.items()], out)
    rows = [_row(name, some, seed) for name, some in cases.items()]
    return publish("recognition-points", rows, out)


def _conditions(
    options: FindOptions, group: Sequence[TestFace]
) -> Iterator[tuple[str, list[Case]]]:
    """Yield the rows' names and cases: masked faces in several ways, and how exact the truth itself is."""
    with Look(options, "image") as look:
        seen = [look(face, face.masked_bgr) for face in track(group, "pictures")]
        pictures = [case_of(face, one.points) for face, one in zip(group, seen, strict=True)]
        yield "masked pictures", pictures
        yield from _groups(pictures)
        raw = [case_of(face, one.by_landmarks) for face, one in zip(group, seen, strict=True)]
        yield "masked, landmarks of the masked face", raw
        bare = [case_of(face, look(face, face.bare_bgr).points) for face in track(group, "bare")]
        yield "bare", bare
        small = [small_case(look, face) for face in track(group, "small")]
        yield f"masked, {SMALL_PX:.0f} px wide", small
    with Look(options, "video") as look:
        streams = [case_of(face, look.stream(face).points) for face in track(group, "streams")]
        yield f"masked streams, frame {STREAM_FRAMES}", streams
    with FaceFinder() as finder:
        for name, move in MOVES.items():
            yield f"truth, {name} photograph", [found_again(finder, face, move) for face in group]


def _groups(cases: Sequence[Case]) -> Iterator[tuple[str, list[Case]]]:
    """Yield those of a yaw, and those in one kind of mask."""
    for name, (least, most) in _YAWS_DEG.items():
        yield name, [case for case in cases if least <= abs(case.face.yaw_deg) < most]
    for kind in sorted({case.face.kind for case in cases}):
        yield kind, [case for case in cases if case.face.kind == kind]


def _row(name: str, cases: Sequence[Case], seed: int) -> Row:
    from trainer.evaluate.bootstrap import mean_interval

    found = [(case.truth, case.points) for case in cases if case.points is not None]
    row: dict[str, str | float | int] = {"points": name, "faces": len(cases), "found": len(found)}
    errors = np.array([_errors(*pair) for pair in found]).reshape(-1, 5)
    parts = {"eyes": errors[:, :2], "nose": errors[:, 2:3], "mouth": errors[:, 3:]}
    row |= {part: _mean(values) for part, values in parts.items()}
    each = errors.mean(1)
    row["all five"] = mean_interval(each, seed).text(3) if found else _NO_INTERVAL
    row["p95"] = float(np.percentile(each, 95)) if found else np.nan
    crops = np.array([crop_error_px(*pair) for pair in found])
    row["crop px"] = mean_interval(crops, seed).text(2) if found else _NO_INTERVAL
    row["crop px p95"] = float(np.percentile(crops, 95)) if found else np.nan
    for name, of_them in {"by eyes and nose px": 3, "by eyes alone px": 2}.items():
        row[name] = _mean(np.array([crop_error_px(*pair, of_them) for pair in found]))
    return row


def _errors(truth: Points, points: Points) -> NDArray[np.float64]:
    """How far each point is off the true one, float64 [5], as a share of the distance between the eyes."""
    return np.hypot(*(points - truth).T) / np.hypot(*(truth[1] - truth[0]))


def crop_error_px(truth: Points, points: Points, of_them: int = 5) -> float:
    """How far the aligned crop is off the one by the true points.

    Args:
        truth: the true points.
        points: the found ones.
        of_them: fit the template to the first so many of the found points alone.

    Returns:
        The mean distance, over the template's five points, of where both crops show the same pixel of the
        frame; pixels of the 112x112 crop.
    """
    true_places = apply(invert(template_matrix(truth)), ARCFACE_TEMPLATE)
    to_crop = fit_similarity(points[:of_them], ARCFACE_TEMPLATE[:of_them])
    return float(np.hypot(*(apply(to_crop, true_places) - ARCFACE_TEMPLATE).T).mean())


def _yaw_row(name: str, cases: Sequence[Case]) -> Row:
    """How far the yaw by five points is off that of the face mesh of the bare photograph, degrees."""
    pairs = [(yaw_deg(c.points), c.face.yaw_deg) for c in cases if c.points is not None]
    found, true = np.array(pairs).reshape(-1, 2).T
    off = found - true
    return {
        "points": name,
        "faces": len(pairs),
        "mean absolute error, degrees": _mean(np.abs(off)),
        "mean error, degrees": _mean(off),
    }


def _mean(values: NDArray[np.float64]) -> float:
    return float(values.mean()) if values.size else np.nan

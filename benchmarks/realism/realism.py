"""Does a result look pasted? Sharpness, seam and flicker of masked clips (truth known) and photographs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice, pairwise
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray

from benchmarks.clips import clips_in, masked_frames
from benchmarks.options import CLIPS_HELP, PHOTOS_HELP, Engine, Limit, Model, Out
from benchmarks.photographs.lists import pictures_in, read_pictures
from benchmarks.realism.measures import (
    FilledCrop,
    Sharpness,
    filled_crop,
    seam,
    sharpness,
    temporal_change,
)
from benchmarks.tables import Row, publish
from inpaint_model.errors import UserError
from realtime import Unmasker
from realtime.synthetic import Kind, preset_style

_KINDS: tuple[Kind, ...] = ("surgical", "cloth", "kn95")
_SKIPPED, _MEASURED = 10, 12  # frames of a clip: the first ones are left out
_LOW, _HIGH = 0.8, 1.2  # sharpness that counts as real
_WIDEST_PX = 10_000
_WIDTHS_PX = ((0, 75), (75, 150), (150, 300), (300, _WIDEST_PX), (0, _WIDEST_PX))
_NO_CHANGE = 1e-3  # keeps ratios finite
Frame = NDArray[np.uint8]


def run(
    clips: Annotated[list[Path] | None, typer.Option(help=CLIPS_HELP)] = None,
    photos: Annotated[list[Path] | None, typer.Option(help=PHOTOS_HELP)] = None,
    out: Out = None,
    model: Model = "fast",
    engine: Engine = "auto",
    limit: Limit = 0,
) -> list[Row]:
    """Measure sharpness, seam and flicker of fills: of clips beside the truth, and of photographs."""
    if not clips and not photos:
        raise UserError("nothing to measure: give clips or photographs")
    rows: list[Row] = []
    for index, path in enumerate(clips_in(clips) if clips else []):
        with Unmasker(model, engine, max_faces=1) as unmasker:
            rows += _clip_rows(path, _KINDS[index % len(_KINDS)], unmasker)
    if rows:
        rows.append(_mean_row(rows))
        publish("realism", rows, out)
    if photos:
        rows += publish(
            "realism-photos", _photo_rows(pictures_in(photos, limit), model, engine), out
        )
    return rows


def unmask_largest(frame: Frame, unmasker: Unmasker) -> tuple[Frame, FilledCrop] | None:
    """Unmask a frame: the result and the crop of its largest filled face; None where none is filled."""
    inpainted = unmasker.inpaint(unmasker.segment(unmasker.detect_and_track(frame)))
    result = unmasker.composite(inpainted)
    filled = [face.segmented for face in inpainted.faces if face.fill is not None]
    if not filled:
        return None
    largest = max(filled, key=lambda face: face.tracked.face.size)
    return result.frame, filled_crop(frame, result.replaced, largest.matrix)


def _clip_rows(path: Path, kind: Kind, unmasker: Unmasker) -> list[Row]:
    """Measure a clip's frames; no row where no face was filled in two of them."""
    kept: list[tuple[Frame, Frame, FilledCrop]] = []
    frames = (f for f in masked_frames(path, preset_style(kind)) if f.landmarks is not None)
    for index, frame in enumerate(islice(frames, _SKIPPED + _MEASURED)):
        done = unmask_largest(frame.masked_bgr, unmasker)
        if index >= _SKIPPED and done is not None:
            kept.append((done[0], frame.bare_bgr, done[1]))
    if len(kept) < 2:
        return []
    sharp = [(sharpness(crop, shown), sharpness(crop, bare)) for shown, bare, crop in kept]
    both = [(a, b) for a, b in sharp if a is not None and b is not None]
    seams = [(seam(crop, shown), seam(crop, bare)) for shown, bare, crop in kept]
    row: Row = {
        "clip": path.stem,
        "mask": kind,
        "face px": _mean(crop.face_px for *_, crop in kept),
        **_against_truth("sharpness", [(a.of_medians, b.of_medians) for a, b in both]),
        **_against_truth("mean sharpness", [(a.of_means, b.of_means) for a, b in both]),
        **_against_truth("seam", [(a, b) for a, b in seams if a and b]),
        "flicker / truth": _flicker(kept),
    }
    return [row]


def _flicker(kept: Sequence[tuple[Frame, Frame, FilledCrop]]) -> float:
    """Change from frame to frame inside the hole, over that of the truth."""
    changes = [
        (temporal_change(before, one, now, two), temporal_change(before, bare, now, two_bare))
        for (one, bare, before), (two, two_bare, now) in pairwise(kept)
    ]
    pairs = [(a, b) for a, b in changes if a is not None and b is not None]
    return _against_truth("", pairs)[" / truth"]


def _against_truth(name: str, pairs: Sequence[tuple[float, float]]) -> dict[str, float]:
    """The means of a measure of results and of the truth, and their ratio."""
    result, truth = _mean(a for a, _ in pairs), _mean(b for _, b in pairs)
    return {
        name: result,
        f"{name} of truth": truth,
        f"{name} / truth": result / max(truth, _NO_CHANGE),
    }


def _mean_row(rows: Sequence[Row]) -> Row:
    """The mean over clips, and the share of clips whose sharpness counts as real."""
    real = _mean(_LOW <= float(row["sharpness"]) <= _HIGH for row in rows)
    numbers = {
        name: _mean(float(row[name]) for row in rows if np.isfinite(float(row[name])))
        for name in rows[0]
        if name not in ("clip", "mask")
    }
    return {"clip": f"mean ({real:.0%} in {_LOW} to {_HIGH})", "mask": "", **numbers}


def _photo_rows(paths: list[Path], model: str, engine: str) -> list[Row]:
    measured: list[tuple[float, Sharpness, float]] = []
    with Unmasker(model, engine, mode="image") as unmasker:
        for _, frame in read_pictures(paths, "photographs"):
            done = None if frame is None else unmask_largest(frame, unmasker)
            if done is None:
                continue
            shown, crop = done
            sharp, step = sharpness(crop, shown), seam(crop, shown)
            if sharp is not None and step is not None:
                measured.append((crop.face_px, sharp, step))
    if not measured:
        raise UserError("no face was filled in the photographs")
    by_width = (
        (low, high, [m for m in measured if low <= m[0] < high]) for low, high in _WIDTHS_PX
    )
    return [_width_row(low, high, part) for low, high, part in by_width if part]


def _width_row(low: int, high: int, part: list[tuple[float, Sharpness, float]]) -> Row:
    medians = np.array([sharp.of_medians for _, sharp, _ in part])
    p10, p50, p90 = np.percentile(medians, [10, 50, 90])
    return {
        "face px": "all" if high - low == _WIDEST_PX else f"{low} to {high}",
        "faces": len(part),
        "sharpness p10": float(p10),
        "p50": float(p50),
        "p90": float(p90),
        f"share in {_LOW} to {_HIGH}": float(np.mean((medians >= _LOW) & (medians <= _HIGH))),
        "mean sharpness p50": float(np.median([sharp.of_means for _, sharp, _ in part])),
        "seam p50": float(np.median([step for *_, step in part])),
    }


def _mean(values: Iterable[float]) -> float:
    """The mean; not a number where there is no value."""
    listed = list(values)
    return float(np.mean(listed)) if listed else float("nan")

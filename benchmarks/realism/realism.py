"""Does the result look pasted? Sharpness, seam and flicker of masked clips (truth known) and photos."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from benchmarks.masked_clips import bare_and_worn
from benchmarks.photographs.lists import pictures_in
from benchmarks.realism.measures import Place, Sharpness, change, place_of, seam, sharpness
from benchmarks.tables import Row, publish
from inpaint_model.errors import UserError
from realtime import Unmasker
from realtime.synthetic import Kind, preset_style

_KINDS: tuple[Kind, ...] = ("surgical", "cloth", "kn95")
_SKIPPED, _MEASURED = 10, 12
_LOW, _HIGH = 0.8, 1.2
_WIDTHS_PX = ((0, 75), (75, 150), (150, 300), (300, 10_000))
Frame = NDArray[np.uint8]


def run(
    clips: list[Path],
    photos: list[Path],
    out: Path | None,
    model: str,
    engine: str,
    limit: int = 0,
) -> list[Row]:
    """Measure clips, one row each beside the truth, and photographs, a row for each width of faces."""
    rows: list[Row] = []
    paths = [p for c in clips for p in (sorted(c.glob("*.mp4")) if c.is_dir() else [c])]
    if not paths and not photos:
        raise UserError("nothing to measure: give clips or photographs")
    for index, path in enumerate(paths):
        with Unmasker(model, engine, max_faces=1) as unmasker:
            row = _clip_row(path, _KINDS[index % len(_KINDS)], unmasker)
        if row is not None:
            rows.append(row)
    if rows:
        rows.append(_mean_row(rows))
        publish("realism", rows, out)
    if photos:
        found = _photo_rows(pictures_in(photos, limit), model, engine)
        publish("realism-photos", found, out)
        rows += found
    return rows


def unmasked(frame: Frame, unmasker: Unmasker) -> tuple[Frame, Place] | None:
    """Unmask a frame; the result and where its largest filled face lies, or None."""
    seen = unmasker.look(frame)
    result = unmasker.finish(seen)
    done = {face.track_id for face in result.faces if face.inpainted}
    sights = [sight for sight in seen.sights if sight.track.track_id in done]
    if not sights:
        return None
    sight = max(sights, key=lambda sight: sight.face.size)
    return result.frame, place_of(frame, result.replaced, sight.track.framing.of(sight.matrix))


def _clip_row(path: Path, kind: Kind, unmasker: Unmasker) -> Row | None:
    """Measure a clip's frames, the first ones left out; None where no face was filled."""
    kept: list[tuple[Frame, Frame, Place]] = []
    for index, (bare, worn) in enumerate(bare_and_worn(path, preset_style(kind))):
        done = unmasked(worn, unmasker)
        if index >= _SKIPPED and done is not None:
            kept.append((done[0], bare, done[1]))
        if index + 1 >= _SKIPPED + _MEASURED:
            break
    if len(kept) < 2:
        return None
    sharp = [(sharpness(place, shown), sharpness(place, bare)) for shown, bare, place in kept]
    both = [(a, b) for a, b in sharp if a is not None and b is not None]
    seams = [(seam(place, shown), seam(place, bare)) for shown, bare, place in kept]
    return {
        "clip": path.stem,
        "mask": kind,
        "face px": _mean(place.face_px for *_, place in kept),
        **_against_truth("sharpness", [(a.typical, b.typical) for a, b in both]),
        **_against_truth("mean sharpness", [(a.mean, b.mean) for a, b in both]),
        **_against_truth("seam", [(a, b) for a, b in seams if a and b]),
        "flicker / truth": _flicker(kept),
    }


def _flicker(kept: Sequence[tuple[Frame, Frame, Place]]) -> float:
    """Change from frame to frame inside the hole over the truth's."""
    shown, true = [], []
    for (one, one_bare, before), (two, two_bare, now) in pairwise(kept):
        changes = change(before, one, now, two), change(before, one_bare, now, two_bare)
        if changes[0] is not None and changes[1] is not None:
            shown.append(changes[0])
            true.append(changes[1])
    return _mean(shown) / max(_mean(true), 1e-3)


def _against_truth(name: str, pairs: Sequence[tuple[float, float]]) -> dict[str, float]:
    result, truth = _mean(a for a, _ in pairs), _mean(b for _, b in pairs)
    return {name: result, f"{name} of truth": truth, f"{name} / truth": result / max(truth, 1e-3)}


def _mean_row(rows: Sequence[Row]) -> Row:
    """The mean over clips, and the share of clips whose sharpness meets the target."""
    met = _mean(_LOW <= float(row["sharpness"]) <= _HIGH for row in rows)
    numbers = {
        name: _mean(float(row[name]) for row in rows if np.isfinite(float(row[name])))
        for name in rows[0]
        if name not in ("clip", "mask")
    }
    return {"clip": f"mean ({met:.0%} in {_LOW} to {_HIGH})", "mask": "", **numbers}


def _photo_rows(paths: list[Path], model: str, engine: str) -> list[Row]:
    found: list[tuple[float, Sharpness, float]] = []
    with Unmasker(model, engine, still=True) as unmasker:
        for path in track(paths, "photographs"):
            frame = cv2.imread(str(path))
            done = None if frame is None else unmasked(np.asarray(frame, np.uint8), unmasker)
            if done is None:
                continue
            sharp, step = sharpness(done[1], done[0]), seam(done[1], done[0])
            if sharp is not None and step is not None:
                found.append((done[1].face_px, sharp, step))
    if not found:
        raise UserError("no face was filled in the photographs")
    rows: list[Row] = []
    for low, high in (*_WIDTHS_PX, (0, 10_000)):
        part = [item for item in found if low <= item[0] < high]
        if not part:
            continue
        typical = np.array([sharp.typical for _, sharp, _ in part])
        p10, p50, p90 = np.percentile(typical, [10, 50, 90])
        rows.append(
            {
                "face px": "all" if high - low == 10_000 else f"{low} to {high}",
                "faces": len(part),
                "sharpness p10": float(p10),
                "p50": float(p50),
                "p90": float(p90),
                f"share in {_LOW} to {_HIGH}": float(
                    np.mean((typical >= _LOW) & (typical <= _HIGH))
                ),
                "mean sharpness p50": float(np.median([sharp.mean for _, sharp, _ in part])),
                "seam p50": float(np.median([step for *_, step in part])),
            }
        )
    return rows


def _mean(values: Iterable[float]) -> float:
    """The mean; not a number where there is none."""
    listed = list(values)
    return float(np.mean(listed)) if listed else float("nan")

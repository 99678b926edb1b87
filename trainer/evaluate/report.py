"""Writes the report of an evaluation: JSON, a Markdown table, and sheets of cases."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from trainer.data.face_set import FaceSet
from trainer.evaluate.bootstrap import CONFIDENCE, RESAMPLES, Interval
from trainer.evaluate.protocols import GREY
from trainer.evaluate.scores import Scores, by_coverage, summarise

ALL = "all"
_CASES, _ZOOM = 4, 2  # cases in a row of the sheet, and their enlargement
_CAPTION_PX, _GAP_PX = 30, 16

NOTES = """\
Only pixels inside the photograph count. Brackets hold the 95 % percentile bootstrap interval of the mean
over images. PSNR and SSIM: of the composited crop (known pixels kept). Hole: over the hole's pixels alone.
Raw: the network's own picture, known pixels included. GMSD: gradient magnitude similarity deviation, 0 is
best. Perceptual: distance of the feature maps of the network the product's models are trained against, 0 is
best. Identity: distance of dlib's descriptors of filled and true face (under 0.6 dlib takes two pictures
for one person), beside the same with the hole grey, and between the true faces of different people; the
perceptual loss of training uses a coarser coding of dlib's network, so this is no independent judge.
"""


@dataclass(frozen=True)
class Group:
    """The images of one row of a report.

    Attributes:
        protocol: the holes' protocol.
        source: the data set's name, or "all".
        scores: of its images.
        left_out: number of faces whose hole lies outside the photograph.
    """

    protocol: str
    source: str
    scores: Scores
    left_out: int


def group(scores: Scores, faces: FaceSet) -> list[Group]:
    """Group an evaluation's images by data set; several data sets are followed by all together.

    Args:
        scores: of `faces`.
        faces: the evaluated faces.
    """
    sources = faces.source[scores.rows]
    groups = [
        Group(
            scores.protocol,
            str(source),
            scores.where(sources == source),
            int((faces.source == source).sum() - (sources == source).sum()),
        )
        for source in np.unique(sources)
    ]
    if len(groups) > 1:
        groups.append(Group(scores.protocol, ALL, scores, len(faces) - len(scores)))
    return groups


def write_report(
    out: Path, settings: Mapping[str, Any], evaluated: Sequence[Scores], faces: FaceSet
) -> str:
    """Write `evaluation.json`, `evaluation.md` and a `sheet-PROTOCOL.png` each; return the Markdown.

    Args:
        out: the folder; created if it does not exist.
        settings: what was evaluated and how, as JSON types.
        evaluated: the scores of each protocol.
        faces: the evaluated faces.
    """
    out.mkdir(parents=True, exist_ok=True)
    groups = [part for scores in evaluated for part in group(scores, faces)]
    text = _markdown(settings, groups)
    data = {
        "settings": dict(settings),
        "bootstrap": {"resamples": RESAMPLES, "confidence": CONFIDENCE},
        "results": [_as_json(part) for part in groups],
    }
    for scores in evaluated:
        _, png = cv2.imencode(".png", case_sheet(scores, faces)[:, :, ::-1])
        _write(out / f"sheet-{scores.protocol}.png", png.tobytes())
    _write(out / "evaluation.md", text.encode())
    _write(out / "evaluation.json", (json.dumps(data, indent=2, allow_nan=False) + "\n").encode())
    return text


def _write(path: Path, content: bytes) -> None:
    part = path.with_name(path.name + ".part")
    try:
        part.write_bytes(content)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _as_json(part: Group) -> dict[str, Any]:
    bins = [
        {"coverage_from": low, "coverage_to": high, "images": len(some), "means": _means(some)}
        for low, high, some in by_coverage(part.scores)
    ]
    return {
        "protocol": part.protocol,
        "source": part.source,
        "images": len(part.scores),
        "left_out": part.left_out,
        "means": _means(part.scores),
        "by_coverage": bins,
    }


def _means(scores: Scores) -> dict[str, dict[str, float]]:
    return {name: asdict(interval) for name, interval in summarise(scores).items()}


def _markdown(settings: Mapping[str, Any], groups: Sequence[Group]) -> str:
    """Write the table of data sets, the table of coverage bins of the largest group, and the notes."""
    last = {part.protocol: part for part in groups}
    rows = [
        {"protocol": part.protocol, "source": part.source, **_cells(part.scores)} for part in groups
    ]
    bins = [
        {
            "protocol": part.protocol,
            "source": part.source,
            "coverage %": f"{100 * low:.0f}-{100 * high:.0f}",
            **_cells(some),
        }
        for part in last.values()
        for low, high, some in by_coverage(part.scores)
    ]
    left_out = [
        f"{part.protocol}: {part.left_out} of the faces left out, their hole outside the photograph."
        for part in last.values()
        if part.left_out
    ]
    heading = f"{settings['what']}, split {settings['split']}, seed {settings['seed']}"
    blocks = [heading, _table(rows), _table(bins), *left_out, NOTES]
    return "\n\n".join(block.strip() for block in blocks) + "\n"


def _cells(scores: Scores) -> dict[str, str]:
    """Return the metrics of a row as text, without those that were not measured."""
    means = summarise(scores)
    cells = {
        "n": str(len(scores)),
        "PSNR dB": means["psnr"].text(2),
        "SSIM": means["ssim"].text(4),
        "hole PSNR dB": means["psnr_hole"].text(2),
        "hole SSIM": means["ssim_hole"].text(3),
        "raw PSNR dB": _optional(means.get("psnr_raw"), 2),
        "raw SSIM": _optional(means.get("ssim_raw"), 4),
        "GMSD": means["gmsd"].text(4),
        "perceptual": _optional(means.get("perceptual"), 3),
        "identity": _optional(means.get("identity_distance"), 3),
        "identity, hole grey": _optional(means.get("masked_distance"), 3),
        "other people": _optional(means.get("others_distance"), 3),
    }
    return {name: text for name, text in cells.items() if text}


def _optional(interval: Interval | None, digits: int) -> str:
    return interval.text(digits) if interval else ""


def _table(rows: Sequence[Mapping[str, str]]) -> str:
    columns = list(dict.fromkeys(name for row in rows for name in row))
    lines = ["| " + " | ".join(columns) + " |", "|" + " --- |" * len(columns)]
    lines += ["| " + " | ".join(row.get(name, "") for name in columns) + " |" for row in rows]
    return "\n".join(lines)


def case_sheet(scores: Scores, faces: FaceSet) -> NDArray[np.uint8]:
    """Draw the best, the median and the worst four cases by composited PSNR.

    Args:
        scores: of `faces`; rows are shorter if there are fewer than four cases.
        faces: the evaluated faces.

    Returns:
        uint8 RGB; a row each of best, median and worst, a case being masked, result and truth
        beside each other at twice their size, under its PSNR, data source and coverage.
    """
    order = np.argsort(-scores.psnr, kind="stable")
    middle = max(0, len(order) // 2 - _CASES // 2)
    rows = {
        "best": order[:_CASES],
        "median": order[middle : middle + _CASES],
        "worst": order[-_CASES:],
    }
    drawn = []
    for name, cases in rows.items():
        tiles = list(_cases(name, cases, scores, faces))
        tiles += [np.zeros_like(tiles[0])] * (min(_CASES, len(order)) - len(tiles))
        drawn.append(cv2.hconcat(tiles))
    return np.asarray(cv2.vconcat(drawn), dtype=np.uint8)


def _cases(
    name: str, cases: NDArray[np.int64], scores: Scores, faces: FaceSet
) -> Iterator[NDArray[np.uint8]]:
    for case in cases:
        row = scores.rows[case]
        truth = faces.crops[row]
        hidden = scores.holes[case] & faces.valid[row]
        masked = np.where(hidden[..., None], np.uint8(GREY), truth)
        tile = cv2.hconcat([masked, scores.filled[case], truth])
        tile = cv2.resize(tile, None, fx=_ZOOM, fy=_ZOOM, interpolation=cv2.INTER_CUBIC)
        text = (
            f"{name}: {scores.psnr[case]:.2f} dB, hole {scores.psnr_hole[case]:.2f} dB, "
            f"{faces.source[row]}, {100 * scores.coverage[case]:.0f} % (masked, result, truth)"
        )
        tile = cv2.copyMakeBorder(
            tile, _CAPTION_PX, 0, 0, _GAP_PX, cv2.BORDER_CONSTANT, value=(0, 0, 0)
        )
        cv2.putText(
            tile, text, (6, 21), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (255, 255, 255), 1, cv2.LINE_AA
        )
        yield tile

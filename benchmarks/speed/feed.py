"""Speed of `unmask feed` on a 720p clip with two masked faces, and how steady its track ids are."""

from __future__ import annotations

import itertools
import json
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from benchmarks.live.camera_clip import looped_frames, tiled
from benchmarks.options import Clip, Engine, Model, Out, Seconds, Size, parse_size
from benchmarks.processes import start_unmask
from benchmarks.tables import Row, publish, stage_times
from inpaint_model.errors import UserError
from realtime.media.clip import write_clip

Embedder = Annotated[
    Path | None, typer.Option(help="ONNX file of a recogniser; adds a row.", show_default=False)
]
_FPS, _FACES = 30, 2


def run(
    clip: Clip = None,
    seconds: Seconds = 60.0,
    size: Size = "1280x720",
    embedder: Embedder = None,
    out: Out = None,
    model: Model = "fast",
    engine: Engine = "auto",
) -> list[Row]:
    """Write a clip of two faces at 30 frames/s, feed it in a process of its own, and read its lines."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        source = folder / "two-faces.mp4"
        loop, pixels, frames = looped_frames(clip), parse_size(size), round(seconds * _FPS)
        write_clip(source, (tiled(loop, n, _FACES, pixels) for n in range(frames)), _FPS)
        kinds: dict[str, list[object]] = {
            "lines": [],
            "lines and crops as files": ["--crops", folder / "crops"],
            "lines with crops": ["--inline"],
        }
        if embedder is not None:
            kinds["lines and embeddings"] = ["--embedder", embedder]
        for name, options in kinds.items():
            given = [*options, "--model", model, "--engine", engine]
            rows.append({"feed": name, **_measure(source, folder, frames, given)})
    return publish("feed", rows, out)


def _measure(source: Path, folder: Path, frames: int, options: Sequence[object]) -> Row:
    lines, report = folder / "lines.jsonl", folder / "report.json"
    given = ("--out", lines, "--report", report, "--overwrite", *options)
    if start_unmask("feed", source, *given, show_errors=True).wait():
        raise UserError(f"`unmask feed` failed on {source.name}")
    done = json.loads(report.read_text(encoding="utf-8"))
    records = [json.loads(line) for line in lines.read_text(encoding="utf-8").splitlines()]
    minutes = frames / _FPS / 60
    return {
        "frames/s": done["fps"],
        "of real time": done["fps"] / _FPS,
        "faces filled": done["masked_faces"] / (frames * _FACES),
        "id switches a minute": sum(map(_switches, _by_place(records))) / minutes,
        "bytes a line": lines.stat().st_size / max(len(records), 1),
        "stages p50 ms": stage_times(done["stages"]),
    }


def _by_place(records: Sequence[dict[str, Any]]) -> Iterator[list[int]]:
    """Yield the track ids of each face in the order of the frames: one is left, one right."""
    middles = np.array([(record["box"][0] + record["box"][2]) / 2 for record in records])
    border = float(middles.mean()) if len(middles) else 0.0
    for is_left in (True, False):
        yield [
            record["track_id"]
            for record, middle in zip(records, middles, strict=True)
            if (middle < border) == is_left
        ]


def _switches(track_ids: Sequence[int]) -> int:
    return sum(before != after for before, after in itertools.pairwise(track_ids))

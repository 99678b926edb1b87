"""How many CPU threads the generator should have on a machine that also decodes, segments and encodes."""

from __future__ import annotations

import os
import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.tables import Row, publish
from realtime import Unmasker
from realtime.demo.clip import DemoClip
from realtime.media.clip import write_clip
from realtime.video.file import VideoOptions, unmask_video


def run(
    models: Sequence[str], counts: Sequence[int], engine: str, rounds: int, out: Path | None
) -> list[Row]:
    """Unmask the demo's clip with each number of threads, in turn, in one process.

    Args:
        models: names or ONNX files.
        counts: threads of the generator's engine; all from 1 to the cores' number where empty.
        engine: as for `open_inpainter`.
        rounds: how often each; the table has the medians.
        out: folder for the JSON; None writes none.
    """
    counts = counts or range(1, (os.cpu_count() or 1) + 1)
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as scratch:
        masked, target = Path(scratch) / "masked.mp4", Path(scratch) / "bare.mp4"
        clip = DemoClip()
        write_clip(masked, clip.masked_bgr(), clip.path.fps)
        for model in models:
            taken: dict[int, list[tuple[float, float]]] = {count: [] for count in counts}
            for _ in range(rounds):
                for count in counts:
                    taken[count].append(_unmask(masked, target, model, engine, count))
            rows += [_row(model, count, values) for count, values in taken.items()]
    publish("threads", rows, out)
    return rows


def _unmask(
    masked: Path, target: Path, model: str, engine: str, threads: int
) -> tuple[float, float]:
    """Return frames a second, and the median milliseconds of filling a frame's crop."""
    with Unmasker(model, engine, 1, threads=threads) as unmasker:
        report = unmask_video(masked, target, unmasker, VideoOptions(overwrite=True))
    return report.fps, report.stages["inpaint"]["p50_ms"]


def _row(model: str, threads: int, values: Sequence[tuple[float, float]]) -> Row:
    fps = [value[0] for value in values]
    return {
        "model": model,
        "threads": threads,
        "frames/s": round(statistics.median(fps), 2),
        "lowest": round(min(fps), 2),
        "highest": round(max(fps), 2),
        "inpaint ms, p50": round(statistics.median(value[1] for value in values), 2),
    }

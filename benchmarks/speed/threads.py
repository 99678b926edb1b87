"""How many CPU threads the generator should have on a machine that also decodes, segments and encodes."""

from __future__ import annotations

import os
import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.clips import write_demo_clip
from benchmarks.tables import Row, publish
from realtime import Unmasker
from realtime.demo.clip import DemoClip
from realtime.runtime.report import Report
from realtime.video.file import VideoOptions, unmask_video


def run(
    models: Sequence[str], counts: Sequence[int], engine: str, rounds: int, out: Path | None
) -> list[Row]:
    """Unmask the demo's clip with each number of threads, in turn, in one process.

    Args:
        models: names or ONNX files.
        counts: threads of the generator's engine; empty takes all from 1 to the number of cores.
        engine: as for `open_inpainter`.
        rounds: runs of each; the table has the medians.
        out: folder for the JSON; None writes none.
    """
    counts = counts or range(1, (os.cpu_count() or 1) + 1)
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as scratch:
        masked, target = Path(scratch) / "masked.mp4", Path(scratch) / "unmasked.mp4"
        write_demo_clip(masked, DemoClip())
        for model in models:
            reports: dict[int, list[Report]] = {count: [] for count in counts}
            for _ in range(rounds):
                for count in counts:
                    with Unmasker(model, engine, 1, threads=count) as unmasker:
                        options = VideoOptions(overwrite=True)
                        reports[count].append(unmask_video(masked, target, unmasker, options))
            rows += [_row(model, count, of_count) for count, of_count in reports.items()]
    return publish("threads", rows, out)


def _row(model: str, threads: int, reports: Sequence[Report]) -> Row:
    fps = [report.fps for report in reports]
    inpaint_ms = [report.stages["inpaint"]["p50_ms"] for report in reports]
    return {
        "model": model,
        "threads": threads,
        "frames/s": round(statistics.median(fps), 2),
        "lowest": round(min(fps), 2),
        "highest": round(max(fps), 2),
        "inpaint ms, p50": round(statistics.median(inpaint_ms), 2),
    }

"""How many CPU threads the generator should have on a machine that also decodes, segments and encodes."""

from __future__ import annotations

import os
import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.clips import write_demo_clip
from benchmarks.options import MODELS, Engine, Models, Out, Rounds
from benchmarks.tables import Row, publish
from realtime import Unmasker
from realtime.demo.clip import DemoClip
from realtime.runtime.report import Report
from realtime.video.file import VideoOptions, unmask_video


def run(
    model: Models = None,
    count: Annotated[list[int] | None, typer.Option(help="Threads; repeat; 1 to all.")] = None,
    engine: Engine = "auto",
    rounds: Rounds = 3,
    out: Out = None,
) -> list[Row]:
    """Measure frames a second of `unmask video` by the generator's number of CPU threads.

    The demo's clip is unmasked with each number in turn, in one process; the table has the medians.
    """
    counts = count or range(1, (os.cpu_count() or 1) + 1)
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as scratch:
        masked, target = Path(scratch) / "masked.mp4", Path(scratch) / "unmasked.mp4"
        write_demo_clip(masked, DemoClip())
        for name in model or MODELS:
            reports: dict[int, list[Report]] = {threads: [] for threads in counts}
            for _ in range(rounds):
                for threads in counts:
                    with Unmasker(name, engine, 1, threads=threads) as unmasker:
                        options = VideoOptions(overwrite=True)
                        reports[threads].append(unmask_video(masked, target, unmasker, options))
            rows += [_row(name, threads, some) for threads, some in reports.items()]
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

"""Memory of `unmask video` over a long video: its peak, and its growth with the frames."""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Annotated

import numpy as np
import psutil
import typer

from benchmarks.clips import write_wide_clip
from benchmarks.options import Engine, Model, Out, Size, parse_size
from benchmarks.processes import start_unmask
from benchmarks.tables import Row, publish
from inpaint_model.errors import UserError

_SAMPLE_EVERY_S = 0.2
_SETTLED_SHARE = 0.25  # of the run; the growth is measured after it
_FEWEST_SAMPLES = 8


def run(
    size: Size = "1920x1080",
    minutes: Annotated[float, typer.Option(help="Length of the looped video.")] = 60.0,
    out: Out = None,
    model: Model = "fast",
    engine: Engine = "auto",
) -> list[Row]:
    """Measure the peak memory of `unmask video` over a long video, and its growth with the frames."""
    with tempfile.TemporaryDirectory() as scratch:
        clip, target, report = (Path(scratch) / n for n in ("clip.mp4", "out.mp4", "report.json"))
        frames = write_wide_clip(clip, *parse_size(size), 30, minutes * 60)
        options = ("--report", report, "--model", model, "--engine", engine)
        process = start_unmask("video", clip, target, *options)
        times_s, sizes_mb = _sample_memory(process)
        if process.returncode:
            raise UserError("`unmask video` failed")
        fps = float(json.loads(report.read_text(encoding="utf-8"))["fps"])
    settled = times_s > times_s[-1] * _SETTLED_SHARE
    slope_mb_s = float(np.polyfit(times_s[settled], sizes_mb[settled], 1)[0])
    row: Row = {
        "size": size,
        "frames": frames,
        "frames/s": fps,
        "peak MB": float(sizes_mb.max()),
        "slope, MB per 10,000 frames": slope_mb_s / fps * 10_000,
    }
    return publish("memory", [row], out)


def _sample_memory(process: subprocess.Popen[bytes]) -> tuple[np.ndarray, np.ndarray]:
    """Sample a process's resident memory until it ends: seconds, megabytes."""
    watched, began = psutil.Process(process.pid), time.monotonic()
    samples = []
    while process.poll() is None:
        try:
            samples.append((time.monotonic() - began, watched.memory_info().rss / 1e6))
        except psutil.Error:
            break
        time.sleep(_SAMPLE_EVERY_S)
    process.wait()
    if len(samples) < _FEWEST_SAMPLES:
        raise UserError("the run was too short to measure its memory; take more --minutes")
    times_s, sizes_mb = np.array(samples).T
    return times_s, sizes_mb

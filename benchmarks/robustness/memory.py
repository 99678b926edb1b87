"""Memory of `unmask video` over a long video: its peak, and its growth with the frames."""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil

from benchmarks.clips import write_wide_clip
from benchmarks.processes import start_unmask
from benchmarks.tables import Row, publish
from inpaint_model.errors import UserError

_SAMPLE_EVERY_S = 1.0
_SETTLED_SHARE = 0.25  # of the run; the growth is measured after it
_FEWEST_SAMPLES = 8


def run(
    out: Path | None, model: str, engine: str, size: tuple[int, int], minutes: float
) -> list[Row]:
    """Loop the demo's clip to `minutes` of video and sample the command's resident memory.

    Raises:
        UserError: the command fails, or ends too early for enough samples.
    """
    with tempfile.TemporaryDirectory() as scratch:
        clip, target, report = (Path(scratch) / n for n in ("clip.mp4", "out.mp4", "report.json"))
        frames = write_wide_clip(clip, *size, 30, minutes * 60)
        options = ("--report", report, "--model", model, "--engine", engine)
        process = start_unmask("video", clip, target, *options)
        times_s, sizes_mb = _sample_memory(process)
        if process.returncode:
            raise UserError("`unmask video` failed")
        fps = float(json.loads(report.read_text(encoding="utf-8"))["fps"])
    settled = times_s > times_s[-1] * _SETTLED_SHARE
    slope_mb_s = float(np.polyfit(times_s[settled], sizes_mb[settled], 1)[0])
    row: Row = {
        "size": f"{size[0]}x{size[1]}",
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

"""Memory of `unmask video` over a long video: its peak, and how much it grows with the frames."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil

from benchmarks.tables import Row, publish
from benchmarks.wide_clip import write_wide_clip
from inpaint_model.errors import UserError

_EVERY_S = 1.0
_SETTLED_SHARE = 0.25


def run(
    out: Path | None, model: str, engine: str, size: tuple[int, int], minutes: float
) -> list[Row]:
    """Loop the demo's clip to `minutes` of video and watch the command's resident memory."""
    with tempfile.TemporaryDirectory() as scratch:
        clip, target = Path(scratch) / "clip.mp4", Path(scratch) / "out.mp4"
        frames = write_wide_clip(clip, *size, 30, minutes * 60)
        report = Path(scratch) / "report.json"
        command = [sys.executable, "-c", "from realtime.cli.app import main; main()", "video"]
        command += [str(clip), str(target), "--report", str(report)]
        command += ["--model", model, "--engine", engine]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        times, sizes = _watch(process)
        if process.returncode:
            raise UserError("`unmask video` failed")
        fps = float(json.loads(report.read_text(encoding="utf-8"))["fps"])
    settled = times > times[-1] * _SETTLED_SHARE
    slope_mb_s = float(np.polyfit(times[settled], sizes[settled], 1)[0])
    rows: list[Row] = [
        {
            "size": f"{size[0]}x{size[1]}",
            "frames": frames,
            "frames/s": fps,
            "peak MB": float(sizes.max()),
            "slope, MB per 10,000 frames": slope_mb_s / fps * 10_000,
        }
    ]
    publish("memory", rows, out)
    return rows


def _watch(process: subprocess.Popen[bytes]) -> tuple[np.ndarray, np.ndarray]:
    """Note the resident memory until the process ends: seconds, megabytes."""
    watched, began = psutil.Process(process.pid), time.monotonic()
    times, sizes = [], []
    while process.poll() is None:
        try:
            sizes.append(watched.memory_info().rss / 1e6)
            times.append(time.monotonic() - began)
        except psutil.Error:
            break
        time.sleep(_EVERY_S)
    process.wait()
    if len(times) < 8:
        raise UserError("the run was too short to measure its memory; take more --minutes")
    return np.array(times), np.array(sizes)

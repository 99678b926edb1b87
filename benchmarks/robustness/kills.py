"""Kills `unmask video` at random moments with SIGKILL, resumes, and compares what comes out."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from benchmarks.tables import Row, publish
from benchmarks.wide_clip import write_wide_clip
from inpaint_model.errors import UserError


def run(out: Path | None, kills: int, seconds: float, seed: int) -> list[Row]:
    """Kill `kills` runs, each at another moment; a run that ended before its kill counts as such."""
    rng = np.random.default_rng(seed)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        clip = folder / "clip.mp4"
        write_wide_clip(clip, 640, 360, 30, seconds)
        wanted = shown_times(clip)
        whole_s = _finish(clip, folder / "whole.mp4")
        wrong, resumed, late, unequal = 0, 0, 0, 0
        for number in range(kills):
            target = folder / f"{number}.mp4"
            process = _start(clip, target)
            time.sleep(float(rng.uniform(0, whole_s)))
            process.kill()
            process.wait()
            if process.returncode == 0:
                late += 1
            if target.exists() and shown_times(target) != wanted:
                wrong += 1
            _finish(clip, target)
            resumed += target.exists()
            unequal += shown_times(target) != wanted
            left = [path.name for path in folder.glob(f".{target.name}*")]
            if left:
                raise UserError(f"left behind: {', '.join(left)}")
    rows: list[Row] = [
        {
            "kills": kills,
            "of these after the end": late,
            "wrong files under the final name": wrong,
            "completed by --resume": resumed,
            "with other timestamps": unequal,
        }
    ]
    publish("kills", rows, out)
    return rows


def _start(clip: Path, target: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", "from realtime.cli.app import main; main()", "video"]
    command += [str(clip), str(target), "--resume", "--overwrite"]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _finish(clip: Path, target: Path) -> float:
    """Run to the end; return the seconds it took."""
    began = time.monotonic()
    if _start(clip, target).wait():
        raise UserError(f"`unmask video --resume` failed on {target}")
    return time.monotonic() - began


def shown_times(path: Path) -> list[Fraction]:
    """Return when each frame is shown, seconds."""
    with av.open(str(path)) as file:
        stream = file.streams.video[0]
        return sorted(
            packet.pts * packet.time_base
            for packet in file.demux(stream)
            if packet.size and packet.pts is not None
        )

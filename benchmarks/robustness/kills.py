"""Kills `unmask video` at random moments with SIGKILL, resumes it, and compares the results."""

from __future__ import annotations

import tempfile
import time
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from benchmarks.clips import write_wide_clip
from benchmarks.options import Count, Out, Seconds, Seed
from benchmarks.processes import start_unmask
from benchmarks.tables import Row, publish
from inpaint_model.errors import UserError


def run(count: Count = 20, seconds: Seconds = 20.0, seed: Seed = 0, out: Out = None) -> list[Row]:
    """Kill `unmask video` at random moments, then --resume: files and timestamps must come out right."""
    rng = np.random.default_rng(seed)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        clip = folder / "clip.mp4"
        write_wide_clip(clip, 640, 360, 30, seconds)
        expected = frame_times(clip)
        whole_s = _finish(clip, folder / "whole.mp4")
        incomplete, resumed, too_late, unequal = 0, 0, 0, 0
        for number in range(count):
            target = folder / f"{number}.mp4"
            process = start_unmask("video", clip, target, "--resume", "--overwrite")
            time.sleep(float(rng.uniform(0, whole_s)))
            process.kill()
            too_late += process.wait() == 0
            incomplete += target.exists() and frame_times(target) != expected
            _finish(clip, target)
            resumed += target.exists()
            unequal += frame_times(target) != expected
            left = [path.name for path in folder.glob(f".{target.name}*")]
            if left:
                raise UserError(f"left behind: {', '.join(left)}")
    row: Row = {
        "kills": count,
        "of these after the end": too_late,
        "wrong files under the final name": incomplete,
        "completed by --resume": resumed,
        "with other timestamps": unequal,
    }
    return publish("kills", [row], out)


def _finish(clip: Path, target: Path) -> float:
    """Run to the end; return the seconds it took."""
    began = time.monotonic()
    if start_unmask("video", clip, target, "--resume", "--overwrite").wait():
        raise UserError(f"`unmask video --resume` failed on {target}")
    return time.monotonic() - began


def frame_times(path: Path) -> list[Fraction]:
    """Read the presentation time of each frame, seconds, sorted."""
    with av.open(str(path)) as file:
        stream = file.streams.video[0]
        return sorted(
            packet.pts * packet.time_base
            for packet in file.demux(stream)
            if packet.size and packet.pts is not None
        )

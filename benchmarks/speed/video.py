"""Speed and memory of `unmask video` on clips with one rendered masked face, as a user runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.masked_clips import wear_on_clip
from benchmarks.tables import Row, publish
from inpaint_model.errors import UserError
from realtime.demo.clip import DemoClip
from realtime.media.clip import write_clip
from realtime.media.reader import VideoReader
from realtime.synthetic import random_style
from realtime.track.tracker import FaceTracker


def run(clips: list[Path], out: Path | None, model: str, engine: str) -> list[Row]:
    """Render a mask on each clip at 512x512, then time the command and read its peak memory."""
    videos = sorted(p for c in clips for p in (c.glob("*.mp4") if c.is_dir() else [c]))
    if not videos:
        raise UserError("no clips to measure on")
    rows: list[Row] = []
    rng = np.random.default_rng(11)
    with tempfile.TemporaryDirectory() as scratch:
        for video in videos:
            masked = (out or Path(scratch)) / f"masked-{video.stem}.mp4"
            masked.parent.mkdir(parents=True, exist_ok=True)
            frames = wear_on_clip(video, masked, random_style(rng))
            target = masked.with_name(f"unmasked-{video.stem}.mp4")
            if _has_face(masked):
                rows.append(_measure(masked, target, frames, model, engine))
            else:
                print(f"{masked.name}: no face in it; left out")
    publish("video", rows, out)
    return rows


def _has_face(clip: Path) -> bool:
    """Whether a face is found in any frame: `unmask video` refuses clips without one."""
    with FaceTracker(1) as tracker, VideoReader(clip) as file:
        return any(
            track.confirmed
            for frame in file
            for track in tracker(np.ascontiguousarray(frame.image_bgr[:, :, ::-1]))
        )


def run_demo(out: Path | None, model: str, engine: str) -> list[Row]:
    """The same on the demo's clip, which needs no other data."""
    with tempfile.TemporaryDirectory() as scratch:
        masked = Path(scratch) / "masked-demo.mp4"
        clip = DemoClip()
        write_clip(masked, clip.masked_bgr(), clip.path.fps)
        target = masked.with_name("unmasked-demo.mp4")
        rows = [_measure(masked, target, clip.path.frames, model, engine)]
    publish("video-demo", rows, out)
    return rows


def _measure(masked: Path, target: Path, frames: int, model: str, engine: str) -> Row:
    """Run `unmask video` in a process of its own."""
    report = target.with_suffix(".json")
    command = [sys.executable, "-c", "from realtime.cli.app import main; main()", "video"]
    command += [str(masked), str(target), "--overwrite", "--report", str(report)]
    command += ["--model", model, "--engine", engine]
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    if status:
        raise UserError(f"`unmask video` failed on {masked.name}")
    data = json.loads(report.read_text(encoding="utf-8"))
    stages = {name: values["p50_ms"] for name, values in data.get("stages", {}).items()}
    return {
        "clip": masked.stem.removeprefix("masked-"),
        "frames": frames,
        "masked faces": data["masked_faces"],
        "frames/s of the line": data["fps"],
        "frames/s with start-up": frames / seconds,
        "peak MB": usage.ru_maxrss / 1024,
        "stages p50 ms": ", ".join(f"{name} {value:.1f}" for name, value in stages.items()),
    }

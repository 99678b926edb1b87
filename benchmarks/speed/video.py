"""Speed and memory of `unmask video` on clips with one rendered masked face, as a user runs it."""

from __future__ import annotations

import json
import os
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.clips import clips_in, write_demo_clip, write_masked_clip
from benchmarks.options import Clips, Engine, Model, Out
from benchmarks.processes import start_unmask
from benchmarks.tables import Row, publish, stage_times
from inpaint_model.errors import UserError
from realtime.demo.clip import DemoClip
from realtime.detect.face_finder import FaceFinder
from realtime.media.reader import VideoReader
from realtime.synthetic import random_style


def run(clips: Clips, out: Out = None, model: Model = "fast", engine: Engine = "auto") -> list[Row]:
    """Render a mask on each clip at 512x512, then time `unmask video` and read its peak memory."""
    rows: list[Row] = []
    rng = np.random.default_rng(11)
    with tempfile.TemporaryDirectory() as scratch:
        folder = out or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        for video in clips_in(clips):
            masked = folder / f"masked-{video.stem}.mp4"
            frames = write_masked_clip(video, masked, random_style(rng))
            if _has_face(masked):
                rows.append(_measure(masked, frames, model, engine))
            else:
                print(f"{masked.name}: no face in it; left out")
    return publish("video", rows, out)


def run_demo(out: Path | None, model: str, engine: str) -> list[Row]:
    """Measure on the demo's clip, which needs no other data."""
    with tempfile.TemporaryDirectory() as scratch:
        masked = Path(scratch) / "masked-demo.mp4"
        frames = write_demo_clip(masked, DemoClip())
        rows = [_measure(masked, frames, model, engine)]
    return publish("video-demo", rows, out)


def _has_face(clip: Path) -> bool:
    """Whether a face is found in any frame: `unmask video` refuses clips without one."""
    with FaceFinder() as finder, VideoReader(clip) as file:
        return any(face.confirmed for frame in file for face in finder.find_all(frame.image_bgr))


def _measure(masked: Path, frames: int, model: str, engine: str) -> Row:
    name = masked.stem.removeprefix("masked-")
    target = masked.with_name(f"unmasked-{name}.mp4")
    report = target.with_suffix(".json")
    began = time.perf_counter()
    options = ("--overwrite", "--report", report, "--model", model, "--engine", engine)
    process = start_unmask("video", masked, target, *options, show_errors=True)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    if status:
        raise UserError(f"`unmask video` failed on {masked.name}")
    data = json.loads(report.read_text(encoding="utf-8"))
    return {
        "clip": name,
        "frames": frames,
        "masked faces": data["masked_faces"],
        "frames/s of the line": data["fps"],
        "frames/s with start-up": frames / seconds,
        "peak MB": usage.ru_maxrss / 1024,
        "stages p50 ms": stage_times(data.get("stages", {})),
    }

"""Frames a second of `unmask video` from decoding to coding, beside a supervision-style loop."""

from __future__ import annotations

import queue
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.tables import Row, publish
from benchmarks.wide_clip import write_wide_clip
from realtime.report import Report
from realtime.unmasker import Unmasker
from realtime.video import VideoOptions, unmask_video

_PREFETCH = 32


def run(
    out: Path | None, model: str, engine: str, size: tuple[int, int], seconds: float, rounds: int
) -> list[Row]:
    """Measure on one clip, in turns, in one process; the models are open and warm.

    `unmask video` and the loop call the same unmasker: once one that looks at every frame, as `Unmasker()`
    does, and once one that follows faces between looks, as the command's does.
    """
    rows: list[Row] = []
    with (
        tempfile.TemporaryDirectory() as scratch,
        Unmasker(model, engine) as thorough,
        Unmasker(model, engine, thrifty=True) as thrifty,
    ):
        clip = Path(scratch) / "clip.mp4"
        frames = write_wide_clip(clip, *size, 30, seconds)
        callbacks = {"looks at every frame": thorough, "follows faces": thrifty}
        ours, loops = {c: list[float]() for c in callbacks}, {c: list[float]() for c in callbacks}
        reports = dict[str, Report]()
        for _ in range(rounds):
            for name, unmasker in callbacks.items():
                unmasker.reset()
                began = time.perf_counter()
                process_video(clip, Path(scratch) / "loop.mp4", lambda f, u=unmasker: u(f).frame)
                loops[name].append(frames / (time.perf_counter() - began))
                began = time.perf_counter()
                reports[name] = unmask_video(
                    clip, Path(scratch) / "out.mp4", unmasker, VideoOptions(overwrite=True)
                )
                ours[name].append(frames / (time.perf_counter() - began))
        for name, report in reports.items():
            fps, loop_fps = float(np.median(ours[name])), float(np.median(loops[name]))
            stages = ", ".join(f"{k} {v['p50_ms']:.1f}" for k, v in report.stages.items())
            rows.append(
                {
                    "size": f"{size[0]}x{size[1]}",
                    "frames": frames,
                    "masked faces": report.masked_faces,
                    "callback": name,
                    "frames/s": fps,
                    "process_video loop, frames/s": loop_fps,
                    "ratio": fps / loop_fps,
                    "stages p50 ms": stages,
                }
            )
    publish("file-fps", rows, out)
    return rows


def process_video(
    source: Path,
    target: Path,
    callback: Callable[[NDArray[np.uint8]], NDArray[np.uint8]],
) -> None:
    """What supervision's `process_video` does: OpenCV in a reading and a writing thread, two queues."""
    capture = cv2.VideoCapture(str(source))
    size = (
        int(capture.get(cv2.CAP_PROP_FRAME_WIDTH)),
        int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT)),
    )
    fps = int(capture.get(cv2.CAP_PROP_FPS))
    writer = cv2.VideoWriter(str(target), cv2.VideoWriter.fourcc(*"mp4v"), fps, size)
    read: queue.Queue[NDArray[np.uint8] | None] = queue.Queue(_PREFETCH)
    done: queue.Queue[NDArray[np.uint8] | None] = queue.Queue(_PREFETCH)

    def reading() -> None:
        while True:
            found, frame = capture.read()
            if not found:
                read.put(None)
                return
            read.put(frame.astype(np.uint8, copy=False))

    def writing() -> None:
        while (frame := done.get()) is not None:
            writer.write(frame)

    threads = [threading.Thread(target=reading), threading.Thread(target=writing)]
    for thread in threads:
        thread.start()
    while (frame := read.get()) is not None:
        done.put(callback(frame))
    done.put(None)
    for thread in threads:
        thread.join()
    capture.release()
    writer.release()

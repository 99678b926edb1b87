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
from realtime.unmasker import Unmasker
from realtime.video import VideoOptions, unmask_video

_PREFETCH = 32


def run(
    out: Path | None, model: str, engine: str, size: tuple[int, int], seconds: float, rounds: int
) -> list[Row]:
    """Measure on one clip, in turns, in one process; the models are open and warm.

    `unmask video` and the loop call the same unmasker, which follows faces between looks as the command's
    does; the loop is measured with one that looks at every frame too, as `Unmasker()` does.
    """
    rows: list[Row] = []
    with (
        tempfile.TemporaryDirectory() as scratch,
        Unmasker(model, engine, thrifty=True) as unmasker,
        Unmasker(model, engine) as thorough,
    ):
        clip = Path(scratch) / "clip.mp4"
        frames = write_wide_clip(clip, *size, 30, seconds)
        target = Path(scratch) / "out.mp4"
        ours, theirs, thorough_fps = list[float](), list[float](), list[float]()
        faces, stages = 0, dict[str, dict[str, float]]()
        for _ in range(rounds):
            for callee, speeds in ((unmasker, theirs), (thorough, thorough_fps)):
                callee.reset()
                began = time.perf_counter()
                process_video(clip, Path(scratch) / "loop.mp4", lambda f, u=callee: u(f).frame)
                speeds.append(frames / (time.perf_counter() - began))
            began = time.perf_counter()
            report = unmask_video(clip, target, unmasker, VideoOptions(overwrite=True))
            ours.append(frames / (time.perf_counter() - began))
            faces, stages = report.masked_faces, report.stages
        fps, loop_fps = float(np.median(ours)), float(np.median(theirs))
        rows.append(
            {
                "size": f"{size[0]}x{size[1]}",
                "frames": frames,
                "masked faces": faces,
                "frames/s": fps,
                "process_video loop, frames/s": loop_fps,
                "ratio": fps / loop_fps,
                "loop, every frame": float(np.median(thorough_fps)),
                "ratio to that": fps / float(np.median(thorough_fps)),
                "stages p50 ms": ", ".join(f"{k} {v['p50_ms']:.1f}" for k, v in stages.items()),
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

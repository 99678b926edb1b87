"""Frames a second of `unmask video` from decoding to coding, beside a supervision-style loop."""

from __future__ import annotations

import queue
import tempfile
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.tables import Row, publish
from benchmarks.wide_clip import write_wide_clip
from realtime.runtime.report import Report
from realtime.unmasker import Unmasker
from realtime.video.file import VideoOptions, unmask_video

_PREFETCH = 32


def run(
    out: Path | None, model: str, engine: str, size: tuple[int, int], seconds: float, rounds: int
) -> list[Row]:
    """Measure on one clip, in turns, in one process; the models are open and warm.

    `unmask video` and the loops call the same unmasker: once one that looks at every frame, as `Unmasker()`
    does, and once one that follows faces between looks, as the command's does. CPU time is the process's,
    all threads together.
    """
    rows: list[Row] = []
    with (
        tempfile.TemporaryDirectory() as scratch,
        Unmasker(model, engine) as thorough,
        Unmasker(model, engine, thrifty=True) as thrifty,
    ):
        clip, target = Path(scratch) / "clip.mp4", Path(scratch) / "out.mp4"
        frames = write_wide_clip(clip, *size, 30, seconds)
        callbacks = {"looks at every frame": thorough, "follows faces": thrifty}
        for name, unmasker in callbacks.items():
            ours, loop, simple = _Turns(frames), _Turns(frames), _Turns(frames)
            reports: list[Report] = []
            ways = {
                ours: partial(_unmask_video, clip, target, unmasker, reports),
                loop: partial(process_video, clip, target, lambda f, u=unmasker: u(f).frame),
                simple: partial(process_in_turn, clip, target, lambda f, u=unmasker: u(f).frame),
            }
            for _ in range(rounds):
                for turns, way in ways.items():
                    unmasker.reset()
                    turns.take(way)
            stages = ", ".join(f"{k} {v['p50_ms']:.1f}" for k, v in reports[-1].stages.items())
            rows.append(
                {
                    "size": f"{size[0]}x{size[1]}",
                    "frames": frames,
                    "masked faces": reports[-1].masked_faces,
                    "callback": name,
                    "frames/s": ours.fps,
                    "CPU ms a frame": ours.cpu_ms,
                    "process_video, frames/s": loop.fps,
                    "its CPU ms a frame": loop.cpu_ms,
                    "ratio": ours.fps / loop.fps,
                    "in turn, frames/s": simple.fps,
                    "ratio to it": ours.fps / simple.fps,
                    "stages p50 ms": stages,
                }
            )
    publish("file-fps", rows, out)
    return rows


class _Turns:
    """What one way of unmasking a clip took, turn by turn."""

    def __init__(self, frames: int) -> None:
        self._frames = frames
        self._took: list[tuple[float, float]] = []

    def take(self, way: Callable[[], object]) -> None:
        """Take another turn."""
        began, computed = time.perf_counter(), time.process_time()
        way()
        self._took.append((time.perf_counter() - began, time.process_time() - computed))

    @property
    def fps(self) -> float:
        return self._frames / float(np.median([took for took, _ in self._took]))

    @property
    def cpu_ms(self) -> float:
        return float(np.median([computed for _, computed in self._took])) / self._frames * 1e3


def _unmask_video(clip: Path, target: Path, unmasker: Unmasker, reports: list[Report]) -> None:
    reports.append(unmask_video(clip, target, unmasker, VideoOptions(overwrite=True)))


def process_in_turn(
    source: Path,
    target: Path,
    callback: Callable[[NDArray[np.uint8]], NDArray[np.uint8]],
) -> None:
    """Read, call and write frame after frame with OpenCV, as supervision did before it had threads."""
    capture, writer = _open(source, target)
    while True:
        found, frame = capture.read()
        if not found:
            break
        writer.write(callback(frame.astype(np.uint8, copy=False)))
    capture.release()
    writer.release()


def _open(source: Path, target: Path) -> tuple[cv2.VideoCapture, cv2.VideoWriter]:
    capture = cv2.VideoCapture(str(source))
    wide, high = (
        int(capture.get(prop)) for prop in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT)
    )
    fps = int(capture.get(cv2.CAP_PROP_FPS))
    return capture, cv2.VideoWriter(str(target), cv2.VideoWriter.fourcc(*"mp4v"), fps, (wide, high))


def process_video(
    source: Path,
    target: Path,
    callback: Callable[[NDArray[np.uint8]], NDArray[np.uint8]],
) -> None:
    """What supervision's `process_video` does: OpenCV in a reading and a writing thread, two queues."""
    capture, writer = _open(source, target)
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

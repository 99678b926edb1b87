"""Frames a second of `unmask video` from decoding to encoding, beside a supervision-style loop."""

from __future__ import annotations

import queue
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.clips import write_wide_clip
from benchmarks.options import Engine, Model, Out, Rounds, Seconds, Size, parse_size
from benchmarks.speed.turns import Times, time_in_turn
from benchmarks.tables import Row, publish, stage_times
from realtime.runtime.report import Report
from realtime.unmasker import Unmasker
from realtime.video.file import VideoOptions, unmask_video

_PREFETCH = 32  # frames in each of supervision's queues
Frame = NDArray[np.uint8]


def run(
    size: Size = "1280x720",
    seconds: Seconds = 20.0,
    rounds: Rounds = 3,
    out: Out = None,
    model: Model = "fast",
    engine: Engine = "auto",
) -> list[Row]:
    """Time `unmask video` from decoding to encoding, beside a supervision-style loop.

    All run on one clip, in turn, in one process, with a warm unmasker. CPU time is the process's, all
    threads together.
    """
    with tempfile.TemporaryDirectory() as scratch, Unmasker(model, engine) as unmasker:
        clip, target = Path(scratch) / "clip.mp4", Path(scratch) / "out.mp4"
        frames = write_wide_clip(clip, *parse_size(size), 30, seconds)
        times, report = _time(clip, target, unmasker, rounds)
    fps = {way: frames / np.median(taken.wall_s) for way, taken in times.items()}
    cpu_ms = {way: 1e3 * np.median(taken.cpu_s) / frames for way, taken in times.items()}
    rows: list[Row] = [
        {
            "size": size,
            "frames": frames,
            "masked faces": report.masked_faces,
            "frames/s": float(fps["unmask"]),
            "CPU ms a frame": float(cpu_ms["unmask"]),
            "process_video, frames/s": float(fps["threads"]),
            "its CPU ms a frame": float(cpu_ms["threads"]),
            "ratio": float(fps["unmask"] / fps["threads"]),
            "in turn, frames/s": float(fps["in turn"]),
            "ratio to it": float(fps["unmask"] / fps["in turn"]),
            "stages p50 ms": stage_times(report.stages),
        }
    ]
    return publish("file-fps", rows, out)


def _time(
    clip: Path, target: Path, unmasker: Unmasker, rounds: int
) -> tuple[dict[str, Times], Report]:
    """Time the three ways; return the last report of `unmask video` too."""
    reports: list[Report] = []

    def unmask() -> None:
        unmasker.reset()
        reports.append(unmask_video(clip, target, unmasker, VideoOptions(overwrite=True)))

    def with_opencv(process: Callable[..., None]) -> Callable[[], None]:
        def way() -> None:
            unmasker.reset()
            process(clip, target, lambda frame: unmasker(frame).frame)

        return way

    ways = {
        "unmask": unmask,
        "threads": with_opencv(process_video),
        "in turn": with_opencv(process_in_turn),
    }
    return time_in_turn(ways, rounds), reports[-1]


def process_in_turn(source: Path, target: Path, callback: Callable[[Frame], Frame]) -> None:
    """Read, call and write frame after frame with OpenCV, as supervision did before it had threads."""
    with _opened(source, target) as (frames, writer):
        for frame in frames:
            writer.write(callback(frame))


def process_video(source: Path, target: Path, callback: Callable[[Frame], Frame]) -> None:
    """Do what supervision's `process_video` does: OpenCV in a reading and a writing thread, two queues."""
    decoded: queue.Queue[Frame | None] = queue.Queue(_PREFETCH)
    processed: queue.Queue[Frame | None] = queue.Queue(_PREFETCH)
    with _opened(source, target) as (frames, writer):

        def read() -> None:
            for frame in frames:
                decoded.put(frame)
            decoded.put(None)

        def write() -> None:
            while (frame := processed.get()) is not None:
                writer.write(frame)

        threads = [threading.Thread(target=read), threading.Thread(target=write)]
        for thread in threads:
            thread.start()
        while (frame := decoded.get()) is not None:
            processed.put(callback(frame))
        processed.put(None)
        for thread in threads:
            thread.join()


@contextmanager
def _opened(source: Path, target: Path) -> Iterator[tuple[Iterator[Frame], cv2.VideoWriter]]:
    """Open OpenCV's reader, as an iterator of frames, and its writer; both are released at the end."""
    capture = cv2.VideoCapture(str(source))
    width, height, fps = (
        int(capture.get(one))
        for one in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT, cv2.CAP_PROP_FPS)
    )
    writer = cv2.VideoWriter(str(target), cv2.VideoWriter.fourcc(*"mp4v"), fps, (width, height))

    def frames() -> Iterator[Frame]:
        while (found := capture.read())[0]:
            yield found[1].astype(np.uint8, copy=False)

    try:
        yield frames(), writer
    finally:
        capture.release()
        writer.release()

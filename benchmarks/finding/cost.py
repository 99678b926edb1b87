"""What finding costs: time and CPU a frame by camera and faces, and how soon a new face is found."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from itertools import product

import numpy as np
from rich.progress import track

from benchmarks.finding.crops import CropRecorder
from benchmarks.finding.matching import faces_of
from benchmarks.finding.options import FindOptions
from benchmarks.live.camera_clip import Frame, looped_frames, tiled
from benchmarks.tables import Row, publish
from realtime import UnmaskResult
from realtime.unmasker import Mode

_SIZES = ((640, 480), (1280, 720))  # of the camera, pixels
_FACES = (1, 2, 4)
_FPS = 30
_FRAMES, _WARM_UP = 150, 30  # measured, and before
_TRIALS = 5  # of a new face, each later by a frame than the one before
_SETTLED = 20  # frames before the new face appears
_MOST_FRAMES = 60  # it may take so many to be found
_MODES: tuple[Mode, ...] = ("video", "live")


def run(options: FindOptions) -> list[Row]:
    """Measure time and CPU a frame; then the time until a second face is found.

    In mode "live" frames come at 30 frames/s, as from a camera: faces are detected beside them.
    """
    loop = looped_frames(None)
    cases = list(product(_MODES, _SIZES, _FACES))
    rows = [frame_cost(options, loop, *case) for case in track(cases, "cost")]
    publish("find-cost", rows, options.out)
    new = list(product(_MODES, _SIZES))
    trials = min(options.count or _TRIALS, _TRIALS)
    found = [new_face(options, loop, *case, trials) for case in track(new, "new faces")]
    return rows + publish("find-new-face", found, options.out)


def frame_cost(
    options: FindOptions, loop: Sequence[Frame], mode: Mode, size: tuple[int, int], faces: int
) -> Row:
    """Measure one camera; `CPU a frame` is of the whole process, the unmasker's threads included."""
    count = options.count or _FRAMES
    warm_up = min(_WARM_UP, count)
    frames = [tiled(loop, number, faces, size) for number in range(count + warm_up)]
    times_ms, filled, cpu_s = [], 0, 0.0
    with options.unmasker(mode) as unmasker:
        for number, result in enumerate(_shown(unmasker, frames, paced=mode == "live")):
            if number == warm_up - 1:
                cpu_s = -time.process_time()
            if number >= warm_up:
                times_ms.append(result.latency_ms["detect_and_track"])
                filled += sum(face.filled for face in faces_of(result))
        cpu_s += time.process_time()
    return {
        "mode": mode,
        "frame": f"{size[0]}x{size[1]}",
        "faces": faces,
        "filled": filled / (count * faces),
        "detect_and_track p50, ms": float(np.median(times_ms)),
        "p95, ms": float(np.percentile(times_ms, 95)),
        "CPU a frame, ms": cpu_s * 1e3 / count,
    }


def _shown(
    unmasker: CropRecorder, frames: Sequence[Frame], *, paced: bool
) -> Iterator[UnmaskResult]:
    """Unmask frames one after another, or not before their time at `_FPS` has come."""
    began = time.perf_counter()
    for number, frame in enumerate(frames):
        wait_s = began + number / _FPS - time.perf_counter()
        if paced and wait_s > 0:
            time.sleep(wait_s)
        yield unmasker(frame, number / _FPS)


def new_face(
    options: FindOptions, loop: Sequence[Frame], mode: Mode, size: tuple[int, int], trials: int
) -> Row:
    """Let a second face appear at the right, and count the frames until it is found there."""
    delays_ms = []
    with options.unmasker(mode) as unmasker:
        for trial in range(trials):
            appears = _SETTLED + trial
            frames = [tiled(loop, number, 2, size) for number in range(appears + _MOST_FRAMES)]
            for frame in frames[:appears]:
                frame[:, size[0] // 2 :] = frame[0, 0]
            unmasker.reset()
            delay = float("inf")
            for number, result in enumerate(_shown(unmasker, frames, paced=mode == "live")):
                right = [face for face in faces_of(result) if face.middle[0] > size[0] / 2]
                if number >= appears and right:
                    delay = (number - appears) / _FPS * 1e3
                    break
            delays_ms.append(delay)
    return {
        "mode": mode,
        "frame": f"{size[0]}x{size[1]}",
        "trials": trials,
        "found": sum(delay < float("inf") for delay in delays_ms),
        "found after, median ms": float(np.median(delays_ms)),
        "longest, ms": max(delays_ms),
    }

"""Measures the CPU time of a frame by part, with all stages in one thread: networks apart from the rest."""

from __future__ import annotations

import cProfile
import pstats
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any
from unittest.mock import patch

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from inpaint_model.engines.image_network import ImageNetwork
from inpaint_model.inpainter import Inpainter
from inpaint_model.model_files import Artefact
from realtime.frames import UnmaskResult
from realtime.media.frames import Frame
from realtime.media.native_planes import NativePlanes
from realtime.media.reader import VideoReader
from realtime.runtime.threads import opencv_in_one_thread
from realtime.unmasker import Unmasker

STAGES = ("detect_and_track", "segment", "inpaint", "composite")
_GENERATOR = "generator"
_WARM_UP = 20  # frames that come first and do not count
# Modules of the functions that let other Python threads run; OpenCV's have no module of their own.
_WITHOUT_GIL = ("openvino", "onnxruntime", "av")


@dataclass
class PartTimes:
    """CPU time by part, all threads together, milliseconds a frame.

    Attributes:
        conversions: "to BGR" and "back to planes".
        networks: by name.
        glue: of each stage, without its networks.
        network_calls: by name, a frame.
        calls: calls of functions that the profiler sees, a frame.
        held: share of the stages' time in which Python's global lock is held, 0..1.
    """

    conversions: dict[str, float] = field(default_factory=dict)
    networks: dict[str, float] = field(default_factory=dict)
    glue: dict[str, float] = field(default_factory=dict)
    network_calls: dict[str, float] = field(default_factory=dict)
    calls: float = 0.0
    held: float = 0.0

    @property
    def stages_ms(self) -> float:
        """Networks and glue."""
        return sum(self.networks.values()) + sum(self.glue.values())

    @property
    def conversions_ms(self) -> float:
        """Both conversions."""
        return sum(self.conversions.values())


class _Clock:
    """Sums the process's CPU time by name, and counts the calls."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self.calls: Counter[str] = Counter()

    def timed(self, name: str, call: Callable[..., Any], *args: object) -> Any:
        """Make a call, and add its time."""
        began = time.process_time()
        result = call(*args)
        self.seconds[name] += time.process_time() - began
        self.calls[name] += 1
        return result


def measure_parts(clip: Path, model: str, engine: str, most_frames: int) -> PartTimes:
    """Run the stages on the first frames of a clip, in one thread, and time every part.

    Args:
        clip: a video of masked faces.
        model, engine: as `Unmasker` takes them.
        most_frames: so many frames are timed at most; as many are profiled again.
    """
    clock = _Clock()
    with ExitStack() as stack:
        stack.enter_context(opencv_in_one_thread())
        stack.enter_context(_timed_networks(clock))
        unmasker = stack.enter_context(Unmasker(model, engine, threads=1))
        with VideoReader(clip) as file:
            frames = list(islice(file, _WARM_UP + most_frames))
        for frame in frames[:_WARM_UP]:
            unmasker(frame.image_bgr, frame.time_s)
        clock.seconds.clear()
        clock.calls.clear()
        timed = frames[_WARM_UP:] or frames
        results = [_stages(unmasker, frame, clock) for frame in timed]
        _conversions([frame.native for frame in timed], results, clock)
        per_frame = 1e3 / len(timed)
        ms = {name: seconds * per_frame for name, seconds in clock.seconds.items()}
        calls = {name: count / len(timed) for name, count in clock.calls.items()}
        parts = _by_part(ms, calls)
        parts.calls, parts.held = _profile(unmasker, timed)
    return parts


@contextmanager
def _timed_networks(clock: _Clock) -> Iterator[None]:
    """Time every call of a network that is opened meanwhile."""
    names: dict[int, str] = {}
    init, run, fill = ImageNetwork.__init__, ImageNetwork.__call__, Inpainter.__call__

    def opened(
        self: ImageNetwork, file: Artefact, side_px: int, name: str | None = None, channels: int = 3
    ) -> None:
        names[id(self)] = name or file.path.stem
        init(self, file, side_px, name, channels)

    def image_network(self: ImageNetwork, image: NDArray[np.floating]) -> object:
        return clock.timed(names[id(self)], run, self, image)

    def generator(self: Inpainter, *arrays: object) -> object:
        return clock.timed(_GENERATOR, fill, self, *arrays)

    with (
        patch.object(ImageNetwork, "__init__", opened),
        patch.object(ImageNetwork, "__call__", image_network),
        patch.object(Inpainter, "__call__", generator),
    ):
        yield


def _stages(unmasker: Unmasker, frame: Frame, clock: _Clock) -> UnmaskResult:
    """Run the stages on a frame; each stage's time has the "stage" before its name."""
    first, *others = STAGES
    image = frame.image_bgr
    value = clock.timed(f"stage {first}", getattr(unmasker, first), image, frame.time_s)
    for name in others:
        value = clock.timed(f"stage {name}", getattr(unmasker, name), value)
    return value


def _conversions(
    natives: Sequence[av.VideoFrame], results: Sequence[UnmaskResult], clock: _Clock
) -> None:
    """Convert each frame to BGR, and write its result back into its planes."""
    planes = NativePlanes(natives[0])
    for native, result in zip(natives, results, strict=True):
        before = clock.timed("to BGR", planes.to_bgr, native)
        clock.timed("back to planes", planes.write, native, before, result.frame, result.replaced)


def _by_part(ms: dict[str, float], calls: dict[str, float]) -> PartTimes:
    """Part the stages' times into networks and glue: which stage runs which network is known."""
    conversions = {name: ms.pop(name) for name in ("to BGR", "back to planes")}
    stages = {name: ms.pop(f"stage {name}") for name in STAGES}
    glue = dict(stages)
    for network, taken in ms.items():
        glue[_stage_of(network)] -= taken
    networks = dict(sorted(ms.items(), key=lambda one: -one[1]))
    return PartTimes(conversions, networks, glue, {name: calls[name] for name in networks})


def _stage_of(network: str) -> str:
    stages = {_GENERATOR: "inpaint", "segmenter": "segment", "refiner": "composite"}
    return stages.get(network, "detect_and_track")


def _profile(unmasker: Unmasker, frames: Sequence[Frame]) -> tuple[float, float]:
    """Profile the stages; return the calls a frame, and the share of time under the global lock."""
    profile = cProfile.Profile(time.process_time)
    profile.enable()
    for frame in frames:
        unmasker(frame.image_bgr, frame.time_s)
    profile.disable()
    stats: dict[tuple[str, int, str], tuple[int, int, float, float, object]]
    stats = vars(pstats.Stats(profile))["stats"]
    calls = sum(row[1] for row in stats.values())
    total = sum(row[2] for row in stats.values())
    free = sum(row[2] for (_, _, name), row in stats.items() if _runs_without_lock(name))
    return calls / len(frames), 1 - free / max(total, 1e-9)


def _runs_without_lock(name: str) -> bool:
    """Whether a profiled function is OpenCV's or a network's, which let other Python threads run."""
    bare = name.strip("<>{}")
    return hasattr(cv2, bare) or any(module in bare for module in _WITHOUT_GIL)

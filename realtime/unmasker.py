"""The public class: builds the stages and runs them in order, in the caller's thread."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Literal, Self, TypeVar, get_args

import numpy as np
from numpy.typing import NDArray

from inpaint_model import open_inpainter
from inpaint_model.artefacts import ArtefactHashes, find_face_aligner, find_refiner
from inpaint_model.errors import ClosedError, UserError
from inpaint_model.third_party import find_face_landmarker
from realtime.appearance import COMPOSITE_STEPS, FRAME_STEPS, INPAINT_STEPS, make_steps
from realtime.composite.stage import CompositeStage
from realtime.detect.face_finder import FaceFinder
from realtime.frames import (
    NOMINAL_INTERVAL_S,
    FaceResult,
    InpaintedFrame,
    SegmentedFrame,
    TrackedFrame,
    UnmaskResult,
)
from realtime.imaging.frame_check import check_frame
from realtime.inpaint.layered_fill import PICTURE_PASSES, STREAM_PASSES
from realtime.inpaint.stage import InpaintStage
from realtime.inpaint.temporal_blend import TemporalBlend
from realtime.runtime.threads import half_the_cores
from realtime.segment.stage import SegmentStage
from realtime.track.one_euro import TransformSmoothing
from realtime.track.tracker import FaceTracker

Mode = Literal["image", "video", "live"]
"""What the frames are.

image: unrelated pictures. There is no tracking and no smoothing, and each crop is filled in four passes
instead of two.
video: successive frames of a recording. Known faces are looked at, segmented and filled about every 100 ms
while they look the same, and followed by optical flow in between.
live: successive frames of a camera, treated as those of a recording.
"""

_LONGEST_INTERVAL_S, _SHORTEST_INTERVAL_S = (
    1.0,
    1e-3,
)  # seconds between frames that smoothing can use
V = TypeVar("V", TrackedFrame, SegmentedFrame, InpaintedFrame, UnmaskResult)


class Unmasker:
    """Shows faces without their masks. Called on successive frames it tracks.

    Args:
        model: generator: "fast", "paper", or the path of an ONNX file of the same interface.
        engine: "auto", "openvino", "onnxruntime", "tensorrt" or "torch".
        max_faces: at most this many faces a frame, the largest first.
        mode: what the frames are.
        models_dir: folder searched first for MediaPipe's models.
        threads: CPU threads of the generator. Where not given, the engine decides for pictures, and
            streams, whose stages have threads of their own, take half of the cores.
        smoothing: smooth transforms, masks and fills over time; False is for benchmarks.
        without_steps: names of appearance steps to leave out (`realtime.appearance`), for benchmarks.

    Attributes:
        inpainter: the generator that runs.
        artefacts: the SHA-256 of every network that runs.

    Raises:
        UserError: a model or engine cannot be had, or an argument is none of these.
    """

    def __init__(
        self,
        model: str = "fast",
        engine: str = "auto",
        max_faces: int = 4,
        *,
        mode: Mode = "video",
        models_dir: Path | None = None,
        threads: int | None = None,
        smoothing: bool = True,
        without_steps: Collection[str] = (),
    ) -> None:
        if not isinstance(max_faces, int | np.integer) or max_faces < 1:
            raise UserError(f"max_faces must be a whole number of at least 1, not {max_faces!r}")
        if mode not in get_args(Mode):
            raise UserError(f"mode must be one of {', '.join(get_args(Mode))}, not {mode}")
        unrelated = mode == "image"
        smooth = smoothing and not unrelated
        left_out = without_steps if smooth else {*without_steps, TemporalBlend.name}
        fill_steps = make_steps(INPAINT_STEPS, left_out)
        last_steps = make_steps(COMPOSITE_STEPS, left_out)
        frame_steps = make_steps(FRAME_STEPS, left_out)
        if threads is None and not unrelated:
            threads = half_the_cores()
        landmarker = find_face_landmarker(models_dir)
        self.inpainter = open_inpainter(model, engine, threads=threads)
        self._last_s: float | None = None
        self._is_closed = False
        finder = FaceFinder(models_dir)
        self._tracker = FaceTracker(finder, max_faces, unrelated=unrelated)
        self._smoothing = TransformSmoothing() if smooth else None
        self._segment = SegmentStage(unrelated=unrelated, smoothing=smooth)
        self.artefacts = ArtefactHashes(
            self.inpainter.model_sha256,
            self._segment.artefact.sha256,
            landmarker.sha256,
            find_face_aligner().sha256,
            find_refiner().sha256,
        )
        passes = PICTURE_PASSES if unrelated else STREAM_PASSES
        self._inpaint = InpaintStage(self.inpainter, passes, fill_steps)
        self._composite = CompositeStage(last_steps, frame_steps, take_turns=not unrelated)

    def __call__(self, frame_bgr: NDArray[np.uint8], time_s: float | None = None) -> UnmaskResult:
        """Unmask one frame.

        Args:
            frame_bgr: uint8 [H, W, 3], BGR; not changed.
            time_s: when it was taken, seconds of any clock; without it frames are 1/30 s apart.

        Returns:
            The frame with every masked face filled; faces without a mask, and all pixels outside the
            replaced region, are bit for bit as given.

        Raises:
            InputError: the frame has another type or shape, or no pixels; it is a `UserError` and a
                `ValueError`.
            ClosedError: the unmasker is closed; it is a `UserError` and a `RuntimeError`.
        """
        tracked = self.detect_and_track(frame_bgr, time_s)
        return self.composite(self.inpaint(self.segment(tracked)))

    def detect_and_track(
        self, frame_bgr: NDArray[np.uint8], time_s: float | None = None, *, smooth: bool = True
    ) -> TrackedFrame:
        """Detect and track the faces: the first of four steps, which `__call__` takes one after another.

        Frames must come in order to each step; each may run in a thread of its own.

        Args:
            frame_bgr: uint8 [H, W, 3], BGR; not changed.
            time_s: when it was taken, seconds of any clock; without it frames are 1/30 s apart.
            smooth: smooth the transforms as frames come; False where a later step smooths them with frames
                from both sides.

        Raises:
            InputError, ClosedError: as `__call__`.
        """
        self._check_open()
        check_frame(frame_bgr)
        began = time.perf_counter()
        interval_s = self._interval_s(time_s)
        faces = self._tracker(np.ascontiguousarray(frame_bgr), interval_s)
        known = self._tracker.known_tracks
        if self._smoothing is not None and smooth:
            self._smoothing.keep_only(known)
            faces = [self._smoothing(face, interval_s) for face in faces]
        tracked = TrackedFrame(frame_bgr, tuple(faces), known, interval_s, self._tracker.left_out)
        return _timed(tracked, {}, "detect_and_track", began)

    def _interval_s(self, time_s: float | None) -> float:
        """Seconds since the last frame."""
        last_s, self._last_s = self._last_s, time_s
        if time_s is None or last_s is None:
            return NOMINAL_INTERVAL_S
        return min(max(time_s - last_s, _SHORTEST_INTERVAL_S), _LONGEST_INTERVAL_S)

    def segment(self, tracked: TrackedFrame) -> SegmentedFrame:
        """Find the masks of the tracked faces: the second step."""
        self._check_open()
        return _timed_call(self._segment, tracked, "segment")

    def inpaint(self, segmented: SegmentedFrame) -> InpaintedFrame:
        """Fill the masks: the third step."""
        self._check_open()
        return _timed_call(self._inpaint, segmented, "inpaint")

    def composite(self, inpainted: InpaintedFrame) -> UnmaskResult:
        """Put the fills into the frame: the last step."""
        self._check_open()
        return _timed_call(self._composite, inpainted, "composite")

    def reset(self) -> None:
        """Forget all faces: the next frame is unrelated to the last one."""
        for stage in (self._tracker, self._segment, self._inpaint, self._composite):
            stage.reset()
        if self._smoothing is not None:
            self._smoothing.reset()
        self._last_s = None

    def _check_open(self) -> None:
        if self._is_closed:
            raise ClosedError("the unmasker is closed; make another one")

    def close(self) -> None:
        """Free the models. Closing twice is harmless."""
        self._is_closed = True
        for stage in (self._tracker, self._segment, self._inpaint, self._composite):
            stage.close()
        self.inpainter.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


A = TypeVar("A", TrackedFrame, SegmentedFrame, InpaintedFrame)


def _timed_call(stage: Callable[[A], V], value: A, name: str) -> V:
    began = time.perf_counter()
    return _timed(stage(value), value.latency_ms, name, began)


def _timed(value: V, before_ms: Mapping[str, float], stage: str, began_s: float) -> V:
    """Add the time that a stage took to the times of the stages before."""
    took_ms = (time.perf_counter() - began_s) * 1e3
    return replace(value, latency_ms={**before_ms, stage: took_ms})


__all__ = ["FaceResult", "Mode", "UnmaskResult", "Unmasker"]

"""One frame's way: faces, canonical crop, mask, fill, blend. Single-threaded, no input or output."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from inpaint_model import open_inpainter
from inpaint_model.errors import UserError
from realtime.alignment import warp_crop
from realtime.blending import feather, match_colour, paste
from realtime.faces import Face
from realtime.segmentation import MaskSegmenter, hole_of, is_worn, mask_pixels
from realtime.tracking import NOMINAL_INTERVAL_S, FaceTracker, Track

_BEHIND_SHARE = 0.7  # a face smaller than this share of the largest one is in the background


@dataclass(frozen=True)
class FaceResult:
    """What was done with one face.

    Attributes:
        track_id: the face's number, the same from frame to frame.
        box: x0, y0, x1, y1 in pixels.
        keypoints: float64 [5, 2], pixels: eyes, nose, mouth corners.
        mask_coverage: share of the canonical crop that is mask, 0..1.
        inpainted: whether the frame was changed here. The lower face shown is then invented.
        crop_before: uint8 [128, 128, 3], RGB, the canonical crop of the frame.
        crop_after: the same with the mask filled; equal to `crop_before` where not inpainted.
    """

    track_id: int
    box: tuple[float, float, float, float]
    keypoints: NDArray[np.float64]
    mask_coverage: float
    inpainted: bool
    crop_before: NDArray[np.uint8]
    crop_after: NDArray[np.uint8]


@dataclass(frozen=True)
class UnmaskResult:
    """One frame's result.

    Attributes:
        frame: uint8 [H, W, 3], BGR; the given frame itself where nothing was replaced.
        replaced: uint8 [H, W], 255 where pixels were replaced.
        faces: every face found.
        latency_ms: time of each stage: faces, crop, segment, inpaint, blend.
    """

    frame: NDArray[np.uint8]
    replaced: NDArray[np.uint8]
    faces: list[FaceResult]
    latency_ms: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Sight:
    """A track as it stood in one frame; the track itself moves on with the next.

    Attributes:
        track: the followed face.
        face: where it was found.
        matrix: float64 [2, 3], frame pixels to crop pixels.
        fresh: the face has just appeared or come back.
    """

    track: Track
    face: Face
    matrix: NDArray[np.float64]
    fresh: bool


@dataclass(frozen=True)
class Seen:
    """What `Unmasker.look` found in a frame, for `Unmasker.finish`."""

    frame_bgr: NDArray[np.uint8]
    frame_rgb: NDArray[np.uint8]
    sights: list[Sight]
    latency_ms: dict[str, float]
    interval_s: float = NOMINAL_INTERVAL_S


@dataclass
class _Work:
    """A face on its way through the line."""

    sight: Sight
    crop: NDArray[np.uint8]
    valid: NDArray[np.bool_]
    mask: NDArray[np.bool_]
    hole: NDArray[np.bool_]
    masked: bool
    filled: NDArray[np.uint8]
    done: bool = False


class Unmasker:
    """Shows faces without their masks. Called on successive frames it tracks.

    Args:
        model: generator: "fast", "paper", or the path of an ONNX file of the same interface.
        engine: "auto", "openvino", "onnxruntime", "tensorrt" or "torch".
        max_faces: at most this many faces a frame, the largest first.
        still: the pictures are unrelated: no tracking and no smoothing, a more thorough search.
        smoothing: keep outlines and textures calm from frame to frame.
        thrifty: search, segment and fill a face in every other frame alone while it looks the same, and
            follow it in between; for frames that come fast.
        models_dir: folder searched first for MediaPipe's models.
        threads: CPU threads of the generator; the engine decides where not given.

    Raises:
        UserError: a model or engine cannot be had.
    """

    def __init__(
        self,
        model: str = "fast",
        engine: str = "auto",
        max_faces: int = 4,
        *,
        still: bool = False,
        smoothing: bool = True,
        thrifty: bool = False,
        models_dir: Path | None = None,
        threads: int | None = None,
    ) -> None:
        if max_faces < 1:
            raise UserError("max_faces must be at least 1")
        self._thrifty = thrifty and smoothing and not still
        self._last_s: float | None = None
        self._finished = 0
        self.inpainter = open_inpainter(model, engine, threads=threads)
        self._segmenter = MaskSegmenter()
        self._tracker = FaceTracker(
            max_faces,
            still=still,
            smoothing=smoothing,
            thrifty=thrifty,
            models_dir=models_dir,
        )

    def __call__(self, frame_bgr: NDArray[np.uint8]) -> UnmaskResult:
        """Unmask one frame.

        Args:
            frame_bgr: uint8 [H, W, 3], BGR; not changed.

        Returns:
            The frame with every masked face filled; a face without a mask, and all that lies outside
            the replaced region, is bit for bit as given.

        Raises:
            ValueError: the frame has another shape or type.
        """
        return self.finish(self.look(frame_bgr))

    def look(self, frame_bgr: NDArray[np.uint8], time_s: float | None = None) -> Seen:
        """Find and follow the faces: the first of two steps, which may run a frame ahead of `finish`.

        Frames must come in order to each step; one thread may look while another finishes.

        Args:
            frame_bgr: uint8 [H, W, 3], BGR; not changed.
            time_s: when it was taken, seconds of any clock; without it frames are 1/30 s apart.
        """
        if frame_bgr.dtype != np.uint8 or frame_bgr.ndim != 3 or frame_bgr.shape[2] != 3:
            raise ValueError(f"a frame is uint8 [H, W, 3], not {frame_bgr.dtype} {frame_bgr.shape}")
        latency_ms: dict[str, float] = {}
        with _timed(latency_ms, "faces"):
            frame_rgb = np.asarray(cv2.cvtColor(frame_bgr, cv2.COLOR_BGR2RGB), dtype=np.uint8)
            interval_s = self._interval_s(time_s)
            tracks = self._tracker(frame_rgb, interval_s)
            sights = [Sight(t, t.face, t.matrix, t.fresh) for t in tracks]
        return Seen(frame_bgr, frame_rgb, sights, latency_ms, interval_s)

    def _interval_s(self, time_s: float | None) -> float:
        """Seconds since the last frame."""
        last_s, self._last_s = self._last_s, time_s
        if time_s is None or last_s is None:
            return NOMINAL_INTERVAL_S
        return min(max(time_s - last_s, 1e-3), 1.0)

    def finish(self, seen: Seen) -> UnmaskResult:
        """Segment, fill and blend what was found: the second step."""
        latency_ms = dict(seen.latency_ms)
        self._finished += 1
        with _timed(latency_ms, "segment"):
            largest = max((sight.face.size for sight in seen.sights), default=0.0)
            work = [
                self._segment(seen, sight, behind=sight.face.size < _BEHIND_SHARE * largest)
                for sight in seen.sights
            ]
        masked = [item for item in work if item.masked]
        with _timed(latency_ms, "inpaint"):
            self._fill(masked)
        with _timed(latency_ms, "blend"):
            frame, replaced = _blend(seen.frame_bgr, masked)
        return UnmaskResult(frame, replaced, [_result(item) for item in work], latency_ms)

    def _segment(self, seen: Seen, sight: Sight, *, behind: bool) -> _Work:
        crop, valid = warp_crop(seen.frame_rgb, sight.matrix)
        memory = sight.track.memory
        if sight.fresh:
            memory.forget()
        memory.see(crop, seen.interval_s)
        if self._thrifty and (self._finished + sight.track.track_id) % 2 and memory.is_same():
            mask, hole, filled = memory.kept()
            hole = hole_of(mask) if hole is None else hole
            filled = crop if filled is None else filled
            return _Work(sight, crop, valid, mask, hole, memory.worn, filled, done=True)
        probability = memory.outline(self._segmenter(crop))
        mask = mask_pixels(probability)
        worn_now = is_worn(mask, probability, valid, before=memory.worn, behind=behind)
        masked, outline = memory.decide(worn_now, probability)
        if outline is not probability:
            mask = mask_pixels(outline)
        memory.keep(mask)
        return _Work(sight, crop, valid, mask, hole_of(mask), masked, crop)

    def _fill(self, masked: list[_Work]) -> None:
        """Fill all faces of the frame in one batch; what lies outside the picture counts as hole."""
        masked = [item for item in masked if not item.done]
        if not masked:
            return
        crops = np.stack([item.crop for item in masked])
        holes = np.stack([item.hole | ~item.valid for item in masked])
        for item, filled in zip(masked, self.inpainter(crops, holes), strict=True):
            matched = match_colour(filled, item.hole, item.valid & ~item.hole)
            item.filled = item.sight.track.memory.texture(matched, item.hole)

    def reset(self) -> None:
        """Forget all faces: the next frame is unrelated to the last."""
        self._tracker.reset()
        self._last_s = None

    def close(self) -> None:
        """Free the models."""
        self._tracker.close()
        self._segmenter.close()
        self.inpainter.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@contextmanager
def _timed(latency_ms: dict[str, float], stage: str) -> Iterator[None]:
    began = time.perf_counter()
    yield
    latency_ms[stage] = (time.perf_counter() - began) * 1e3


def _blend(
    frame_bgr: NDArray[np.uint8], masked: list[_Work]
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Paste every filled crop into a copy of the frame; the given frame where there is none."""
    replaced = np.zeros(frame_bgr.shape[:2], dtype=np.uint8)
    frame = frame_bgr
    for item in masked:
        patch = paste(frame, item.filled, feather(item.mask, item.hole), item.sight.matrix)
        if patch is None:
            continue
        if frame is frame_bgr:
            frame = frame_bgr.copy()
        height, width = patch.replaced.shape
        rows, columns = slice(patch.y, patch.y + height), slice(patch.x, patch.x + width)
        frame[rows, columns] = patch.image
        replaced[rows, columns][patch.replaced] = 255
    return frame, replaced


def _result(item: _Work) -> FaceResult:
    after = item.crop
    if item.masked:
        after = np.where(item.hole[..., None], item.filled, item.crop)
    return FaceResult(
        item.sight.track.track_id,
        item.sight.face.box,
        item.sight.face.keypoints,
        float(item.mask.mean()),
        item.masked,
        item.crop,
        after,
    )


__all__ = ["FaceResult", "UnmaskResult", "Unmasker"]

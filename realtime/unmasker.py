"""One frame's way: faces, canonical crop, mask, fill, blend. Single-threaded, no input or output."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from inpaint_model import open_inpainter
from inpaint_model.errors import UserError
from realtime.align.crop_window import CANONICAL, to_canonical
from realtime.align.warp_crop import warp_crop_rgb
from realtime.composite.stage import Overlay
from realtime.frames import (
    NOMINAL_INTERVAL_S,
    FaceResult,
    Filled,
    Marked,
    Seen,
    Sight,
    UnmaskResult,
    Work,
)
from realtime.inpaint.colour_matching import match_colour
from realtime.inpaint.contour_sharpening import sharpen_contour
from realtime.inpaint.self_ensemble import MIRRORED, THOROUGH, self_ensemble
from realtime.inpaint.skin_tone_correction import correct_skin_tone
from realtime.runtime.threads import half_the_cores
from realtime.segment.stage import MaskFinder
from realtime.track.tracker import FaceTracker


class Unmasker:
    """Shows faces without their masks. Called on successive frames it tracks.

    Args:
        model: generator: "fast", "paper", or the path of an ONNX file of the same interface.
        engine: "auto", "openvino", "onnxruntime", "tensorrt" or "torch".
        max_faces: at most this many faces a frame, the largest first.
        still: the pictures are unrelated: no tracking and no smoothing, a more thorough search, and each
            fill the mean of four poses instead of two (`realtime.inpaint.self_ensemble`).
        smoothing: keep outlines and textures calm from frame to frame.
        thrifty: search, segment and fill a face about every 70 ms alone while it looks the same, and
            follow it in between; for frames that come fast.
        live: with `thrifty`, look for faces in a thread beside, so that no frame waits for it; what is
            found counts a frame or two later, and two runs differ a little.
        models_dir: folder searched first for MediaPipe's models.
        threads: CPU threads of the generator. The engine decides where not given; a thrifty run, whose
            steps have threads of their own, takes half of the cores.

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
        live: bool = False,
        models_dir: Path | None = None,
        threads: int | None = None,
    ) -> None:
        if max_faces < 1:
            raise UserError("max_faces must be at least 1")
        self._last_s: float | None = None
        self._overlay = Overlay(thrifty=thrifty)
        threads = half_the_cores() if threads is None and thrifty else threads
        self.inpainter = open_inpainter(model, engine, threads=threads)
        self._poses = THOROUGH if still else MIRRORED
        self._masks = MaskFinder(still=still, thrifty=thrifty and smoothing and not still)
        self._tracker = FaceTracker(
            max_faces,
            still=still,
            smoothing=smoothing,
            thrifty=thrifty,
            live=live,
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
        """Find and follow the faces: the first of four steps: `look`, `mark`, `fill`, `blend`.

        Frames must come in order to each step; each may run in a thread of its own.

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
            sights = [Sight(t, t.face, t.matrix, t.fresh, t.is_due) for t in tracks]
        return Seen(frame_bgr, sights, latency_ms, interval_s)

    def _interval_s(self, time_s: float | None) -> float:
        """Seconds since the last frame."""
        last_s, self._last_s = self._last_s, time_s
        if time_s is None or last_s is None:
            return NOMINAL_INTERVAL_S
        return min(max(time_s - last_s, 1e-3), 1.0)

    def mark(self, seen: Seen) -> Marked:
        """Find the masks of the faces seen: the second step."""
        latency_ms = dict(seen.latency_ms)
        with _timed(latency_ms, "segment"):
            work = self._masks(seen)
        return Marked(seen, work, latency_ms)

    def fill(self, marked: Marked) -> Filled:
        """Fill the masks found: the third step."""
        latency_ms = dict(marked.latency_ms)
        work = [item for item in marked.work if item.is_face]
        with _timed(latency_ms, "inpaint"):
            self._fill([item for item in work if item.masked])
        return Filled(marked.seen, work, latency_ms)

    def _fill(self, masked: list[Work]) -> None:
        """Fill all faces of the frame in one batch; what lies outside the picture counts as hole."""
        new = []
        for item in masked:
            before = item.sight.track.texture.again(item.hole, item.moment) if item.same else None
            if before is None:
                new.append(item)
            else:
                item.filled = before
        if not new:
            return
        crops = np.stack([item.crop for item in new])
        holes = np.stack([item.hole | ~item.valid for item in new])
        each = self_ensemble(self.inpainter, crops, holes, self._poses)
        for item, filled in zip(new, each, strict=True):
            evened = correct_skin_tone(filled, item.hole, item.known, item.framing)
            matched = match_colour(evened, item.hole, item.known)
            crisp = sharpen_contour(matched, item.hole, item.known, item.framing)
            item.filled = item.sight.track.texture.calm(crisp, item.hole, item.moment)

    def blend(self, filled: Filled) -> UnmaskResult:
        """Blend what was filled into the frame: the last step."""
        latency_ms = dict(filled.latency_ms)
        with _timed(latency_ms, "blend"):
            masked = [item for item in filled.work if item.masked]
            frame, replaced = self._overlay(filled.seen.frame_bgr, masked)
            results = [_result(item, filled.seen.frame_bgr) for item in filled.work]
        return UnmaskResult(frame, replaced, results, latency_ms)

    def finish(self, seen: Seen) -> UnmaskResult:
        """Take the last three steps in one."""
        return self.blend(self.fill(self.mark(seen)))

    def reset(self) -> None:
        """Forget all faces: the next frame is unrelated to the last."""
        self._tracker.reset()
        self._last_s = None

    def close(self) -> None:
        """Free the models."""
        self._tracker.close()
        self._masks.close()
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


def _result(item: Work, frame_bgr: NDArray[np.uint8]) -> FaceResult:
    before, after = item.crop, item.crop
    if item.masked:
        after = np.where(item.hole[..., None], item.filled, item.crop)
    if item.framing is not CANONICAL:
        before, _ = warp_crop_rgb(frame_bgr, item.sight.matrix)
        after = to_canonical(after, item.hole, before, item.framing) if item.masked else before
    return FaceResult(
        item.sight.track.track_id,
        item.sight.face.box,
        item.sight.face.keypoints,
        float(item.mask.mean()),
        item.masked,
        before,
        after,
    )


__all__ = ["FaceResult", "Filled", "Marked", "Seen", "Sight", "UnmaskResult", "Unmasker"]

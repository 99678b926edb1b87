"""Values that stages hand on, made for tests: tracked frames, contexts, trackers with real detectors."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from realtime.detect.face_finder import FaceFinder
from realtime.frames import Face, TrackedFace, TrackedFrame
from realtime.track.tracker import FaceTracker

T = TypeVar("T")


def of_rgb(one: T) -> T:
    """Return an object of `realtime.detect` or `realtime.track` that takes the tests' pictures, RGB."""
    return cast(T, _OfRgb(one))


class _OfRgb:
    def __init__(self, one: Any) -> None:
        self._one = one

    def __call__(self, *values: Any, **options: Any) -> Any:
        if values and isinstance(values[0], np.ndarray):
            values = (np.ascontiguousarray(values[0][:, :, ::-1]), *values[1:])
        return self._one(*values, **options)

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._one, name)
        return _OfRgb(value) if callable(value) else value


def make_tracker(
    finder: FaceFinder, max_faces: int = 1, *, unrelated: bool = False, **options: bool
) -> FaceTracker:
    """A tracker that looks at every face in every frame unless asked otherwise.

    It takes frames in RGB.
    """
    options = {"detect_every_n": False, **options}
    return of_rgb(FaceTracker(finder, max_faces, unrelated=unrelated, **options))


def tracked_frame(
    frame_rgb: NDArray[np.uint8],
    face: Face,
    matrix: NDArray[np.float64] | None = None,
    *,
    restarted: bool = False,
    check_due: bool = False,
) -> TrackedFrame:
    """A frame, given as RGB, with one tracked face, number 0, in place or where `matrix` says."""
    frame_bgr = np.ascontiguousarray(frame_rgb[:, :, ::-1])
    tracked = TrackedFace(
        0, face, face.matrix if matrix is None else matrix, True, restarted, check_due
    )
    return TrackedFrame(frame_bgr, (tracked,), frozenset({0}))


def with_face(tracked: TrackedFrame, **changes: object) -> TrackedFrame:
    """The same frame with its only face changed."""
    (face,) = tracked.faces
    return replace(tracked, faces=(replace(face, **changes),))  # pyright: ignore[reportArgumentType]

"""The interfaces of a stage and of an unmasker in a pipeline, and memory keyed by track id."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from inpaint_model.artefacts import ArtefactHashes
from realtime.frames import InpaintedFrame, SegmentedFrame, TrackedFrame, UnmaskResult

T = TypeVar("T")
In = TypeVar("In", contravariant=True)
Out = TypeVar("Out", covariant=True)


class Stage(Protocol[In, Out]):
    """One stage of a frame's processing: called with frames in order, maybe in a thread of its own.

    A stage keeps its memory of earlier frames in its attributes, and returns frozen values.
    """

    def __call__(self, value: In, /) -> Out:
        """Process the next frame: take the value of the stage before and return this stage's."""
        ...

    def reset(self) -> None:
        """Forget all frames: the next frame is unrelated to the last one."""
        ...

    def close(self) -> None:
        """Free the models."""
        ...


class PerTrack(Generic[T]):
    """A stage's memory of each tracked face, made on first use.

    Args:
        make: makes the memory of a new face.
    """

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._memories: dict[int, T] = {}

    def __getitem__(self, track_id: int) -> T:
        if track_id not in self._memories:
            self._memories[track_id] = self._make()
        return self._memories[track_id]

    def get(self, track_id: int) -> T | None:
        """Return the memory of a face, or None where there is none."""
        return self._memories.get(track_id)

    def __setitem__(self, track_id: int, memory: T) -> None:
        self._memories[track_id] = memory

    def keep_only(self, track_ids: Collection[int]) -> None:
        """Drop the memory of all other faces."""
        if not self._memories.keys() <= set(track_ids):
            self._memories = {k: v for k, v in self._memories.items() if k in track_ids}

    def clear(self) -> None:
        """Drop everything."""
        self._memories.clear()


class InpainterFacts(Protocol):
    """The facts of a generator that a report names."""

    @property
    def model(self) -> str: ...  # noqa: D102
    @property
    def model_sha256(self) -> str: ...  # noqa: D102
    @property
    def engine(self) -> str: ...  # noqa: D102
    @property
    def precision(self) -> str: ...  # noqa: D102
    @property
    def reason(self) -> str: ...  # noqa: D102
    @property
    def warnings(self) -> tuple[str, ...]: ...  # noqa: D102


class FrameUnmasker(Protocol):
    """The part of `Unmasker` that the pipelines use: its four steps, each called with frames in order."""

    @property
    def inpainter(self) -> InpainterFacts:
        """The generator that runs."""
        ...

    @property
    def artefacts(self) -> ArtefactHashes:
        """The SHA-256 of every network that runs."""
        ...

    def __call__(self, frame_bgr: NDArray[np.uint8], /) -> UnmaskResult:
        """Run all four steps on one frame."""
        ...

    def detect_and_track(
        self, frame_bgr: NDArray[np.uint8], time_s: float | None = None, *, smooth: bool = True
    ) -> TrackedFrame:
        """Detect and track the faces of a frame taken at that time."""
        ...

    def segment(self, tracked: TrackedFrame, /) -> SegmentedFrame:
        """Segment the masks."""
        ...

    def inpaint(self, segmented: SegmentedFrame, /) -> InpaintedFrame:
        """Fill the masks."""
        ...

    def composite(self, inpainted: InpaintedFrame, /) -> UnmaskResult:
        """Put the fills into the frame."""
        ...

    def reset(self) -> None:
        """Forget all faces."""
        ...

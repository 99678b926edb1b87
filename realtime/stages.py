"""What a stage is, what the pipelines need of an unmasker, and memory keyed by track."""

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
    """One stage of a frame's way. Frames come in order; each stage may run in a thread of its own.

    A stage remembers earlier frames only in its own attributes, and hands on frozen values.
    """

    def __call__(self, value: In, /) -> Out:
        """Take the next frame's value and return what this stage makes of it."""
        ...

    def reset(self) -> None:
        """Forget all frames: the next frame is unrelated to the last one."""
        ...

    def close(self) -> None:
        """Free the models."""
        ...


class PerTrack(Generic[T]):
    """A stage's memory of each tracked face, made when it is first asked for.

    Args:
        make: makes the memory of a face that has none.
    """

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._of: dict[int, T] = {}

    def __getitem__(self, track_id: int) -> T:
        if track_id not in self._of:
            self._of[track_id] = self._make()
        return self._of[track_id]

    def get(self, track_id: int) -> T | None:
        """Return the memory of a face, or None where there is none."""
        return self._of.get(track_id)

    def __setitem__(self, track_id: int, memory: T) -> None:
        self._of[track_id] = memory

    def keep_only(self, track_ids: Collection[int]) -> None:
        """Drop the memory of all other faces: they are gone."""
        if not self._of.keys() <= set(track_ids):
            self._of = {k: v for k, v in self._of.items() if k in track_ids}

    def clear(self) -> None:
        """Drop everything."""
        self._of.clear()


class InpainterFacts(Protocol):
    """What a report says of the network that ran."""

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
    """What the pipelines need of an `Unmasker`: its four steps, each called with frames in order."""

    @property
    def inpainter(self) -> InpainterFacts:
        """The generator that runs."""
        ...

    @property
    def artefacts(self) -> ArtefactHashes:
        """The SHA-256 of every network that runs."""
        ...

    def __call__(self, frame_bgr: NDArray[np.uint8], /) -> UnmaskResult:
        """Take all four steps for one frame."""
        ...

    def detect_and_track(
        self, frame_bgr: NDArray[np.uint8], time_s: float | None = None, *, smooth: bool = True
    ) -> TrackedFrame:
        """Find and track the faces of a frame taken at that time."""
        ...

    def segment(self, tracked: TrackedFrame, /) -> SegmentedFrame:
        """Find the masks."""
        ...

    def inpaint(self, segmented: SegmentedFrame, /) -> InpaintedFrame:
        """Fill them."""
        ...

    def composite(self, inpainted: InpaintedFrame, /) -> UnmaskResult:
        """Put the fills into the frame."""
        ...

    def reset(self) -> None:
        """Forget all faces."""
        ...

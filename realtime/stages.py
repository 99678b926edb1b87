"""What the pipelines need of an unmasker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from realtime.frames import Filled, Marked, UnmaskResult
    from realtime.unmasker import Seen


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


@runtime_checkable
class SteppedUnmasker(Protocol):
    """An unmasker whose four steps may each run in a thread of its own, as `Unmasker`'s do."""

    def look(self, frame_bgr: NDArray[np.uint8], time_s: float | None = None, /) -> Seen:
        """Find and follow the faces of a frame taken at that time."""
        ...

    def mark(self, seen: Seen, /) -> Marked:
        """Find the masks."""
        ...

    def fill(self, marked: Marked, /) -> Filled:
        """Fill them."""
        ...

    def blend(self, filled: Filled, /) -> UnmaskResult:
        """Blend into the frame."""
        ...


class FrameUnmasker(Protocol):
    """What the pipelines for files need of an `Unmasker`."""

    @property
    def inpainter(self) -> InpainterFacts:
        """The network that runs."""
        ...

    def __call__(self, frame_bgr: NDArray[np.uint8], /) -> UnmaskResult:
        """Unmask one frame."""
        ...

    def reset(self) -> None:
        """Forget all faces."""
        ...

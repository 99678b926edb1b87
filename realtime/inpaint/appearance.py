"""The interface of an appearance step: one correction of a fill, which can be tested and left out alone."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from typing import ClassVar

from realtime.frames import FaceContext, Fill


class AppearanceStep(ABC):
    """One correction of the appearance of a fill.

    Attributes:
        name: its name in benchmarks and documents.
        each_frame: the step depends on the frame, so it is applied in every frame in which a fill is shown;
            else once to each fill.
    """

    name: ClassVar[str]
    each_frame: ClassVar[bool] = False

    @abstractmethod
    def __call__(self, fill: Fill, context: FaceContext) -> Fill:
        """Correct a fill.

        Args:
            fill: the fill so far; its pixels outside the hole are the crop's.
            context: the face and the frame.

        Returns:
            The corrected fill, equal to the given one outside the hole.
        """

    def keep_only(self, track_ids: Collection[int]) -> None:  # noqa: B027 (most steps remember nothing)
        """Forget all other faces."""

    def reset(self) -> None:  # noqa: B027
        """Forget all faces."""


def apply_steps(steps: Sequence[AppearanceStep], fill: Fill, context: FaceContext) -> Fill:
    """Apply steps in order."""
    for step in steps:
        fill = step(fill, context)
    return fill

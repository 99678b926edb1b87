"""The interfaces of an appearance step: one correction of a fill, tested and left out alone."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from realtime.frames import Fill, SegmentedFace


class AppearanceStep(ABC):
    """One correction of the appearance of a fill.

    Attributes:
        name: its name in benchmarks and documents.
    """

    name: ClassVar[str]

    def keep_only(self, track_ids: Collection[int]) -> None:  # noqa: B027 (most steps remember nothing)
        """Forget all other faces."""

    def reset(self) -> None:  # noqa: B027
        """Forget all faces."""

    def close(self) -> None:  # noqa: B027
        """Free the step's network, if it has one."""


class FillStep(AppearanceStep):
    """A step that is taken once for each fill."""

    @abstractmethod
    def __call__(self, fill: Fill, face: SegmentedFace) -> Fill:
        """Correct a fill.

        Args:
            fill: the fill so far; its pixels outside the hole are the crop's.
            face: the face, with the crop and the hole that were filled.

        Returns:
            The corrected fill, equal to the given one outside the hole.
        """


class FrameStep(AppearanceStep):
    """A step that depends on the frame, so that it is taken in every frame in which a fill is shown."""

    @abstractmethod
    def __call__(
        self,
        fill: Fill,
        face: SegmentedFace,
        frame_bgr: NDArray[np.uint8],
        matrix: NDArray[np.float64],
    ) -> Fill:
        """Correct a fill.

        Args:
            fill: the fill after all steps that are taken once.
            face: the face, with the crop and the hole that were filled.
            frame_bgr: uint8 [H, W, 3], the frame in which the fill is shown.
            matrix: float64 [2, 3], pixels of that frame to pixels of the crop.

        Returns:
            The corrected fill, equal to the given one outside the hole.
        """


def apply_steps(steps: Sequence[FillStep], fill: Fill, face: SegmentedFace) -> Fill:
    """Apply steps in order."""
    for step in steps:
        fill = step(fill, face)
    return fill

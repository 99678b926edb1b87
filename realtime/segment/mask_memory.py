"""Keeps one face's mask calm over time, in crop space: its outline, on and off, what need not be redone."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.frames import Moment
from realtime.segment.mask_registration import MaskRegistration

# Time constants and delays in seconds, colour differences in levels of 0..255.
_OUTLINE_S = 0.10
_SEEN = 0.3  # so far a probability rises at once
_PUT_ON_S, _TAKEN_OFF_S = 0.04, 0.085
_THUMB_PX = 32
_MOVING, _CUT = 8.0, 40.0
# A mask's rim that moves by one pixel of the crop changes its blocks by about 25 levels.
_RIM_CHANGE, _SPOT_CHANGE, _SETTLED_RIM_CHANGE = 22.0, 40.0, 40.0


class MaskMemory:
    """What was seen in a face's crop in the frames before.

    Each frame is given to `see`; where it is not passed over because it `is_same`, then to `outline`,
    `decide` and `keep`.

    Args:
        smoothing: False makes every frame stand alone.
    """

    def __init__(self, *, smoothing: bool = True) -> None:
        self._smoothing = smoothing
        self._epoch = 0
        self.forget()

    def forget(self) -> None:
        """The next frame stands at the beginning."""
        self._epoch += 1
        self._thumb: NDArray[np.float32] | None = None
        self._probability: NDArray[np.float32] | None = None
        self._worn_probability: NDArray[np.float32] | None = None
        self._hole: NDArray[np.bool_] | None = None
        self._worn: bool | None = None
        self._against_s = self._interval_s = 0.0
        self._motion = np.inf
        self._done_thumb: NDArray[np.float32] | None = None
        self._crop: NDArray[np.uint8] | None = None
        self._done_crop: NDArray[np.uint8] | None = None
        self._settler: MaskRegistration | None = None
        self._mask: NDArray[np.bool_] | None = None

    def reframe(self) -> None:
        """The next crop shows more or less of the face: only whether a mask is worn is remembered."""
        worn = self._worn
        self.forget()
        self._worn = worn

    @property
    def worn(self) -> bool:
        """Whether a mask was worn in the last frame."""
        return bool(self._worn)

    @property
    def moment(self) -> Moment:
        """How the crop last given follows on those before it."""
        return Moment(self._epoch, self._motion, self._interval_s)

    def see(self, crop_rgb: NDArray[np.uint8], interval_s: float = 0.0) -> None:
        """Take the next crop, uint8 [128, 128, 3], first of all; forget where the scene was cut.

        Another crop of the same frame may follow it, without `interval_s`.
        """
        if not self._smoothing:
            return
        if self._done_thumb is self._thumb:
            self._interval_s = 0.0
        thumb = cv2.resize(crop_rgb, (_THUMB_PX, _THUMB_PX), interpolation=cv2.INTER_AREA)
        thumb = thumb.astype(np.float32)
        before = self._done_thumb
        if before is not None:
            change = np.abs(thumb - before)
            if change.mean() > _CUT:
                self.forget()
            else:
                self._motion = self._known_motion(change)
        self._crop, self._thumb, self._interval_s = crop_rgb, thumb, self._interval_s + interval_s

    def _known_motion(self, change: NDArray[np.float32]) -> float:
        """Mean change of what is not covered by the mask."""
        if self._hole is None:
            return float(change.mean())
        step = self._hole.shape[0] // _THUMB_PX
        known = ~self._hole[step // 2 :: step, step // 2 :: step]
        return float(change[known].mean()) if known.any() else np.inf

    def is_same(self, slack: float = 1.0, *, settled: bool = False, patience: float = 1.0) -> bool:
        """Whether the crop looks as it did when it was last segmented.

        Where a mask is worn, its rim must not have moved, nor anything come before it.

        Args:
            slack: how much more than a pixel of the crop the rim may move.
            settled: the crop was moved to where the mask is as it was; what its rim differs by then is
                resampling and what lies beyond, rather than a move.
            patience: how much more than usual may have changed.
        """
        if self._thumb is None or self._done_thumb is None or self._mask is None:
            return False
        if self._against_s or self._motion > patience * _MOVING:
            return False
        change = np.abs(self._thumb - self._done_thumb).max(axis=2)
        most = patience * slack
        near = np.ones_like(change, dtype=bool)
        if self._worn:
            covered = cv2.resize(
                self._mask.astype(np.float32), change.shape, interpolation=cv2.INTER_AREA
            )
            rim = (covered > 0.02) & (covered < 0.98)
            near = covered > 0.02
            of_rim = most * (_SETTLED_RIM_CHANGE if settled else _RIM_CHANGE)
            if rim.any() and np.percentile(change[rim], 90) > of_rim:
                return False
        return not near.any() or float(np.percentile(change[near], 98)) < most * _SPOT_CHANGE

    def settle(self, crop_rgb: NDArray[np.uint8]) -> NDArray[np.float64] | None:
        """Find the worn mask where it was when the crop was last segmented; see `MaskRegistration`."""
        if self._done_crop is None or self._mask is None or not self._worn:
            return None
        if self._settler is None:
            self._settler = MaskRegistration(self._done_crop, self._mask)
        return self._settler(crop_rgb)

    def keep(self, mask: NDArray[np.bool_], hole: NDArray[np.bool_]) -> None:
        """Take the mask's pixels that were decided on and the hole they make, both bool [128, 128]."""
        self._mask, self._hole = mask, hole

    def kept(self) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Return the mask's pixels and the hole of the last time; the crop `is_same`."""
        assert self._mask is not None and self._hole is not None
        return self._mask, self._hole

    def outline(self, probability: NDArray[np.float32]) -> NDArray[np.float32]:
        """Smooth the mask's probability: small changes slowly, large ones (a mask taken off) at once.

        What is seen faintly counts faintly at once, too.

        Args:
            probability: float32 [128, 128], of this frame.

        Returns:
            float32 [128, 128].
        """
        if not self._smoothing:
            return probability
        if self._probability is not None:
            change = probability - self._probability
            share = np.maximum(np.abs(change), share_of(_OUTLINE_S, self._interval_s))
            smoothed = self._probability + share * change
            # An ear loop is thin: where it moves by its own width, nothing of the old one helps.
            smoothed = np.maximum(smoothed, np.minimum(probability, _SEEN))
            probability = smoothed.astype(np.float32, copy=False)
        self._probability = probability
        return probability

    def decide(
        self, worn: bool, probability: NDArray[np.float32]
    ) -> tuple[bool, NDArray[np.float32]]:
        """Say whether a mask is worn: a change counts once it has lasted for a moment.

        Args:
            worn: what this frame alone says.
            probability: float32 [128, 128], from `outline`.

        Returns:
            Whether one is worn, and the outline to fill: the last worn one where this frame shows none.
        """
        self._done_thumb, self._done_crop, self._settler = self._thumb, self._crop, None
        if not self._smoothing or self._worn is None:
            self._worn = worn if self._smoothing else None
        elif worn == self._worn:
            self._against_s = 0.0
        else:
            self._against_s += self._interval_s
            if self._against_s >= (_PUT_ON_S if worn else _TAKEN_OFF_S):
                self._worn, self._against_s = worn, 0.0
                self._hole = self._worn_probability = None
                self._epoch += 1
        decided = worn if self._worn is None else self._worn
        if worn or not decided or self._worn_probability is None:
            self._worn_probability = probability
        return decided, self._worn_probability


def share_of(time_constant_s: float, interval_s: float) -> float:
    """How much of a new value a low-pass of this time constant takes."""
    return 1 - float(np.exp(-interval_s / time_constant_s))

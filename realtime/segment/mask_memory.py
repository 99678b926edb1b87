"""Remembers one face's mask in crop space: temporal smoothing, hysteresis, reuse of the last mask."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.frames import CropChange
from realtime.segment.cloth import FaceOutline
from realtime.segment.mask_registration import MaskRegistration
from realtime.settings import SEGMENT
from realtime.track.one_euro import low_pass_share

_THUMB_PX = 32  # side of the thumbnails that are compared, pixels
# A thumbnail's pixel lies on the mask's edge if a share between these is mask.
_EDGE_SHARE = 0.02, 0.98
_EDGE_PERCENTILE, _SPOT_PERCENTILE = 90, 98  # of the change on the edge, and on all of the mask


class StoredMask(NamedTuple):
    """The mask and the hole that were decided on, bool [128, 128] each, and their version number."""

    mask: NDArray[np.bool_]
    hole: NDArray[np.bool_]
    version: int


class Decision(NamedTuple):
    """Whether a mask is worn, and the probabilities to fill by, float32 [128, 128].

    `is_earlier` says that this frame shows no mask, and the probabilities are those of an earlier frame.
    """

    wears_mask: bool
    probability: NDArray[np.float32]
    is_earlier: bool


class MaskMemory:
    """What is remembered of a face's crops in the frames before.

    Each crop is given to `observe`. Unless it `looks_unchanged`, it is segmented, and the probabilities go
    through `smooth`, `decide` and `store`.

    Args:
        smoothing: False makes every frame stand alone.

    Attributes:
        outline: of the face, where its mask is cloth that goes on below the chin; None: it is not.
    """

    def __init__(self, *, smoothing: bool = True) -> None:
        self._smoothing = smoothing
        self._epoch = self._version = 0
        self.forget()

    def forget(self) -> None:
        """Forget all crops: the next one is unrelated."""
        self._epoch += 1
        self._thumb: NDArray[np.float32] | None = None
        self._segmented_thumb: NDArray[np.float32] | None = None
        self._change: NDArray[np.float32] | None = None  # from one thumbnail to the other
        self._crop: NDArray[np.uint8] | None = None
        self._segmented_crop: NDArray[np.uint8] | None = None
        self._is_segmented = True  # the crop that was observed last
        self._one_pose: NDArray[np.float32] | None = None
        self._probability: NDArray[np.float32] | None = None
        self._worn_probability: NDArray[np.float32] | None = None
        self._stored: StoredMask | None = None
        self._worn: bool | None = None
        self._contradicted_s = self._interval_s = 0.0
        self._motion = np.inf
        self._registration: MaskRegistration | None = None
        self.outline: FaceOutline | None = None

    def change_window(self) -> None:
        """Keep whether a mask is worn, and the outline: the next crop shows more or less of the face."""
        worn, outline = self._worn, self.outline
        self.forget()
        self._worn, self.outline = worn, outline

    @property
    def wears_mask(self) -> bool:
        """Whether a mask was worn in the last frame."""
        return bool(self._worn)

    @property
    def change(self) -> CropChange:
        """How the crop observed last differs from those before."""
        return CropChange(self._epoch, self._motion, self._interval_s)

    @property
    def stored(self) -> StoredMask:
        """The mask stored last. Only for a crop that `looks_unchanged`."""
        assert self._stored is not None
        return self._stored

    def observe(self, crop_rgb: NDArray[np.uint8], interval_s: float = 0.0) -> None:
        """Take the next crop, uint8 [128, 128, 3]; forget the earlier crops after a scene cut.

        Another crop of the same frame may follow it, without `interval_s`.
        """
        if not self._smoothing:
            return
        if self._is_segmented:
            self._interval_s = 0.0
        small = cv2.resize(crop_rgb, (_THUMB_PX, _THUMB_PX), interpolation=cv2.INTER_AREA)
        thumb = small.astype(np.float32)
        if self._segmented_thumb is not None:
            change = np.abs(thumb - self._segmented_thumb)
            if change.mean() > SEGMENT.scene_cut_levels:
                self.forget()
            else:
                self._change, self._motion = change, self._motion_of(change)
        self._crop, self._thumb, self._is_segmented = crop_rgb, thumb, False
        self._interval_s += interval_s

    def _motion_of(self, change: NDArray[np.float32]) -> float:
        """Mean change of the pixels that the mask does not cover."""
        if self._stored is None:
            return float(change.mean())
        hole = self._stored.hole
        step = hole.shape[0] // _THUMB_PX
        known = ~hole[step // 2 :: step, step // 2 :: step]
        return float(change[known].mean()) if known.any() else np.inf

    def looks_unchanged(self, *, registered: bool = False, tolerance: float = 1.0) -> bool:
        """Whether the crop looks as it did when it was last segmented.

        Where a mask is worn, its edge must not have moved, and nothing may have come in front of it.

        Args:
            registered: the crop was aligned with the remembered mask.
            tolerance: how many times the usual change is allowed.
        """
        if self._contradicted_s or self._motion > tolerance * SEGMENT.moving_levels:
            return False
        assert self._change is not None  # else the motion is infinite
        change = self._change.max(axis=2)
        on_mask = np.ones_like(change, dtype=bool)
        if self._worn:
            mask = self.stored.mask.astype(np.float32)
            covered = cv2.resize(mask, change.shape, interpolation=cv2.INTER_AREA)
            low, high = _EDGE_SHARE
            edge, on_mask = (covered > low) & (covered < high), covered > low
            most = SEGMENT.registered_edge_levels if registered else SEGMENT.edge_levels
            if edge.any() and np.percentile(change[edge], _EDGE_PERCENTILE) > tolerance * most:
                return False
        if not on_mask.any():
            return True
        spot = float(np.percentile(change[on_mask], _SPOT_PERCENTILE))
        return spot < tolerance * SEGMENT.spot_levels

    def register(self, crop_rgb: NDArray[np.uint8]) -> NDArray[np.float64] | None:
        """Find where the worn mask has moved since the crop was last segmented; see `MaskRegistration`."""
        if self._stored is None or not self._worn:
            return None
        if self._registration is None:
            assert self._segmented_crop is not None  # it was segmented before its mask was stored
            self._registration = MaskRegistration(self._segmented_crop, self._stored.mask)
        return self._registration(crop_rgb)

    def smooth(self, probability: NDArray[np.float32]) -> NDArray[np.float32]:
        """Smooth mask probabilities: small changes slowly, large ones (a mask taken off) at once.

        Args:
            probability: float32 [128, 128], of this frame, in the pose that was not the last one's.

        Returns:
            float32 [128, 128].
        """
        if not self._smoothing:
            return probability
        probability, self._one_pose = self._in_both_poses(probability), probability
        if self._probability is not None:
            change = probability - self._probability
            least = low_pass_share(SEGMENT.smoothing_s, self._interval_s)
            smoothed = self._probability + np.maximum(np.abs(change), least) * change
            # An ear loop that moves by its own width shares no pixel with its earlier self.
            smoothed = np.maximum(smoothed, np.minimum(probability, SEGMENT.rise_at_once))
            probability = smoothed.astype(np.float32, copy=False)
        self._probability = probability
        return probability

    def _in_both_poses(self, probability: NDArray[np.float32]) -> NDArray[np.float32]:
        """Take the mean with the last probabilities, which are of the other pose, where nothing moved."""
        if self._one_pose is None or self._change is None:
            return probability
        share = np.clip(0.5 - self._change.max(axis=2) / (2 * SEGMENT.still_levels), 0, None)
        share = cv2.resize(share, probability.shape, interpolation=cv2.INTER_LINEAR)
        return probability + share * (self._one_pose - probability)

    def decide(self, shows_mask: bool, probability: NDArray[np.float32]) -> Decision:
        """Decide whether a mask is worn: a change counts once it has lasted long enough (hysteresis).

        Args:
            shows_mask: whether this frame alone shows a worn mask.
            probability: float32 [128, 128], from `smooth`.
        """
        self._segmented_thumb, self._segmented_crop = self._thumb, self._crop
        self._is_segmented, self._registration = True, None
        if not self._smoothing:
            return Decision(shows_mask, probability, False)
        if self._worn is None:
            self._worn = shows_mask
        elif shows_mask == self._worn:
            self._contradicted_s = 0.0
        else:
            self._contradicted_s += self._interval_s
            if self._contradicted_s >= (SEGMENT.put_on_s if shows_mask else SEGMENT.taken_off_s):
                self._worn, self._contradicted_s = shows_mask, 0.0
                self._worn_probability = None
                self._epoch += 1
        if shows_mask or not self._worn or self._worn_probability is None:
            self._worn_probability = probability
            return Decision(self._worn, probability, False)
        return Decision(self._worn, self._worn_probability, True)

    def store(self, mask: NDArray[np.bool_], hole: NDArray[np.bool_]) -> StoredMask:
        """Keep the mask that was decided on and its hole, bool [128, 128] each; give them a version."""
        self._version += 1
        self._stored = StoredMask(mask, hole, self._version)
        return self._stored

"""The frozen values that are handed from stage to stage."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from realtime.track.track import Track

NOMINAL_INTERVAL_S = 1 / 30
"""Between frames whose times are not known."""


@dataclass(frozen=True)
class Face:
    """One found face.

    Attributes:
        box: x0, y0, x1, y1 in pixels.
        keypoints: float64 [5, 2], pixels: right eye, left eye, nose tip, right and left mouth corner
            (the person's own right and left). A detector's face knows one mouth point; both corners
            are then placed round it.
        landmarks: float64 [478, 2], pixels, or None where the landmark model refused the face.
        matrix: float64 [2, 3], picture pixels to canonical crop pixels.
    """

    box: tuple[float, float, float, float]
    keypoints: NDArray[np.float64]
    landmarks: NDArray[np.float64] | None
    matrix: NDArray[np.float64]

    @property
    def centre(self) -> NDArray[np.float64]:
        """The middle between the eyes, float64 [2], pixels."""
        return self.keypoints[:2].mean(0)

    @property
    def size(self) -> float:
        """The box's longer side in pixels."""
        return max(self.box[2] - self.box[0], self.box[3] - self.box[1])


@dataclass(frozen=True)
class FaceResult:
    """What was done with one face.

    Attributes:
        track_id: the face's number, the same from frame to frame.
        box: x0, y0, x1, y1 in pixels.
        keypoints: float64 [5, 2], pixels: eyes, nose, mouth corners.
        mask_coverage: share of the crop that is mask, 0..1.
        inpainted: whether the frame was changed here. The lower face shown is then invented.
        crop_before: uint8 [128, 128, 3], RGB, the canonical crop of the frame.
        crop_after: the same with the mask filled, without the frame's sharpening and grain; equal to
            `crop_before` where not inpainted.
    """

    track_id: int
    box: tuple[float, float, float, float]
    keypoints: NDArray[np.float64]
    mask_coverage: float
    inpainted: bool
    crop_before: NDArray[np.uint8]
    crop_after: NDArray[np.uint8]


@dataclass(frozen=True)
class Marked:
    """What `Unmasker.mark` made of a frame, for `Unmasker.fill`."""

    seen: Seen
    work: list[Work]
    latency_ms: dict[str, float]


@dataclass(frozen=True)
class Filled:
    """What `Unmasker.fill` made of a frame, for `Unmasker.blend`."""

    seen: Seen
    work: list[Work]
    latency_ms: dict[str, float]


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
        matrix: float64 [2, 3], frame pixels to canonical crop pixels.
        fresh: the face has just appeared or come back.
        due: it is to be looked at twice where there is doubt.
    """

    track: Track
    face: Face
    matrix: NDArray[np.float64]
    fresh: bool = False
    due: bool = False


@dataclass(frozen=True)
class Seen:
    """What `Unmasker.look` found in a frame, for `Unmasker.fill`."""

    frame_bgr: NDArray[np.uint8]
    sights: list[Sight]
    latency_ms: dict[str, float]
    interval_s: float = NOMINAL_INTERVAL_S


@dataclass
class Work:
    """A face on its way through the line.

    Attributes:
        sight: where it was found.
        framing: float64 [2, 3], canonical crop pixels to those of the crop used, which may be wider.
        matrix: float64 [2, 3], frame pixels to the crop's.
        crop: uint8 [128, 128, 3], RGB.
        valid, mask, hole: bool [128, 128]: inside the picture, mask pixels, to be filled.
        worn: this frame shows a mask.
        masked: a mask is worn, all that is remembered considered.
        moment: how the crop follows on those before it.
        filled: uint8 [128, 128, 3], the crop with the hole filled; the crop itself until then.
        same: the crop looks as when it was last filled.
    """

    sight: Sight
    framing: NDArray[np.float64]
    matrix: NDArray[np.float64]
    crop: NDArray[np.uint8]
    valid: NDArray[np.bool_]
    mask: NDArray[np.bool_]
    hole: NDArray[np.bool_]
    worn: bool
    masked: bool
    moment: Moment
    filled: NDArray[np.uint8]
    same: bool = False

    @property
    def is_face(self) -> bool:
        """What neither the strict landmark model nor a mask speaks for is none."""
        return self.masked or self.sight.track.confirmed

    @property
    def known(self) -> NDArray[np.bool_]:
        """True pixels of the photograph, bool [128, 128]."""
        return self.valid & ~self.hole


@dataclass(frozen=True)
class Moment:
    """How a frame's crop follows on those before it.

    Attributes:
        epoch: another number than before: what was filled before counts no more.
        motion: mean change of what the mask does not cover, levels.
        interval_s: seconds since the crop was last segmented.
    """

    epoch: int = 0
    motion: float = np.inf
    interval_s: float = 0.0

"""The frozen values that are handed from stage to stage.

No stage writes to the arrays in these values.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from realtime.align.affine import apply
from realtime.align.crop_window import CANONICAL, CropWindow
from realtime.align.face_silhouette import face_silhouette

NOMINAL_INTERVAL_S = 1 / 30
"""The time between frames whose timestamps are not known, seconds."""


@dataclass(frozen=True, eq=False)
class Face:
    """One detected face, in pixels of the picture.

    Attributes:
        box: bounding box: x0, y0, x1, y1.
        keypoints: float64 [5, 2]: right eye, left eye, nose tip, right and left mouth corner (the
            person's own right and left). Where only the detector found the face, which gives one mouth
            point, both corners are estimated beside it.
        landmarks: float64 [478, 2], or None where the landmark model did not find the face.
        matrix: float64 [2, 3], picture pixels to canonical crop pixels.
        confirmed: the landmark model recognises it for sure, as it is and mirrored.
        score: probability that it is a face, 0..1, by the face aligner; 1 where the landmark model places
            it.
        mask_score: probability that it wears a mask, 0..1, by the face aligner when that was asked last.
    """

    box: tuple[float, float, float, float]
    keypoints: NDArray[np.float64]
    landmarks: NDArray[np.float64] | None
    matrix: NDArray[np.float64]
    confirmed: bool = False
    score: float = 1.0
    mask_score: float = 0.0

    @property
    def centre(self) -> NDArray[np.float64]:
        """The middle between the eyes, float64 [2], pixels."""
        return self.keypoints[:2].mean(0)

    @property
    def size(self) -> float:
        """The longer side of the bounding box, pixels."""
        return max(self.box[2] - self.box[0], self.box[3] - self.box[1])


@dataclass(frozen=True, eq=False)
class TrackedFace:
    """A snapshot of a track in one frame.

    Attributes:
        track_id: the number of the face, the same from frame to frame.
        face: where the face was last detected.
        matrix: float64 [2, 3], smoothed, frame pixels to canonical crop pixels.
        found: the face was found in this frame, by a detection or by optical flow; False where the
            track is carried through a miss.
        restarted: the track is new, has come back, or was found after a scene cut; stages must forget
            earlier crops of it.
        check_due: an unconfirmed face should be examined more closely in this frame.
    """

    track_id: int
    face: Face
    matrix: NDArray[np.float64]
    found: bool = True
    restarted: bool = False
    check_due: bool = False


@dataclass(frozen=True, eq=False)
class TrackedFrame:
    """A frame with its tracked faces: from detection and tracking to segmentation.

    Attributes:
        frame_bgr: uint8 [H, W, 3], BGR.
        faces: the faces in view.
        known_tracks: the numbers of all tracks that may still come back; memory of others can go.
        interval_s: seconds since the frame before.
        faces_left_out: faces found in this frame for which there was no room.
        latency_ms: time spent in each stage so far.
    """

    frame_bgr: NDArray[np.uint8]
    faces: tuple[TrackedFace, ...]
    known_tracks: frozenset[int] = frozenset()
    interval_s: float = NOMINAL_INTERVAL_S
    faces_left_out: int = 0
    latency_ms: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class CropChange:
    """How a face's crop differs from the crops of the frames before.

    Attributes:
        epoch: a generation number; where it differs from the one before, earlier fills must not be used.
        motion: mean absolute change of the pixels that the mask does not cover, levels of 0..255.
        interval_s: seconds since the crop was last segmented.
    """

    epoch: int = 0
    motion: float = np.inf
    interval_s: float = 0.0


@dataclass(frozen=True, eq=False)
class SegmentedFace:
    """A face with its crop and the mask's pixels: from segmentation to inpainting.

    Attributes:
        tracked: the face.
        window: which part of the face's surroundings the crop shows.
        matrix: float64 [2, 3], frame pixels to pixels of this crop.
        crop_rgb: uint8 [128, 128, 3], RGB.
        valid: bool [128, 128], which crop pixels lie inside the picture.
        mask: bool [128, 128], mask pixels.
        hole: bool [128, 128], pixels to fill: the mask and a margin round it.
        shows_mask: this frame alone shows a worn mask.
        wears_mask: a mask is worn, earlier frames considered (hysteresis).
        confirmed: the landmark model recognises it for sure, as it is and mirrored.
        change: how the crop differs from those before.
        mask_version: a number that changes with each new mask of this track.
        mask_kept: the crop looks unchanged since this mask was segmented, so the mask was kept.
    """

    tracked: TrackedFace
    window: CropWindow
    matrix: NDArray[np.float64]
    crop_rgb: NDArray[np.uint8]
    valid: NDArray[np.bool_]
    mask: NDArray[np.bool_]
    hole: NDArray[np.bool_]
    shows_mask: bool
    wears_mask: bool
    confirmed: bool = False
    change: CropChange = CropChange()
    mask_version: int = 0
    mask_kept: bool = False

    @property
    def track_id(self) -> int:
        """The number of the face."""
        return self.tracked.track_id

    @property
    def is_face(self) -> bool:
        """A detection counts as a face only if the landmark model confirms it or it wears a mask."""
        return self.wears_mask or self.confirmed

    @cached_property
    def known(self) -> NDArray[np.bool_]:
        """Pixels of the photograph, bool [128, 128]: inside the picture and outside the hole."""
        return self.valid & ~self.hole

    @cached_property
    def silhouette(self) -> NDArray[np.bool_] | None:
        """The face's silhouette in the crop by its landmarks, bool [128, 128]; None without landmarks."""
        landmarks = self.tracked.face.landmarks
        if landmarks is None:
            return None
        return face_silhouette(apply(self.matrix, landmarks), self.hole.shape)

    @classmethod
    def of_crop(
        cls,
        crop_rgb: NDArray[np.uint8],
        hole: NDArray[np.bool_],
        valid: NDArray[np.bool_] | None = None,
        *,
        mask: NDArray[np.bool_] | None = None,
        window: CropWindow = CANONICAL,
        change: CropChange | None = None,
        landmarks: NDArray[np.float64] | None = None,
    ) -> Self:
        """Make a face of a single crop, which is its own frame; for benchmarks and tests.

        Args:
            crop_rgb: uint8 [128, 128, 3], RGB.
            hole: bool [128, 128], the pixels that are filled.
            valid: bool [128, 128], which pixels lie inside the picture; all where not given.
            mask: bool [128, 128], mask pixels; the hole where not given.
            window: of the crop.
            change: how the crop differs from those before.
            landmarks: float64 [478, 2], pixels of the crop, if the landmark model found the face.
        """
        matrix = np.eye(2, 3)
        face = Face((0.0, 0.0, 128.0, 128.0), np.zeros((5, 2)), landmarks, matrix)
        return cls(
            TrackedFace(0, face, matrix),
            window,
            matrix,
            crop_rgb,
            np.ones(hole.shape, dtype=bool) if valid is None else valid,
            hole if mask is None else mask,
            hole,
            shows_mask=True,
            wears_mask=True,
            change=change or CropChange(),
        )


@dataclass(frozen=True, eq=False)
class SegmentedFrame:
    """A frame with its segmented faces.

    Attributes:
        tracked: the frame.
        faces: its faces with their masks, in the order of `tracked.faces`.
        latency_ms: time spent in each stage so far.
    """

    tracked: TrackedFrame
    faces: tuple[SegmentedFace, ...]
    latency_ms: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Grain:
    """A film-grain-like texture for the fill of one face in one frame.

    Attributes:
        tile: float32 [128, 128], luma in levels; it repeats over the frame from its top left corner.
        gain: float32 [128, 128] in crop space, the factor of the tile at each pixel.
    """

    tile: NDArray[np.float32]
    gain: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Detail:
    """Fine detail of a fill, at a higher resolution than the crop's.

    Attributes:
        levels: int16 [S, S, 3], BGR, what is added.
        to_square: float64 [2, 3], crop pixels to pixels of this square.
    """

    levels: NDArray[np.int16]
    to_square: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Fill:
    """The picture that is shown in place of a mask.

    Attributes:
        rgb: uint8 [128, 128, 3], RGB, the crop with its hole filled.
        version: a number that changes with each new fill of this track.
        detail: what is added in the frame at nose and mouth, or None.
        grain: the texture to add in the frame, or None.
    """

    rgb: NDArray[np.uint8]
    version: int = 0
    detail: Detail | None = None
    grain: Grain | None = None


@dataclass(frozen=True, eq=False)
class InpaintedFace:
    """A face that was found, with its fill if it wears a mask.

    Attributes:
        segmented: the face in this frame.
        fill: what is shown in place of the mask; None for a bare face.
        filled: the face that the fill was made for, maybe in an earlier frame; None for a bare face.
    """

    segmented: SegmentedFace
    fill: Fill | None = None
    filled: SegmentedFace | None = None


@dataclass(frozen=True, eq=False)
class InpaintedFrame:
    """A frame with the fills of its faces: from inpainting to compositing.

    Attributes:
        segmented: the frame.
        faces: those of its detections that count as faces.
        latency_ms: time spent in each stage so far.
    """

    segmented: SegmentedFrame
    faces: tuple[InpaintedFace, ...]
    latency_ms: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class FaceResult:
    """The result of one face.

    Attributes:
        track_id: the number of the face, the same from frame to frame.
        box: bounding box: x0, y0, x1, y1 in pixels.
        keypoints: float64 [5, 2], pixels: eyes, nose, mouth corners.
        mask_coverage: share of the crop that is mask, 0..1.
        inpainted: whether the frame was changed here. The lower face shown is then invented.
        crop_before: uint8 [128, 128, 3], RGB, the canonical crop of the given frame; black outside it.
        crop_after: the same crop of the finished frame; `crop_before` itself where not inpainted.
    """

    track_id: int
    box: tuple[float, float, float, float]
    keypoints: NDArray[np.float64]
    mask_coverage: float
    inpainted: bool
    crop_before: NDArray[np.uint8]
    crop_after: NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class UnmaskResult:
    """The result of one frame.

    Attributes:
        frame: uint8 [H, W, 3], BGR; the given frame itself where nothing was replaced.
        replaced: uint8 [H, W], 255 where pixels were replaced, else 0; as it is an array, ask
            `any_replaced` whether there are any.
        faces: every face found, up to `max_faces`.
        latency_ms: time of each stage: detect_and_track, segment, inpaint, composite.
        faces_left_out: further faces that were found in this frame.
    """

    frame: NDArray[np.uint8]
    replaced: NDArray[np.uint8]
    faces: list[FaceResult]
    latency_ms: Mapping[str, float] = field(default_factory=dict)
    faces_left_out: int = 0

    @property
    def any_replaced(self) -> bool:
        """Whether any pixel was replaced: the frame then shows a lower face that is invented."""
        return bool(self.replaced.any())


__all__ = [
    "CANONICAL",
    "NOMINAL_INTERVAL_S",
    "CropChange",
    "CropWindow",
    "Detail",
    "Face",
    "FaceResult",
    "Fill",
    "Grain",
    "InpaintedFace",
    "InpaintedFrame",
    "SegmentedFace",
    "SegmentedFrame",
    "TrackedFace",
    "TrackedFrame",
    "UnmaskResult",
]

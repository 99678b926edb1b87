"""What becomes of a scene: the face found and filled, the mask marked, and the fill against the truth."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from benchmarks.finding.matching import Seen, faces_of, nearest
from benchmarks.finding.placing import still
from benchmarks.kinds.scene import Picture, Scene
from benchmarks.photographs.outlines import iou
from realtime import Unmasker, UnmaskResult
from realtime.align.canonical_crop import CROP_SIZE
from realtime.frames import SegmentedFrame
from realtime.imaging.mask_regions import dilated

STREAM_FRAMES = 12
_RING = 0.08  # width of the ring round the mask, of the face's width: 8 px of a face 100 px wide
# Distance in RGB from which on a mask can be told from the face, as a share of the face's own colour.
_LEAST_CONTRAST = 0.15


@dataclass(frozen=True)
class Outcome:
    """What became of one scene. The measures of marking and filling are NaN where nothing was filled.

    Attributes:
        name: of the photograph.
        found: as a picture: a face is reported whose eyes are near the true ones.
        filled: as a picture: its mask was filled.
        stream_found, stream_filled: the same of the last of so many equal frames.
        touched, stream_touched: any pixel was changed.
        iou: of the marked mask and the rendered one, in the pixels of the crop.
        left: share of the mask's pixels that still have about the mask's colour.
        psnr_db: under the mask, all colours together.
        ring: mean colour error in the ring round the mask, levels.
    """

    name: str
    found: bool
    filled: bool
    stream_found: bool
    stream_filled: bool
    touched: bool
    stream_touched: bool
    iou: float
    left: float
    psnr_db: float
    ring: float


def look(name: str, scene: Scene, pictures: Unmasker, stream: Unmasker) -> tuple[Outcome, Picture]:
    """Show a scene as a picture and as a stream.

    Args:
        name: of its photograph.
        scene: rendered.
        pictures: in mode "image".
        stream: in mode "video".

    Returns:
        The outcome, and the result of the picture, uint8 [H, W, 3] RGB.
    """
    frame = np.ascontiguousarray(scene.rgb[:, :, ::-1])
    segmented = pictures.segment(pictures.detect_and_track(frame))
    result = pictures.composite(pictures.inpaint(segmented))
    stream.reset()
    *_, last = (stream(same, time_s) for same, time_s in still(frame, STREAM_FRAMES))
    face, in_stream = _face(result, scene), _face(last, scene)
    after = np.ascontiguousarray(result.frame[:, :, ::-1])
    marked = left = psnr = ring = float("nan")
    if face is not None and face.filled and scene.mask.any():
        marked = _marked_iou(segmented, face.track_id, scene)
        left, psnr, ring = mask_left(scene, after), psnr_db(scene, after), ring_error(scene, after)
    return Outcome(
        name,
        face is not None,
        face is not None and face.filled,
        in_stream is not None,
        in_stream is not None and in_stream.filled,
        result.any_replaced,
        last.any_replaced,
        marked,
        left,
        psnr,
        ring,
    ), after


def _face(result: UnmaskResult, scene: Scene) -> Seen | None:
    return nearest(faces_of(result), scene.eyes, scene.width_px)


def _marked_iou(segmented: SegmentedFrame, track_id: int, scene: Scene) -> float:
    """IoU in the crop of a face, inside the picture."""
    face = next(face for face in segmented.faces if face.track_id == track_id)
    size = (CROP_SIZE, CROP_SIZE)
    true, ignored = (
        cv2.warpAffine(flags.astype(np.float32), face.matrix, size) > 0.5
        for flags in (scene.mask, scene.ignored)
    )
    looked_at = face.valid & ~ignored
    return iou(face.mask & looked_at, true & looked_at)


def mask_left(scene: Scene, after_rgb: Picture) -> float:
    """Share of the mask that is left to see.

    Of the mask's pixels whose colour differs visibly from the truth's, those count whose result is off the
    mask's colour by less than half that difference. NaN where no pixel differs.
    """
    where = scene.mask & ~scene.ignored
    masked, truth, after = (
        one[where].astype(np.float32) for one in (scene.rgb, scene.truth_rgb, after_rgb)
    )
    contrast = np.linalg.norm(masked - truth, axis=1)
    visible = contrast > _LEAST_CONTRAST * np.linalg.norm(truth, axis=1).mean()
    if not visible.any():
        return float("nan")
    return float((np.linalg.norm(after - masked, axis=1) < contrast / 2)[visible].mean())


def psnr_db(scene: Scene, after_rgb: Picture) -> float:
    """PSNR against the truth over the mask's pixels, dB."""
    where = scene.mask & ~scene.ignored
    off = after_rgb[where].astype(np.float64) - scene.truth_rgb[where]
    return float(10 * np.log10(255**2 / max(float((off**2).mean()), 1e-3)))


def ring_error(scene: Scene, after_rgb: Picture) -> float:
    """Mean absolute error against the truth in a ring round the mask, levels."""
    reach = max(1, round(_RING * scene.width_px))
    where = dilated(scene.mask, reach) & ~scene.mask & ~scene.ignored
    off = after_rgb[where].astype(np.float64) - scene.truth_rgb[where]
    return float(np.abs(off).mean()) if off.size else float("nan")

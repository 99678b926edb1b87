"""Measures of how real a filled face looks: sharpness against its own skin, seam, temporal change.

They need frames only, so that they can be applied to the ground truth as well.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.align.affine import scale_of
from realtime.align.canonical_crop import CROP_SIZE
from realtime.align.face_regions import SKIN_SEEDS
from realtime.align.warp_crop import warp_crop
from realtime.composite.grain_synthesis import bare_skin
from realtime.imaging.mask_regions import eroded
from realtime.imaging.skin import has_tone, skin_tone, to_ycc

_BORDER_PX = 3  # crop pixels inside the hole's contour that do not count
_LOG_SIGMA_PX = 1.0  # of the Laplacian of Gaussian
_LEAST_OUTSIDE_PX, _LEAST_INSIDE_PX = 80, 200  # skin pixels of the crop that a measure needs
_LEAST_CONTOUR_PX = 50  # points of the hole's contour that a measure needs
_FACE_WIDTH_PX = 75  # typical width of a face in the crop
_UPSCALE = 2  # seam and change are measured on a crop of twice the size
_LEAST_ENERGY = 1e-3  # keeps ratios finite


@dataclass(frozen=True)
class FilledCrop:
    """The crop of a face that was filled.

    Attributes:
        matrix: float64 [2, 3], frame pixels to crop pixels.
        crop: uint8 [128, 128, 3], RGB, of the input frame.
        valid: bool [128, 128], the pixels that lie inside the frame.
        hole: bool [128, 128], the pixels that were replaced.
    """

    matrix: NDArray[np.float64]
    crop: NDArray[np.uint8]
    valid: NDArray[np.bool_]
    hole: NDArray[np.bool_]

    @property
    def known(self) -> NDArray[np.bool_]:
        """The pixels of the input frame that were kept, bool [128, 128]."""
        return self.valid & ~self.hole

    @property
    def face_px(self) -> float:
        """The face's approximate width in the frame, pixels."""
        return _FACE_WIDTH_PX / scale_of(self.matrix)


def filled_crop(
    frame_bgr: NDArray[np.uint8], replaced: NDArray[np.uint8], matrix: NDArray[np.float64]
) -> FilledCrop:
    """Warp a frame and its replaced pixels into crop space."""
    crop, valid = warp_crop(cv2.cvtColor(frame_bgr, cv2.COLOR_BGR2RGB), matrix)
    hole = cv2.warpAffine(replaced, matrix, (CROP_SIZE, CROP_SIZE), flags=cv2.INTER_NEAREST) > 0
    return FilledCrop(matrix, crop, valid, hole)


@dataclass(frozen=True)
class Sharpness:
    """High-frequency energy inside the hole over that of the known skin; 1 is as sharp.

    Attributes:
        of_medians: ratio of the medians of |LoG|: pores, grain and noise of plain skin.
        of_means: ratio of the means of |LoG|, to which wrinkles, moles and nostrils contribute.
    """

    of_medians: float
    of_means: float


def sharpness(filled: FilledCrop, shown_bgr: NDArray[np.uint8]) -> Sharpness | None:
    """Compare a frame's sharpness inside the hole with that outside.

    The energy is |Laplacian of Gaussian|, sigma 1 frame pixel, of the luma at the frame's resolution.
    Inside are skin-like pixels at least 3 crop pixels from the hole's contour, outside skin-like pixels
    of forehead and cheeks. Skin-like pixels have about the median colour of forehead and cheeks.

    Args:
        filled: the filled crop.
        shown_bgr: uint8 [H, W, 3], the result or the truth.

    Returns:
        The ratios, or None where too little skin is visible.
    """
    shown, _ = warp_crop(cv2.cvtColor(shown_bgr, cv2.COLOR_BGR2RGB), filled.matrix)
    ycc = to_ycc(np.where(filled.hole[..., None], shown, filled.crop).astype(np.uint8))
    tone = skin_tone(ycc, [seeds & filled.known for seeds in SKIN_SEEDS])
    if tone is None:
        return None
    like = has_tone(ycc, tone)
    outside = bare_skin(like, filled.known)
    inside = eroded(like, 1) & eroded(filled.hole, _BORDER_PX)
    if outside.sum() < _LEAST_OUTSIDE_PX or inside.sum() < _LEAST_INSIDE_PX:
        return None
    luma = cv2.cvtColor(shown_bgr, cv2.COLOR_BGR2GRAY).astype(np.float32)
    blurred = cv2.GaussianBlur(luma, (0, 0), _LOG_SIGMA_PX)
    energy = np.abs(cv2.Laplacian(blurred, cv2.CV_32F, ksize=1))
    size = (shown_bgr.shape[1], shown_bgr.shape[0])
    flags = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
    within, around = (
        energy[cv2.warpAffine(where.view(np.uint8), filled.matrix, size, flags=flags) > 0]
        for where in (inside, outside)
    )
    if not len(within) or not len(around):
        return None
    return Sharpness(
        float(np.median(within) / max(np.median(around), _LEAST_ENERGY)),
        float(within.mean() / max(around.mean(), _LEAST_ENERGY)),
    )


def seam(filled: FilledCrop, shown_bgr: NDArray[np.uint8]) -> float | None:
    """Mean step across the hole's contour over the mean step 4 to 5 crop pixels inside and outside it.

    A step is the difference over 2 crop pixels along the contour's normal, the mean of three colours.
    None is returned where too little of the contour lies in the frame.
    """
    crop = warp_crop(shown_bgr, filled.matrix, CROP_SIZE * _UPSCALE)[0]
    picture = cv2.GaussianBlur(crop, (0, 0), 0.7).astype(np.float32)
    points, normals = _contour(filled)
    if len(points) < _LEAST_CONTOUR_PX:
        return None

    def step(away_px: float) -> float:
        ends = (
            cv2.remap(picture, *_remap_grids(points + _UPSCALE * (away_px + end) * normals), 1)
            for end in (-1, 1)
        )
        return float(np.abs(np.subtract(*ends)).mean())

    beside = np.mean([step(away) for away in (-5, -4, 4, 5)])
    return float(np.mean([step(away) for away in (-2, -1, 0)]) / max(beside, _LEAST_ENERGY))


def _contour(filled: FilledCrop) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Points of the hole's contour inside the frame, and their outward normals, [N, 2], upscaled."""
    size = (CROP_SIZE * _UPSCALE,) * 2
    hole, valid = (
        cv2.resize(where.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
        for where in (filled.hole, filled.valid)
    )
    away = cv2.distanceTransform(1 - hole, cv2.DIST_L2, 5)
    away = cv2.GaussianBlur(away - cv2.distanceTransform(hole, cv2.DIST_L2, 5), (0, 0), 3)
    slope = np.dstack([cv2.Sobel(away, cv2.CV_32F, 1, 0), cv2.Sobel(away, cv2.CV_32F, 0, 1)]) / 8
    length = np.hypot(slope[..., 0], slope[..., 1])
    inner = np.zeros(size, dtype=bool)
    inner[16:-16, 16:-16] = True
    use = (np.abs(away) < 0.6) & (length > 0.4) & inner & eroded(valid > 0, 16)
    ys, xs = np.nonzero(use)
    normals = (slope[use] / length[use][:, None]).astype(np.float32)
    return np.column_stack([xs, ys]).astype(np.float32), normals


def _remap_grids(points: NDArray[np.floating]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    rows = points.T[:, None].astype(np.float32)
    return rows[0], rows[1]


def temporal_change(
    before: FilledCrop, before_bgr: NDArray[np.uint8], now: FilledCrop, now_bgr: NDArray[np.uint8]
) -> float | None:
    """Mean absolute change of luma inside the hole between two aligned frames; None for a small hole."""
    inside = eroded(before.hole & now.hole, _BORDER_PX)
    if inside.sum() < _LEAST_INSIDE_PX:
        return None
    one, other = (
        cv2.cvtColor(
            warp_crop(frame, filled.matrix, CROP_SIZE * _UPSCALE)[0], cv2.COLOR_BGR2GRAY
        ).astype(np.float32)
        for filled, frame in ((before, before_bgr), (now, now_bgr))
    )
    where = np.repeat(np.repeat(inside, _UPSCALE, 0), _UPSCALE, 1)
    return float(np.abs(one - other)[where].mean())

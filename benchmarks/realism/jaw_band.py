"""The band outside the true jaw line, where a mask that is wider than the face leaves a halo."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.align.face_regions import FACE_OVAL
from realtime.imaging.skin import has_tone, to_ycc

_JAW = slice(FACE_OVAL.index(323), FACE_OVAL.index(93) + 1)  # from one ear's lobe to the other's
_CORNERS_OF_JAW = 172, 397
REACH_PX = 8.0
"""Width of the band, crop px."""
_SHIFT = 4  # fractional bits of drawn coordinates


@dataclass(frozen=True, eq=False)
class JawBand:
    """Pixels beside the true jaw line, bool [H, W] each.

    Attributes:
        face: inside the face's oval.
        beside: in the band, right and left of the face.
        below: in the band, under the chin, between the corners of the jaw.
    """

    face: NDArray[np.bool_]
    beside: NDArray[np.bool_]
    below: NDArray[np.bool_]

    @property
    def whole(self) -> NDArray[np.bool_]:
        """The whole band."""
        return self.beside | self.below


def jaw_band(points: NDArray[np.float64], shape: tuple[int, int]) -> JawBand:
    """Mark the pixels up to 8 px outside the jaw line, from one ear's lobe to the other's.

    Args:
        points: float64 [478, 2], the landmarks of the bare face, pixels of an upright crop.
        shape: height and width of the crop.
    """
    oval = points[list(FACE_OVAL)]
    face = np.zeros(shape, np.uint8)
    cv2.fillPoly(face, [_fixed(oval)], 1, cv2.LINE_8, _SHIFT)
    to_jaw = _distance_to(oval[_JAW], shape)
    to_rest = _distance_to(np.vstack([oval[_JAW.stop - 1 :], oval[: _JAW.start + 1]]), shape)
    away = cv2.distanceTransform(1 - face, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    band = (away > 0) & (away <= REACH_PX) & (to_jaw < to_rest)
    (left, low), (right, other) = sorted(points[list(_CORNERS_OF_JAW)].tolist())
    ys, xs = np.mgrid[: shape[0], : shape[1]]
    below = band & (xs > left) & (xs < right) & (ys > (low + other) / 2)
    return JawBand(face > 0, band & ~below, below)


def _distance_to(line: NDArray[np.float64], shape: tuple[int, int]) -> NDArray[np.float32]:
    """Distance of each pixel to a line [N, 2], pixels, float32 [H, W]."""
    drawn = np.ones(shape, np.uint8)
    cv2.polylines(drawn, [_fixed(line)], False, 0, 1, cv2.LINE_8, _SHIFT)
    return np.asarray(cv2.distanceTransform(drawn, cv2.DIST_L2, cv2.DIST_MASK_PRECISE), np.float32)


def _fixed(points: NDArray[np.float64]) -> NDArray[np.int32]:
    return np.round(points * (1 << _SHIFT)).astype(np.int32)


def places(
    band: JawBand, truth_rgb: NDArray[np.uint8], tone: NDArray[np.float64]
) -> dict[str, NDArray[np.bool_]]:
    """Split the band by what the bare photograph shows there, bool [H, W] each.

    Args:
        band: the band.
        truth_rgb: uint8 [H, W, 3], RGB, the bare crop.
        tone: float64 [3], luma, Cr, Cb of the person's skin.
    """
    skin = has_tone(to_ycc(truth_rgb), tone)
    return {
        "beside the jaw: background, hair": band.beside & ~skin,
        "beside the jaw: neck, ear": band.beside & skin,
        "below the chin: neck": band.below & skin,
        "below the chin: shadow, collar": band.below & ~skin,
    }

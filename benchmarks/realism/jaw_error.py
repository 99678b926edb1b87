"""The colour error of a fill outside the true jaw line, and inside the face, in crop space."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.color import deltaE_cie76, rgb2lab

from benchmarks.realism.jaw_band import jaw_band, places
from realtime.align.affine import apply, compose
from realtime.align.canonical_crop import CROP_SIZE
from realtime.align.face_regions import SKIN_SEEDS
from realtime.align.warp_crop import warp_crop
from realtime.detect.face_geometry import scaled_and_shifted
from realtime.frames import Face
from realtime.imaging.skin import has_tone, skin_tone, to_ycc

BAND, UNDER_MASK = "band, all", "control: inside the face"
_MARGIN_PX = 16  # round the canonical crop, which ends just below the chin, crop px
_LEAST_PX = 20  # of a place that counts in a face, crop px
Picture = NDArray[np.uint8]


class ColourError(NamedTuple):
    """How far a fill is from the truth in one place of one face.

    Attributes:
        px: pixels compared, crop px.
        levels: mean absolute difference of the three colours, levels of 0..255.
        delta_e: mean CIELAB difference (CIE76).
        skin: share of the pixels that have the skin's colour in the fill and another in the truth.
    """

    px: int
    levels: float
    delta_e: float
    skin: float


def colour_errors(
    bare: Picture,
    shown: Picture,
    replaced: NDArray[np.bool_],
    mask: NDArray[np.bool_],
    face: Face,
) -> Iterator[tuple[str, ColourError]]:
    """Compare a result with the bare photograph over the replaced pixels, place by place.

    Args:
        bare, shown: uint8 [H, W, 3], BGR: the truth and the result.
        replaced: bool [H, W], pixels that were replaced.
        mask: bool [H, W], the true pixels of the mask.
        face: of the bare photograph.

    Yields:
        Each place and its error. Places of fewer than 20 px are left out, and all of a face without
        landmarks or without visible skin.
    """
    if face.landmarks is None:
        return
    side = CROP_SIZE + 2 * _MARGIN_PX
    matrix = compose(scaled_and_shifted(1.0, _MARGIN_PX, _MARGIN_PX), face.matrix)
    (truth, valid), (result, _) = (
        warp_crop(np.ascontiguousarray(picture[:, :, ::-1]), matrix * (CROP_SIZE / side), side)
        for picture in (bare, shown)
    )
    filled, worn = (
        cv2.warpAffine(where.view(np.uint8), matrix, (side, side), flags=cv2.INTER_NEAREST) > 0
        for where in (replaced, mask)
    )
    inner = slice(_MARGIN_PX, -_MARGIN_PX)
    ycc = to_ycc(truth)
    seeds = [seeds & valid[inner, inner] for seeds in SKIN_SEEDS]
    tone = skin_tone(np.ascontiguousarray(ycc[inner, inner]), seeds)
    if tone is None:
        return
    band = jaw_band(apply(matrix, face.landmarks), (side, side))
    levels = np.abs(truth.astype(np.float32) - result).mean(2)
    delta_e = deltaE_cie76(rgb2lab(truth), rgb2lab(result))
    invented = has_tone(to_ycc(result), tone) & ~has_tone(ycc, tone)
    parts = {BAND: band.whole, **places(band, truth, tone), UNDER_MASK: band.face & worn}
    for place, part in parts.items():
        where = part & filled & valid
        px = int(where.sum())
        if px >= _LEAST_PX:
            means = [float(one[where].mean()) for one in (levels, delta_e, invented)]
            yield place, ColourError(px, *means)

"""Colour matching: bends filled colours so that they meet the ring of known pixels round the hole."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.frames import Fill, SegmentedFace
from realtime.imaging.colour_distance import local_mean
from realtime.imaging.mask_regions import padded_bounding_box
from realtime.inpaint.appearance import FillStep

_RIM_PX = 1  # the mask colours the pixels that it touches; they are left out
_RING_PX = 4  # width of the ring of known pixels, and of the ring of filled ones
_MARGIN_PX = 12  # of known pixels kept round the hole
_RING_SIGMA_PX = 3.0  # of the Gaussian that averages along the ring
_FIELD_SIGMA_PX = 5.0  # of the Gaussian that spreads the offsets into the hole
_FADE_PX = 6.0  # depth in the hole at which an offset has fallen to 1/e
_FOREIGN = 25.0  # levels: an offset so far off the usual one is another object, not another light
_NATURAL = 4.0  # levels: the shading of bare faces alone makes a usual offset of this size
_DOUBT = 0.016  # pulls the field of offsets to zero where few rim pixels are near


class ColourMatching(FillStep):
    """Adds a smooth field of colour offsets to the fill.

    The offset, known minus filled, is taken all along the rim, smoothed, and fades towards the middle of
    the hole, where the generator is the better judge. Where the offset differs much from the rest of the
    rim, hair, a collar or the background crosses it, and nothing is moved.
    """

    name = "colour match"

    def __call__(self, fill: Fill, face: SegmentedFace) -> Fill:
        """Match the colours of the fill; see `FillStep`."""
        hole, known = face.hole, face.known
        box = padded_bounding_box(hole, _MARGIN_PX)
        field = None if box is None else _offsets(fill.rgb[box], hole[box], known[box])
        if box is None or field is None:
            return fill
        out = fill.rgb.copy()
        inside = out[box]
        height, width = inside.shape[:2]
        matched = cv2.add(inside, cv2.resize(field, (width, height)), dtype=cv2.CV_8U)
        cv2.copyTo(matched, hole[box].view(np.uint8), inside)
        return replace(fill, rgb=out)


def _offsets(
    colours: NDArray[np.uint8], hole: NDArray[np.bool_], known: NDArray[np.bool_]
) -> NDArray[np.float32] | None:
    """The smooth field of colour offsets at half size, float32 [h/2, w/2, 3]; None without a rim."""
    depth = cv2.distanceTransform(hole.view(np.uint8), cv2.DIST_L2, 3)[::2, ::2]
    away = cv2.distanceTransform((~hole).view(np.uint8), cv2.DIST_L2, 3)[::2, ::2]
    ring = known[::2, ::2] & (away > _RIM_PX) & (away <= _RIM_PX + _RING_PX)
    half = colours[::2, ::2].astype(np.float32)
    wanted, weight = local_mean(half, ring, _RING_SIGMA_PX / 2)
    found, _ = local_mean(half, (depth > 0) & (depth <= _RING_PX), _RING_SIGMA_PX / 2)
    rim = (depth > 0) & (depth <= _RIM_PX + 1) & (weight > 0.02)
    offset = (wanted - found)[rim]
    if not len(offset):
        return None
    usual = np.median(offset, axis=0)
    usual -= np.clip(usual, -_NATURAL, _NATURAL)
    odd = np.abs(offset - usual).max(1, keepdims=True) / _FOREIGN
    alike = np.square(np.clip(1 - odd * odd, 0, None))
    total = np.zeros((*rim.shape, 4), np.float32)
    total[rim] = np.hstack([offset * alike, alike])
    total = cv2.GaussianBlur(total, (0, 0), _FIELD_SIGMA_PX / 2)
    share = np.exp(-depth / _FADE_PX) / (total[..., 3] + _DOUBT)
    return total[..., :3] * share[..., None]

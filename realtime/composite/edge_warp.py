"""Warp sharpening: moves the pixels beside soft contours closer to them, so that these become narrow."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.align.face_regions import INNER_FACE
from realtime.frames import Fill, SegmentedFace
from realtime.imaging.mask_regions import padded_bounding_box
from realtime.inpaint.appearance import FillStep
from realtime.settings import COMPOSITE

_MARGIN_PX = 8  # of the crop round the hole that is worked on, crop px
_FADE_PX = (
    4.0  # from the hole's edge on which nothing moves to where all is warped in full, crop px
)
# Edges are looked for at half the crop's resolution: contours of a fill are soft. Half px:
_FINE_SIGMA = 0.5  # of the blur before gradients are taken, and of that of the shifts
_EDGE_SIGMA = 1.0  # of the blur that makes a ridge of each edge
_SCHARR_SUM = 32.0  # a Scharr derivative over this is a difference a pixel
# Levels to the levels of a square-root scale: a dark contour is an edge like a bright one.
_SQUARE_ROOT = np.sqrt(np.arange(256, dtype=np.float32) * 255)


class EdgeWarp(FillStep):
    """Narrows the contours of a fill, which its generator paints soft, by warping.

    Colours are taken from further away from an edge than where they are shown; nothing overshoots.
    Shading, whose gradients are weak, stays, and so do nose and mouth, where it is strong.

    Source: Arad and Gotsman, "Enhancement by image-dependent warping", IEEE Transactions on Image
    Processing 8(8), 1999.
    """

    name = "edge warp"

    def __call__(self, fill: Fill, face: SegmentedFace) -> Fill:
        """Narrow the contours in the hole; see `FillStep`."""
        hole = face.hole
        box = padded_bounding_box(hole, _MARGIN_PX)
        if box is None:
            return fill
        inside = cv2.distanceTransform(hole[box].view(np.uint8), cv2.DIST_L2, 3)
        outer = 1 - face.window.show(INNER_FACE)[box]
        warped = _warp(fill.rgb[box], np.minimum(inside / _FADE_PX, 1) * outer)
        out = fill.rgb.copy()
        cv2.copyTo(warped, hole[box].view(np.uint8), out[box])
        return replace(fill, rgb=out)


def _warp(picture_rgb: NDArray[np.uint8], share: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Sharpen uint8 [h, w, 3], each pixel by a share, float32 [h, w]."""
    height, width = share.shape
    across, down = (
        share * cv2.resize(shift, (width, height)) for shift in _away_from_edges(picture_rgb)
    )
    across += np.arange(width, dtype=np.float32)
    down += np.arange(height, dtype=np.float32)[:, None]
    warped = cv2.remap(picture_rgb, across, down, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(warped, np.uint8)


def _away_from_edges(picture_rgb: NDArray[np.uint8]) -> tuple[NDArray, NDArray]:
    """From where pixels take their colours, crop px to the right and down; float32 [h / 2, w / 2].

    An edge becomes a Gaussian ridge. At a distance x from its crest of the variance v the ridge E has the
    slope -x E / v: slope over height gives the distance, whatever the edge's strength.
    """
    height, width = picture_rgb.shape[:2]
    half = ((width + 1) // 2, (height + 1) // 2)
    small = cv2.resize(cv2.LUT(picture_rgb, _SQUARE_ROOT), half, interpolation=cv2.INTER_AREA)
    x, y = _derivatives(cv2.GaussianBlur(small, (0, 0), _FINE_SIGMA))
    ridge = cv2.GaussianBlur(np.max(cv2.magnitude(x, y), -1), (0, 0), _EDGE_SIGMA)
    x, y = _derivatives(ridge)
    slope = np.maximum(cv2.magnitude(x, y), 1e-6)
    distance = COMPOSITE.edge_variance_px2 * slope / np.maximum(ridge, 1e-3)
    soft, strong = COMPOSITE.soft_edge_levels, COMPOSITE.strong_edge_levels
    share = np.clip((ridge - soft) / (strong - soft), 0, 1)
    moved = np.minimum(COMPOSITE.edge_warp * distance, COMPOSITE.most_edge_warp_px)
    moved *= share * share * (3 - 2 * share) / slope
    across, down = (cv2.GaussianBlur(-part * moved, (0, 0), _FINE_SIGMA) for part in (x, y))
    return across, down


def _derivatives(half_size: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Derivatives across and down of float32 [h, w] or [h, w, C] of half the crop's size, a crop px."""
    x, y = (cv2.Scharr(half_size, cv2.CV_32F, *order) for order in ((1, 0), (0, 1)))
    return x / (2 * _SCHARR_SUM), y / (2 * _SCHARR_SUM)

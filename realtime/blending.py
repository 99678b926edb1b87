"""Puts a filled crop back into the frame: feathered edge, colour matched to the ring round the hole."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.alignment import apply, invert, scale_of
from realtime.grain import Grain
from realtime.likeness import local_mean, mean_near, unlike_round
from realtime.regions import body_of, box_round

_RIM_PX, _RING_PX, _MARGIN_PX = 1, 4, 12
_RING_SIGMA_PX, _FIELD_SIGMA_PX, _FADE_PX = 3.0, 5.0, 6.0
_FOREIGN = 25.0  # an offset so many levels off the usual one is no matter of light
_NATURAL = 4.0  # the shading of bare faces alone makes a usual offset of this size
# How far from the mask the fill is seen at most, crop pixels: usually, and where a fringe surely shows.
_REVEALED_PX, _FRINGE_PX = 2.0, 3.5
_UNSEEN = 1 / 20  # an opacity below which the frame's own pixel stays
_ALIKE, _UNLIKE = 12.0, 36.0  # levels between crop and fill: not seen, surely seen
_CUBIC_PX = 3  # how far a bicubic warp looks
_ENLARGE, _ENLARGED_FROM = (
    3,
    2.0,
)  # frame pixels a crop pixel from which a fill is first enlarged so
_BESIDE = np.ones((3, 3), np.uint8)
_BESIDE_LOOPS = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
_DOUBT = 0.016  # pulls the field to zero where few rim pixels are near


@dataclass(frozen=True)
class Patch:
    """A rectangle of the frame with new content.

    Attributes:
        x, y: its top left corner in the frame, pixels.
        image: uint8 [h, w, 3], BGR, already blended.
        replaced: bool [h, w], where the frame changes.
    """

    x: int
    y: int
    image: NDArray[np.uint8]
    replaced: NDArray[np.bool_]


def match_colour(
    filled_rgb: NDArray[np.uint8], hole: NDArray[np.bool_], known: NDArray[np.bool_]
) -> NDArray[np.uint8]:
    """Bend the filled colours so that they meet the ring round the hole.

    The offset, known minus filled, is taken all along the rim, a little away from it (the mask colours
    what it touches), smoothed, and fades towards the middle: there the generator is the better judge.
    Where it differs much from the rest of the rim, hair, a collar or the background crosses: nothing
    is moved there.

    Args:
        filled_rgb: uint8 [128, 128, 3], composited.
        hole: bool [128, 128], the filled pixels.
        known: bool [128, 128], true pixels of the photograph (never inside the hole).

    Returns:
        uint8 [128, 128, 3]; equal to `filled_rgb` outside the hole.
    """
    box = box_round(hole, _MARGIN_PX)
    if box is None:
        return filled_rgb
    field = _offsets(filled_rgb[box], hole[box], known[box])
    if field is None:
        return filled_rgb
    out = filled_rgb.copy()
    inside = out[box]
    height, width = inside.shape[:2]
    bent = cv2.add(inside, cv2.resize(field, (width, height)), dtype=cv2.CV_8U)
    cv2.copyTo(bent, hole[box].view(np.uint8), inside)
    return out


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


def feather(
    mask: NDArray[np.bool_],
    hole: NDArray[np.bool_],
    crop_rgb: NDArray[np.uint8],
    filled_rgb: NDArray[np.uint8],
) -> NDArray[np.float32]:
    """Opacity of the fill: 1 on the mask, and round it only where the picture is not as the fill is.

    Beside the mask the fill falls off to the hole's rim. Where crop and fill agree there, on skin, the
    crop stays; where they do not, the mask's fringe or its shadow still shows and is covered, further
    out where the crop is not as it is beyond the hole either.

    Args:
        mask: bool [128, 128], mask pixels.
        hole: bool [128, 128], the mask widened.
        crop_rgb: uint8 [128, 128, 3], before filling.
        filled_rgb: uint8 [128, 128, 3], filled in the whole hole.

    Returns:
        float32 [128, 128], 0..1, 0 outside the hole.
    """
    opacity, box = np.zeros(hole.shape, np.float32), box_round(hole, _MARGIN_PX)
    if box is not None:
        opacity[box] = _opacity(mask[box], hole[box], crop_rgb[box], filled_rgb[box])
    return opacity


def _opacity(
    mask: NDArray[np.bool_],
    hole: NDArray[np.bool_],
    crop_rgb: NDArray[np.uint8],
    filled_rgb: NDArray[np.uint8],
) -> NDArray[np.float32]:
    """Do it for a part of the crop, [h, w]."""
    to_mask = cv2.distanceTransform((~mask).view(np.uint8), cv2.DIST_L2, 5)
    unlike = unlike_round(crop_rgb, filled_rgb)
    beyond, _ = mean_near(crop_rgb, ~hole, _RING_SIGMA_PX)
    odd = np.minimum(unlike, unlike_round(crop_rgb, beyond))
    reach = _REVEALED_PX + (_FRINGE_PX - _REVEALED_PX) * np.clip(odd / _UNLIKE - 1, 0, 1)
    ramp = np.clip(reach - to_mask, 0, 1)
    needed = np.clip((unlike - _ALIKE) / (_UNLIKE - _ALIKE), 0, 1)
    needed[mask] = 1
    needed[_beside_loops(mask)] = 1
    return np.asarray(ramp * ramp * (3 - 2 * ramp) * needed * hole, dtype=np.float32)


def _beside_loops(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Mark the mask's thin parts and two pixels round them, bool [h, w]: their light falls there too."""
    loops = cv2.subtract(mask.view(np.uint8), cv2.dilate(body_of(mask), _BESIDE))
    return cv2.dilate(loops, _BESIDE_LOOPS) > 0


def paste(
    frame_bgr: NDArray[np.uint8],
    filled_rgb: NDArray[np.uint8],
    opacity: NDArray[np.float32],
    matrix: NDArray[np.float64],
    grain: Grain | None = None,
) -> Patch | None:
    """Warp a filled crop back and blend it over its own region of the frame.

    Args:
        frame_bgr: uint8 [H, W, 3], not changed.
        filled_rgb: uint8 [128, 128, 3].
        opacity: float32 [128, 128], 0 keeps the frame.
        matrix: float64 [2, 3], frame pixels to crop pixels.
        grain: texture that the fill lacks against the frame.

    Returns:
        The patch, or None where nothing of it lies inside the frame.
    """
    shown = opacity > 0
    ys, xs = np.flatnonzero(shown.any(1)), np.flatnonzero(shown.any(0))
    if not len(xs):
        return None
    x0c, x1c, y0c, y1c = xs[0] - 1, xs[-1] + 1, ys[0] - 1, ys[-1] + 1
    corners = np.array([[x0c, y0c], [x1c, y0c], [x0c, y1c], [x1c, y1c]], dtype=np.float64)
    corners = apply(invert(matrix), corners)
    height, width = frame_bgr.shape[:2]
    x0, y0 = np.clip(np.floor(corners.min(0)).astype(int), 0, [width, height])
    x1, y1 = np.clip(np.ceil(corners.max(0)).astype(int) + 1, 0, [width, height])
    if x1 <= x0 or y1 <= y0:
        return None
    to_crop = matrix.copy()
    to_crop[:, 2] += matrix[:, :2] @ (x0, y0)
    size = (int(x1 - x0), int(y1 - y0))
    box = (
        slice(max(y0c - _CUBIC_PX, 0), y1c + _CUBIC_PX),
        slice(max(x0c - _CUBIC_PX, 0), x1c + _CUBIC_PX),
    )
    colours = _warped(filled_rgb[box], box[1].start, box[0].start, to_crop, size)
    if grain is not None:
        colours = grain.add_to(colours, int(x0), int(y0), to_crop)
    weight = cv2.warpAffine(opacity, to_crop, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    _, weight = cv2.threshold(weight, _UNSEEN, 0, cv2.THRESH_TOZERO)
    # A weight of 0 gives the frame's own pixel, bit for bit.
    region = np.ascontiguousarray(frame_bgr[y0:y1, x0:x1])
    image = cv2.blendLinear(colours, region, weight, 1 - weight)
    return Patch(int(x0), int(y0), image.astype(np.uint8, copy=False), weight > 0)


def _warped(
    part_rgb: NDArray[np.uint8],
    x: int,
    y: int,
    to_crop: NDArray[np.float64],
    size: tuple[int, int],
) -> NDArray[np.uint8]:
    """Warp a part of the crop, its corner at x, y, to the frame: uint8 [h, w, 3], BGR.

    Bicubic. Where it grows, first by a whole factor, bicubic too, then bilinear: half the time.
    """
    factor = _ENLARGE if scale_of(to_crop) < 1 / _ENLARGED_FROM else 1
    part = cv2.cvtColor(part_rgb, cv2.COLOR_RGB2BGR)
    way = cv2.INTER_CUBIC
    if factor > 1:
        part = cv2.resize(part, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)
        way = cv2.INTER_LINEAR
    to_part = to_crop * factor
    to_part[:, 2] += (factor - 1) / 2 - np.array([x, y]) * factor
    return cv2.warpAffine(
        part, to_part, size, flags=way | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE
    ).astype(np.uint8, copy=False)

"""Rasterisation: the pixels that the projected mask covers, with anti-aliasing by supersampling."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.synthetic.mask_surface import COLUMNS, ROWS, build_surface
from realtime.synthetic.pose import Pose, fit_pose
from realtime.synthetic.style import MaskStyle

_STRIPS = 6  # the surface is filled in so many vertical strips
_MARGIN_CM = 1.0  # round the mask, for its contact shadow
_COARSE_SCALE = 10  # pixels a centimetre under which coverage is supersampled 4 times, else twice
_SUBPIXEL_BITS = 4  # fractional bits of OpenCV's polygon corners

# Where straps end, by type: corner of the mask (0 top, 1 bottom) and canonical x, y, z in cm on the
# person's left.
_STRAP_ENDS: dict[str, tuple[tuple[int, tuple[float, float, float]], ...]] = {
    "ear": ((0, (7.75, 1.6, -3.0)), (1, (7.7, -1.4, -2.9))),
    "head": ((0, (7.7, 4.6, -3.0)), (1, (7.2, -2.6, -4.5))),
    "wing": ((0, (7.9, 0.9, -3.4)), (1, (7.9, -0.7, -3.3))),
    "none": (),
}


@dataclass(frozen=True, eq=False)
class RasterisedMask:
    """The mask projected into a picture.

    Attributes:
        region: x0, y0, x1, y1 of mask and shadow in the picture, pixels; empty if x1 <= x0.
        surface_region: x0, y0, x1, y1 of the surface without straps, inside `region`.
        points_px: float64 [ROWS, COLUMNS, 2], the projected surface.
        surface_coverage: uint8 [h, w], coverage of the region's pixels by the surface, 0..255.
        coverage: uint8 [h, w], coverage by surface and straps, 0..255.
        has_straps: whether any strap was drawn.
        pose: the head's pose.
    """

    region: tuple[int, int, int, int]
    surface_region: tuple[int, int, int, int]
    points_px: NDArray[np.float64]
    surface_coverage: NDArray[np.uint8]
    coverage: NDArray[np.uint8]
    has_straps: bool
    pose: Pose


def rasterise_mask(
    landmarks: NDArray[np.floating], style: MaskStyle, shape: tuple[int, int]
) -> RasterisedMask:
    """Project the mask into a picture of `shape` (H, W) and rasterise it inside its own region."""
    pose = fit_pose(landmarks)
    surface = build_surface(style.fit, style.pulled_down)
    points = pose.project_surface(surface)
    straps = _visible_straps(style, pose, surface.points_cm, points)
    region = _bounding_region(
        np.vstack([points.reshape(-1, 2), *straps]), _MARGIN_CM * pose.scale + 2, shape
    )
    x0, y0, x1, y1 = region
    if x1 <= x0 or y1 <= y0:
        nothing = np.zeros((0, 0), np.uint8)
        return RasterisedMask((0, 0, 0, 0), (0, 0, 0, 0), points, nothing, nothing, False, pose)
    factor = 4 if pose.scale < _COARSE_SCALE else 2
    supersampled = np.zeros(((y1 - y0) * factor, (x1 - x0) * factor), np.uint8)
    _fill_surface(supersampled, _to_supersampled(points, region, factor))
    size = (x1 - x0, y1 - y0)
    surface_coverage = coverage = _downsample(supersampled, size)
    if straps:
        for strap in straps:
            band = tapered_band(
                strap, style.strap_cm * pose.scale, 0.4 if style.strap_cm > 0.6 else 1.0
            )
            _fill_polygon(supersampled, _to_supersampled(band, region, factor))
        coverage = _downsample(supersampled, size)
    surface_region = _bounding_region(points.reshape(-1, 2), 0.25 * pose.scale + 3, shape)
    return RasterisedMask(
        region, surface_region, points, surface_coverage, coverage, bool(straps), pose
    )


def _downsample(supersampled: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    return np.asarray(cv2.resize(supersampled, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _to_supersampled(
    points: NDArray[np.float64], region: tuple[int, int, int, int], factor: int
) -> NDArray[np.float64]:
    """Map picture pixels (centres at whole numbers) to pixels of the supersampled region."""
    return (points - np.array(region[:2]) + 0.5) * factor - 0.5


def _fill_surface(supersampled: NDArray[np.uint8], points: NDArray[np.float64]) -> None:
    """Fill the surface strip by strip, so that it has no gaps where a turned head folds it."""
    step = (COLUMNS - 1) // _STRIPS
    for start in range(0, COLUMNS - 1, step):
        stop = start + step
        strip = np.concatenate(
            [
                points[0, start : stop + 1],
                points[1:, stop],
                points[ROWS - 1, start:stop][::-1],
                points[1:-1, start][::-1],
            ]
        )
        _fill_polygon(supersampled, strip)


def _fill_polygon(supersampled: NDArray[np.uint8], corners: NDArray[np.float64]) -> None:
    fixed_point = np.round(corners * 2**_SUBPIXEL_BITS).astype(np.int32)
    cv2.fillPoly(supersampled, [fixed_point], 255, shift=_SUBPIXEL_BITS)


def _visible_straps(
    style: MaskStyle, pose: Pose, points_cm: NDArray[np.float64], points: NDArray[np.float64]
) -> list[NDArray[np.float64]]:
    """Polylines [N, 2] in pixels of the straps on the side of the head that faces the camera."""
    lines: list[NDArray[np.float64]] = []
    if style.strap_visible <= 0:
        return lines
    outwards = pose.camera[0] / max(math.hypot(*pose.camera[0]), 1e-9)
    t = np.linspace(0, style.strap_visible, 9)[:, None]
    for side, column in ((-1.0, 0), (1.0, COLUMNS - 1)):
        for corner, end_cm in _STRAP_ENDS[style.straps]:
            row = 1 if corner == 0 else ROWS - 2
            start_cm, start = points_cm[row, column], points[row, column]
            end_cm = np.array([side * end_cm[0], end_cm[1], end_cm[2]])
            end = start + (end_cm - start_cm) @ pose.camera[:3]
            if side * ((end - start) @ outwards) < 0.2 * pose.scale:
                continue
            line = start + (end - start) * t
            bow = np.array([0.0, 0.25 * pose.scale * (1 if corner else -1)])
            lines.append(line + bow * (4 * t * (1 - t)))
    return lines


def tapered_band(
    line: NDArray[np.float64], width: float, end_share: float = 1.0
) -> NDArray[np.float64]:
    """A polygon round a line [N, 2]: `width` wide at its start, `width * end_share` at its end."""
    along = np.empty_like(line)
    along[1:-1], along[0], along[-1] = line[2:] - line[:-2], line[1] - line[0], line[-1] - line[-2]
    normal = along[:, ::-1] * np.array([1.0, -1.0])
    normal /= np.maximum(np.hypot(normal[:, 0], normal[:, 1]), 1e-9)[:, None]
    narrow = np.linspace(1.0, end_share, len(line))
    half = 0.5 * width * narrow[:, None] * normal
    return np.vstack([line + half, (line - half)[::-1]])


def _bounding_region(
    points: NDArray[np.float64], margin: float, shape: tuple[int, int]
) -> tuple[int, int, int, int]:
    """Bounding box x0, y0, x1, y1 of points with a margin, clipped to the picture."""
    low = np.floor(points.min(0) - margin)
    high = np.ceil(points.max(0) + margin) + 1
    limit = np.array([shape[1], shape[0]], dtype=np.float64)
    x0, y0 = np.clip(low, 0, limit).astype(int)
    x1, y1 = np.clip(high, 0, limit).astype(int)
    return int(x0), int(y0), int(x1), int(y1)

"""UV mapping: from picture pixels to texture coordinates, by a thin-plate spline."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.synthetic.mask_surface import COLUMNS, ROWS, surface_tangents

_U, _V = np.meshgrid(np.linspace(0, 1, COLUMNS), np.linspace(0, 1, ROWS))
# The points of the surface that the spline goes through, and their texture coordinates.
_KNOTS = (slice(0, ROWS, 2), slice(0, COLUMNS, 3))
_KNOT_UV = np.stack([_U[_KNOTS], _V[_KNOTS]], -1).reshape(-1, 2)
_FEWEST_KNOTS = 12  # a spline through fewer visible knots is not determined well
_LATTICE = 15, 13  # pixels, across and down, that the spline is computed at before bicubic resizing
_SMOOTHING = (
    1e-4  # added to the spline's diagonal; keeps the system solvable for knots that coincide
)


def uv_coordinates(
    points_px: NDArray[np.float64], region: tuple[int, int, int, int]
) -> NDArray[np.floating]:
    """Compute the texture coordinates of a region's pixels.

    Args:
        points_px: float64 [ROWS, COLUMNS, 2], the projected surface.
        region: x0, y0, x1, y1 in pixels.

    Returns:
        float32 [h, w, 2], u and v: 0..1 on the mask, below 0 or above 1 beside it.
    """
    knots = points_px[_KNOTS].reshape(-1, 2)
    visible = _faces_the_camera(points_px)[_KNOTS].reshape(-1)
    if visible.sum() < _FEWEST_KNOTS:
        visible[:] = True
    x0, y0, x1, y1 = region
    width, height = x1 - x0, y1 - y0
    unit = max(width, height) / 2
    middle = np.array([(x0 + x1) / 2, (y0 + y1) / 2])
    at = ((knots[visible] - middle) / unit).astype(np.float32)
    lattice_w, lattice_h = min(width, _LATTICE[0]), min(height, _LATTICE[1])
    xs = x0 - 0.5 + (np.arange(lattice_w) + 0.5) * width / lattice_w
    ys = y0 - 0.5 + (np.arange(lattice_h) + 0.5) * height / lattice_h
    grid = np.stack(np.meshgrid(xs, ys), -1).reshape(-1, 2)
    values = thin_plate_spline(at, _KNOT_UV[visible], ((grid - middle) / unit).astype(np.float32))
    coarse = values.reshape(lattice_h, lattice_w, 2).astype(np.float32)
    return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC))


def _faces_the_camera(points: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Back-face culling: the points whose patch keeps its orientation and is not seen edge-on."""
    across, down = surface_tangents(points)
    area = across[..., 0] * down[..., 1] - across[..., 1] * down[..., 0]
    return area > 0.08 * np.sort(area, axis=None)[int(0.8 * area.size)]


def _kernel(a: NDArray[np.floating], b: NDArray[np.floating]) -> NDArray[np.floating]:
    """The thin-plate kernel r^2 log r^2 between points [N, 2] and [M, 2]."""
    x = np.subtract.outer(a[:, 0], b[:, 0])
    y = np.subtract.outer(a[:, 1], b[:, 1])
    square = x * x
    square += y * y
    np.maximum(square, 1e-12, out=square)
    return square * np.log(square)


def thin_plate_spline(
    at: NDArray[np.floating], values: NDArray[np.float64], where: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Interpolate values [N, K] at points [N, 2] to other points `where` [M, 2]: [M, K]."""
    count = len(at)
    system = np.zeros((count + 3, count + 3))
    system[:count, :count] = _kernel(at, at)
    system[np.arange(count), np.arange(count)] += _SMOOTHING
    system[:count, count] = system[count, :count] = 1
    system[:count, count + 1 :] = at
    system[count + 1 :, :count] = at.T
    right = np.zeros((count + 3, values.shape[1]))
    right[:count] = values
    weights = np.linalg.solve(system, right)
    bent = _kernel(where, at) @ weights[:count].astype(np.float32)
    return bent + weights[count] + where @ weights[count + 1 :]

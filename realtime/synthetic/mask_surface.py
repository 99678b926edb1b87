"""The mask as a curved surface in space: from its fit to a grid of points on the canonical head."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from realtime.align.canonical_head import CANONICAL_HEAD
from realtime.synthetic.style import Fit, PulledDown

COLUMNS, ROWS = 25, 13  # points of the surface, across and down
# The points that follow the face's shape; the others are interpolated between them.
_CONTROL_COLUMNS, _CONTROL_ROWS = slice(0, COLUMNS, 4), slice(0, ROWS, 3)
_BELOW_NOSE_Y, _BELOW_MOUTH_Y = -2.6, -6.2  # top edge of a mask that is pulled down, cm
_GAPE_ASIDE = 0.7  # cm that a side reaches out for each cm that it stands off to the front
_DEFORMATION_SIGMA_CM = 1.6  # reach of a landmark's residual

# Profile of the face on the middle line, over nose and chin: y, z in cm.
_FRONT_Y = np.array(
    [-12.0, -10.6, -9.9, -9.2, -8.0, -5.0, -1.2, -0.4, 0.4, 1.1, 1.7, 2.5, 3.3, 6.0]
)
_FRONT_Z = np.array([0.0, 2.6, 4.3, 5.1, 5.6, 6.4, 7.7, 7.7, 7.3, 6.8, 6.4, 5.9, 5.4, 5.2])
# Cross-section at the side of the face: half width, z in cm.
_SIDE_X = np.array([3.0, 4.5, 5.3, 6.3, 7.0, 7.6, 8.2])
_SIDE_Z = np.array([4.5, 3.6, 2.9, 1.7, 0.0, -2.2, -4.0])


@dataclass(frozen=True, eq=False)
class MaskSurface:
    """A grid of points: rows from the top edge to the bottom edge, columns left to right (picture).

    Attributes:
        points_cm: float64 [ROWS, COLUMNS, 3] on the canonical head.
        deformation_weights: float64 [N, K], weights of the K reference landmarks' residuals at the N
            control points of the surface.
    """

    points_cm: NDArray[np.float64]
    deformation_weights: NDArray[np.float64]

    @cached_property
    def normals(self) -> NDArray[np.float64]:
        """Unit normals, float64 [ROWS, COLUMNS, 3]."""
        return _normals(self.points_cm)


def _pulled_down_fit(fit: Fit, pulled_down: PulledDown) -> Fit:
    """Move the fit down where the mask leaves the nose or mouth bare; it gathers under the chin."""
    if pulled_down == "no":
        return fit
    top, corner = (_BELOW_NOSE_Y, -2.2) if pulled_down == "nose" else (_BELOW_MOUTH_Y, -5.2)
    drop = 0.35 if pulled_down == "nose" else 0.8
    jitter = 0.25 * (fit.top_y - 1.6)
    return replace(
        fit,
        top_y=top + jitter,
        side_top_y=min(fit.side_top_y, corner),
        side_bottom_y=min(fit.side_bottom_y - drop, corner - 1.6),
        bottom_y=fit.bottom_y - drop,
        peak_share=0.3 * fit.peak_share,
    )


@lru_cache(maxsize=64)
def build_surface(fit: Fit, pulled_down: PulledDown) -> MaskSurface:
    """Build the surface of a fit; cached, as a mask keeps its fit over a clip."""
    fit = _pulled_down_fit(fit, pulled_down)
    u = np.linspace(-1, 1, COLUMNS)[None, :]
    v = np.linspace(0, 1, ROWS)[:, None]
    across = np.abs(u)
    half_width = (
        fit.side_x
        - fit.side_taper * v
        - 0.45 * fit.side_round * fit.side_x * np.abs(2 * v - 1) ** 3
    )
    x = u * (half_width + _GAPE_ASIDE * fit.gape)
    top = _top_edge(fit, across)
    bottom = _bottom_edge(fit, across)
    y = top + v * (bottom - top) + fit.tilt * u
    z = _depth(fit, y, across, v, half_width)
    points = np.stack([x + fit.shift_x * (1 - across**2), y, z], -1)
    return MaskSurface(points, _deformation_weights(points))


def _top_edge(fit: Fit, across: NDArray[np.float64]) -> NDArray[np.float64]:
    narrow = np.exp(-((across / fit.peak_width) ** 2))
    slope = 1 - across ** (1.15 + 0.85 * fit.side_round)
    rise = fit.peak_share * narrow + (1 - fit.peak_share) * slope
    return fit.side_top_y + (fit.top_y - fit.side_top_y) * rise


def _bottom_edge(fit: Fit, across: NDArray[np.float64]) -> NDArray[np.float64]:
    drop = (1 - across**fit.bottom_power) ** (1 / max(fit.bottom_power * 0.75, 1.0))
    return fit.side_bottom_y + (fit.bottom_y - fit.side_bottom_y) * drop


def _depth(
    fit: Fit,
    y: NDArray[np.float64],
    across: NDArray[np.float64],
    v: NDArray[np.float64],
    half_width: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Depth z: taut from the middle line to the sides, and off the face by bulge and gape."""
    middle = y[:, COLUMNS // 2, None]
    front = np.interp(middle, _FRONT_Y, _FRONT_Z) + fit.bulge * np.sin(np.pi * v) ** 0.7
    side = np.interp(half_width, _SIDE_X, _SIDE_Z) - 0.25 * np.maximum(-4.0 - y, 0) + fit.gape
    power = 1.25 + (fit.profile_power - 1.25) * np.minimum(v * 4, 1)
    return side + (front - side) * (1 - across**power)


def _deformation_weights(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Gaussian weights of the canonical head's landmarks at the control points, [N, K]."""
    control = points[_CONTROL_ROWS, _CONTROL_COLUMNS].reshape(-1, 3)
    landmarks = CANONICAL_HEAD.points_cm
    square = (control**2).sum(1)[:, None] + (landmarks**2).sum(1)[None] - 2 * control @ landmarks.T
    square -= square.min(1, keepdims=True)
    weight = np.exp(-square / (2 * _DEFORMATION_SIGMA_CM**2))
    return weight / weight.sum(1, keepdims=True)


def interpolate_control_points(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Interpolate values at the control points [N, C] to the whole surface [ROWS, COLUMNS, C]."""
    return np.asarray(_INTERPOLATION @ values, dtype=np.float64).reshape(ROWS, COLUMNS, -1)


def _interpolation_matrix() -> NDArray[np.float64]:
    """Bilinear interpolation from the control points to all points, [ROWS * COLUMNS, N]."""

    def line(count: int, control: slice) -> NDArray[np.float64]:
        at = np.arange(count)[control]
        return np.stack([np.interp(np.arange(count), at, row) for row in np.eye(len(at))], 1)

    return np.kron(line(ROWS, _CONTROL_ROWS), line(COLUMNS, _CONTROL_COLUMNS)).astype(np.float64)


_INTERPOLATION = _interpolation_matrix()


def surface_tangents(
    points: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return tangents along the rows and along the columns of a surface, each [ROWS, COLUMNS, C]."""
    across, down = np.empty_like(points), np.empty_like(points)
    across[:, 1:-1] = (points[:, 2:] - points[:, :-2]) / 2
    across[:, 0], across[:, -1] = points[:, 1] - points[:, 0], points[:, -1] - points[:, -2]
    down[1:-1] = (points[2:] - points[:-2]) / 2
    down[0], down[-1] = points[1] - points[0], points[-1] - points[-2]
    return across, down


def _normals(points: NDArray[np.float64]) -> NDArray[np.float64]:
    across, down = surface_tangents(points)
    (a, b, c), (p, q, r) = np.moveaxis(down, -1, 0), np.moveaxis(across, -1, 0)
    normal = np.stack([b * r - c * q, c * p - a * r, a * q - b * p], -1)
    return normal / np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), 1e-9)

"""Head pose: an affine camera fitted to the landmarks, and the residuals it leaves."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from realtime.align.canonical_head import CANONICAL_HEAD, LANDMARKS
from realtime.synthetic.mask_surface import MaskSurface, interpolate_control_points


@dataclass(frozen=True, eq=False)
class Pose:
    """The pose of a head in a picture.

    Attributes:
        camera: float64 [4, 2], canonical (x, y, z, 1) in cm to pixels.
        residual_px: float64 [K, 2], the canonical head's landmarks minus their projection: how this
            face is shaped other than the canonical head.
        scale: pixels a centimetre.
        rotation: float64 [3, 3], canonical axes to camera axes (x right, y up, z towards the camera).
    """

    camera: NDArray[np.float64]
    residual_px: NDArray[np.float64]
    scale: float
    rotation: NDArray[np.float64]

    @property
    def yaw(self) -> float:
        """The angle by which the head is turned to the picture's right, radians."""
        right, _, near = self.rotation[:, 2]
        return math.atan2(right, near)

    def project(self, points_cm: NDArray[np.float64]) -> NDArray[np.float64]:
        """Project canonical points [..., 3] in cm to pixels [..., 2], ignoring the residuals."""
        return points_cm @ self.camera[:3] + self.camera[3]

    def project_surface(self, surface: MaskSurface) -> NDArray[np.float64]:
        """Project the surface, deformed to the face's shape: float64 [ROWS, COLUMNS, 2], pixels."""
        deformation = interpolate_control_points(surface.deformation_weights @ self.residual_px)
        return self.project(surface.points_cm) + deformation


def fit_pose(landmarks: NDArray[np.floating]) -> Pose:
    """Fit an affine camera by least squares.

    Args:
        landmarks: float [478, 2] (or 468), pixels.

    Raises:
        ValueError: the landmarks have another shape.
    """
    points = np.asarray(landmarks, dtype=np.float64)
    if points.ndim != 2 or points.shape[1] != 2 or not 468 <= len(points) <= LANDMARKS:
        raise ValueError(f"landmarks must be [478, 2], not {list(points.shape)}")
    reference = points[CANONICAL_HEAD.index]
    camera = CANONICAL_HEAD.camera_solver @ reference
    residual = reference - (CANONICAL_HEAD.points_cm @ camera[:3] + camera[3])
    right, up = camera[:3, 0], -camera[:3, 1]
    right_length, up_length = math.hypot(*right), math.hypot(*up)
    right = right / max(right_length, 1e-9)
    up = up - right * (right @ up)
    up = up / max(math.hypot(*up), 1e-9)
    forward = [
        right[1] * up[2] - right[2] * up[1],
        right[2] * up[0] - right[0] * up[2],
        right[0] * up[1] - right[1] * up[0],
    ]
    scale = 0.5 * (right_length + up_length)
    rotation = np.array([right, up, forward])
    return Pose(camera, residual, max(scale, 1e-3), rotation)

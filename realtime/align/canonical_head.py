"""MediaPipe's face mesh: the canonical head in centimetres, which poses are fitted to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LANDMARKS = 478  # with the ten points of the irises


# MediaPipe's canonical face model (Apache-2.0), which is symmetric. Each row holds the landmark on the
# person's right, its mirror image on the left (the same number on the middle line), and |x|, y (up)
# and z (towards the camera) in cm.
_CANONICAL = (
    (10, 10, 0.00, 8.26, 4.48),
    (151, 151, 0.00, 6.55, 5.03),
    (9, 9, 0.00, 4.89, 5.39),
    (168, 168, 0.00, 3.27, 5.24),
    (6, 6, 0.00, 2.47, 5.79),
    (197, 197, 0.00, 1.73, 6.32),
    (5, 5, 0.00, 0.37, 7.24),
    (4, 4, 0.00, -0.46, 7.59),
    (1, 1, 0.00, -1.13, 7.48),
    (2, 2, 0.00, -2.09, 6.06),
    (0, 0, 0.00, -3.41, 5.98),
    (17, 17, 0.00, -5.37, 5.54),
    (18, 18, 0.00, -6.15, 5.07),
    (200, 200, 0.00, -6.99, 5.15),
    (199, 199, 0.00, -7.94, 5.18),
    (175, 175, 0.00, -8.77, 4.89),
    (152, 152, 0.00, -9.40, 4.26),
    (33, 263, 4.45, 2.66, 3.17),
    (133, 362, 1.86, 2.59, 3.76),
    (159, 386, 3.18, 2.96, 3.88),
    (145, 374, 3.18, 2.29, 3.78),
    (226, 446, 5.17, 2.54, 2.67),
    (111, 340, 5.73, 1.41, 2.43),
    (70, 300, 5.72, 4.25, 2.83),
    (107, 336, 1.40, 5.01, 5.32),
    (127, 356, 7.74, 2.36, -2.01),
    (162, 389, 7.56, 4.11, -0.99),
    (54, 284, 6.28, 6.62, 1.43),
    (67, 297, 3.52, 8.01, 3.73),
    (234, 454, 7.66, 0.67, -2.44),
    (93, 323, 7.54, -1.05, -2.43),
    (132, 361, 7.27, -2.89, -2.25),
    (58, 288, 6.72, -4.79, -1.75),
    (172, 397, 5.94, -6.22, -0.63),
    (136, 365, 5.09, -7.18, 0.71),
    (150, 379, 4.07, -7.99, 1.93),
    (149, 378, 3.21, -8.53, 2.80),
    (176, 400, 2.31, -8.97, 3.61),
    (148, 377, 1.29, -9.30, 4.09),
    (116, 345, 6.47, 0.94, 1.69),
    (117, 346, 5.26, 0.95, 2.97),
    (123, 352, 6.34, -0.53, 1.88),
    (50, 280, 4.77, -0.70, 3.53),
    (101, 330, 3.33, 0.10, 4.11),
    (36, 266, 2.84, -0.72, 4.43),
    (98, 327, 1.41, -1.71, 5.24),
    (147, 376, 6.23, -1.94, 1.66),
    (187, 411, 5.28, -2.24, 2.86),
    (205, 425, 3.83, -1.54, 4.14),
    (207, 427, 4.39, -2.68, 3.64),
    (192, 416, 5.44, -4.03, 2.11),
    (214, 434, 4.59, -4.73, 2.98),
    (61, 291, 2.46, -4.34, 4.28),
    (135, 364, 5.00, -6.14, 1.89),
    (169, 394, 4.14, -7.00, 2.67),
    (140, 369, 2.41, -8.26, 4.12),
)


@dataclass(frozen=True)
class CanonicalHead:
    """The landmarks that poses are fitted to.

    Attributes:
        index: int [K], landmark numbers.
        points_cm: float64 [K, 3], x towards the person's left, y up, z out of the face.
        normals: float64 [K, 3], unit normals of a smooth head.
        camera_solver: float64 [4, K], the pseudo-inverse that turns landmark pixels [K, 2] into an
            affine camera [4, 2] with the rows x, y, z, 1.
    """

    index: NDArray[np.intp]
    points_cm: NDArray[np.float64]
    normals: NDArray[np.float64]
    camera_solver: NDArray[np.float64]


def _canonical_head() -> CanonicalHead:
    index, points = [], []
    for right, left, x, y, z in _CANONICAL:
        index.append(right)
        points.append((-x, y, z))
        if left != right:
            index.append(left)
            points.append((x, y, z))
    points_cm = np.array(points, dtype=np.float64)
    normals = head_normals(points_cm)
    design = np.column_stack([points_cm, np.ones(len(points_cm))])
    return CanonicalHead(
        np.array(index), points_cm, normals, np.linalg.pinv(design).astype(np.float64)
    )


def head_normals(points_cm: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return unit normals [..., 3] of an ellipsoid shaped like the head, at points [..., 3] in cm."""
    centre_cm, radii_cm = np.array([0.0, -0.5, -3.5]), np.array([7.5, 11.0, 8.5])
    scaled = (points_cm - centre_cm) / radii_cm**2
    return scaled / np.linalg.norm(scaled, axis=-1, keepdims=True)


CANONICAL_HEAD = _canonical_head()

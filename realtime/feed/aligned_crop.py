"""The crop for face recognition: 112x112, RGB, aligned to the five points of ArcFace."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.align.warp_crop import warp_square_rgb

ALIGNED_SIDE = 112
"""Side of the crop, pixels."""

ARCFACE_TEMPLATE = np.array(
    [
        [38.2946, 51.6963],
        [73.5318, 51.5014],
        [56.0252, 71.7366],
        [41.5493, 92.3655],
        [70.7299, 92.2041],
    ]
)
"""Where the five keypoints of a face go in the crop, float64 [5, 2], x and y, pixels.

They are the person's right and left eye, nose tip, right and left mouth corner. Source: insightface,
`arcface_dst` in `python-package/insightface/utils/face_align.py`.
"""
ARCFACE_TEMPLATE.flags.writeable = False
_X_AND_Y = np.array([1, 1j])


def fit_similarity(
    points: NDArray[np.floating], places: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Fit the similarity that brings points to their places by least squares (Umeyama 1991).

    A similarity is a rotation, one scale and a shift, without a reflection.

    Args:
        points: float [N, 2], N >= 2.
        places: float [N, 2], where they go.

    Returns:
        float64 [2, 3].

    Raises:
        ValueError: the points are not finite, or all at one place.
    """
    # Points of the plane as complex numbers: a similarity is then a multiplication and a sum.
    given, wanted = (np.asarray(each, np.float64) @ _X_AND_Y for each in (points, places))
    centred = given - given.mean()
    spread = float(np.vdot(centred, centred).real)
    if not np.isfinite(spread) or spread <= 0:
        raise ValueError(f"points must be finite and at several places, not {points.tolist()}")
    turn = np.vdot(centred, wanted) / spread
    shift = wanted.mean() - turn * given.mean()
    return np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])


def template_matrix(
    keypoints: NDArray[np.floating], *, side: int = ALIGNED_SIDE
) -> NDArray[np.float64]:
    """Fit the keypoints to the template by least squares.

    Args:
        keypoints: float [5, 2], pixels of the frame, in the order of `ARCFACE_TEMPLATE`.
        side: of the crop, pixels; the template grows with it.

    Returns:
        float64 [2, 3], frame pixels to crop pixels.

    Raises:
        ValueError: the keypoints are not finite, or all at one place.
    """
    scale = side / ALIGNED_SIDE
    return fit_similarity(keypoints, (ARCFACE_TEMPLATE + 0.5) * scale - 0.5)


def aligned_crop(
    frame_bgr: NDArray[np.uint8], keypoints: NDArray[np.floating], *, side: int = ALIGNED_SIDE
) -> NDArray[np.uint8]:
    """Cut the aligned crop of a face out of a frame.

    Faces of twice the crop's size and more are averaged down before the warp, so that the crop does not
    alias; the warp itself is bilinear, as that of the crops which such recognisers were trained on.

    Args:
        frame_bgr: uint8 [H, W, 3], BGR.
        keypoints: float [5, 2], pixels of the frame, in the order of `ARCFACE_TEMPLATE`.
        side: of the crop, pixels.

    Returns:
        uint8 [side, side, 3], RGB; black outside the frame.

    Raises:
        ValueError: as `template_matrix`.
    """
    matrix = template_matrix(keypoints, side=side)
    return warp_square_rgb(frame_bgr, matrix, side, cv2.BORDER_CONSTANT)

"""Paints the background where a mask is wider than the face, in place of skin that was invented there."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.align.affine import apply, compose
from realtime.align.canonical_crop import CROP_SIZE
from realtime.frames import FaceContext, Fill
from realtime.imaging.mask_regions import padded_bounding_box
from realtime.inpaint.appearance import AppearanceStep
from realtime.settings import INPAINT

# Points of MediaPipe's face mesh.
_NOSE_TIP, _NOSE_BASE, _CHIN = 1, 2, 152
_CORNERS_OF_JAW, _TEMPLES = (172, 397), (234, 454)
_RADIUS_PX = 5  # neighbourhood of Telea's algorithm, crop px
_MARGIN_PX = 8  # of the part of the crop that is worked on, crop px
_SOFT_PX = 0.8  # standard deviation of the contour's Gaussian, crop px
_SHIFT = 4  # fractional bits of the contour's coordinates
_EARS_PX = 8.0  # height over which the background comes in, up from the nose's base, where ears end
_LEAST = 0.01  # share of background below which a pixel is the person's


class BackgroundPainting(AppearanceStep):
    """Paints what lies beside the face between ears and chin, by Telea's algorithm, from the background.

    The landmarks tell the face's contour even under a mask. Faces without landmarks stay as they are, and
    so do the ears and the near side of a turned head, where ear and neck lie beside the face.
    """

    name = "background"

    def __call__(self, fill: Fill, context: FaceContext) -> Fill:
        """Paint the background of a fill; see `AppearanceStep`."""
        face = context.face
        landmarks = face.tracked.face.landmarks
        if landmarks is None:
            return fill
        to_crop = compose(face.window.matrix, face.tracked.face.matrix)
        person = _person(apply(to_crop, landmarks))
        background = np.where(face.hole, 1 - person, 0).astype(np.float32)
        box = padded_bounding_box(background > _LEAST, _MARGIN_PX)
        if box is None:
            return fill
        known = face.known[box] & (person[box] < _LEAST)
        if not known.any():
            return fill
        part, share = fill.rgb[box], background[box]
        painted = _painted(part, known)
        out = fill.rgb.copy()
        out[box] = cv2.blendLinear(painted, part, share, 1 - share)
        return replace(fill, rgb=out)


def _painted(part_rgb: NDArray[np.uint8], known: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Paint the unknown pixels of a part of the crop, at half its size, which takes a fifth of the time."""
    height, width = known.shape
    size = (width + 1) // 2, (height + 1) // 2
    weight = cv2.resize(known.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    masked = cv2.resize(
        part_rgb * known[..., None].astype(np.float32), size, interpolation=cv2.INTER_AREA
    )
    half = np.round(masked / np.maximum(weight, 1e-3)[..., None]).astype(np.uint8)
    half = cv2.inpaint(half, (weight < 0.5).view(np.uint8), _RADIUS_PX, cv2.INPAINT_TELEA)
    return np.asarray(cv2.resize(half, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)


def _person(points: NDArray[np.float64]) -> NDArray[np.float32]:
    """Mark the face, the neck below it, all above the nose's base, and the near side of a turned head.

    Args:
        points: float64 [478, 2], the landmarks in crop pixels.

    Returns:
        float32 [128, 128], 0..1, with soft edges.
    """
    face = cv2.convexHull(points.astype(np.float32))[:, 0]
    outwards = face - face.mean(0)
    face += INPAINT.wider_px * outwards / np.hypot(*outwards.T)[:, None]
    chin = points[_CHIN]
    right, left = chin + INPAINT.neck_width * (points[list(_CORNERS_OF_JAW)] - chin)
    below = np.array([0.0, CROP_SIZE])
    neck = np.array([right, left, left + below, right + below])
    drawn = np.zeros((CROP_SIZE, CROP_SIZE), np.uint8)
    for polygon in (face, neck):
        corners = np.round(polygon * (1 << _SHIFT)).astype(np.int32)
        cv2.fillConvexPoly(drawn, corners, 255, cv2.LINE_AA, _SHIFT)
    person = cv2.GaussianBlur(drawn.astype(np.float32) / 255, (0, 0), _SOFT_PX)
    below_px = np.arange(CROP_SIZE, dtype=np.float32) - points[_NOSE_BASE, 1]
    ears = np.clip(-below_px / _EARS_PX, 0, 1)[:, None]
    person = np.maximum(person, ears)
    return np.maximum(person, _near_side(points))


def _near_side(points: NDArray[np.float64]) -> NDArray[np.float32]:
    """Say how surely each column of the crop shows the near side of a turned head, float32 [128], 0..1."""
    right, left = points[list(_TEMPLES), 0] - points[_NOSE_TIP, 0]
    widths = np.maximum([-right, left], 1.0)
    least, most = INPAINT.turned
    shares = np.clip((widths / widths[::-1] - least) / (most - least), 0, 1)
    on_right = np.arange(CROP_SIZE) < points[_CHIN, 0]
    return np.where(on_right, *shares).astype(np.float32)

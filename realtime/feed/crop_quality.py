"""How well a face's crop suits recognition: its sharpness, the head's yaw, its size, and all in one."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.feed.aligned_crop import ARCFACE_TEMPLATE

# Rows and columns of the aligned crop that show the eyes and brows, crop px: masks begin below.
_EYES_REGION = slice(34, 56), slice(20, 92)
_BLUR_PX = 9  # length of the mean filter of Crete et al., crop px
# The tip of the nose lies before the line between the eyes, as a share of the distance between the eyes.
_NOSE_BEFORE_EYES = 0.62
_TEMPLATE_EYE_DISTANCE_PX = float(np.hypot(*(ARCFACE_TEMPLATE[1] - ARCFACE_TEMPLATE[0])))
_X_AND_Y = np.array([1, 1j])


def sharpness(crop_rgb: NDArray[np.uint8]) -> float:
    """Say how sharp the region of the eyes is: 1 less the blur metric of Crete et al. 2007.

    The metric blurs the region once more, along rows and along columns, and compares how much neighbouring
    pixels differ before and after: of a blurred picture little is lost. Both directions count, as their
    geometric mean, so that motion blur counts too. Light and contrast do not change the metric; noise
    raises it. The mask and its fill lie below the region.

    Args:
        crop_rgb: uint8 [112, 112, 3], RGB, as `aligned_crop` cuts it out of the given frame.

    Returns:
        0 (flat or blurred) to 1.
    """
    region = crop_rgb[_EYES_REGION]
    luma = cv2.cvtColor(region, cv2.COLOR_RGB2GRAY).astype(np.float32)
    both = _lost_by_blur(luma) * _lost_by_blur(np.ascontiguousarray(luma.T))
    return float(np.sqrt(both))


def _lost_by_blur(luma: NDArray[np.float32]) -> float:
    """The share of the differences along columns, float32 [H, W], that a mean filter takes away, 0..1."""
    blurred = cv2.blur(luma, (1, _BLUR_PX), borderType=cv2.BORDER_REFLECT)
    before, after = (np.abs(np.diff(values, axis=0)) for values in (luma, blurred))
    total = float(before.sum())
    return float(np.maximum(before - after, 0).sum()) / total if total > 0 else 0.0


def eye_distance_px(keypoints: NDArray[np.floating]) -> float:
    """The distance between the eyes, pixels of the frame, by keypoints [5, 2]."""
    return float(np.hypot(*(keypoints[1] - keypoints[0])))


def yaw_deg(keypoints: NDArray[np.floating]) -> float:
    """Estimate how far a head is turned to its left, degrees, -90..90.

    The tip of the nose lies before the eyes: it moves to the side where the head turns.

    Args:
        keypoints: float [5, 2], pixels: right eye, left eye, nose tip, right and left mouth corner.
    """
    right_eye, left_eye, nose = (np.asarray(keypoints, dtype=np.float64) @ _X_AND_Y)[:3]
    across = left_eye - right_eye
    if across == 0:
        return 0.0
    aside = ((nose - (right_eye + left_eye) / 2) / across).real
    return float(np.rad2deg(np.arctan(aside / _NOSE_BEFORE_EYES)))


def quality(sharpness: float, yaw_deg: float, eye_distance_px: float) -> float:
    """Join the three measures: `sharpness * cos(yaw) * d / (d + d0)`.

    d is the distance between the eyes and d0 that of the template, 35 px: at this size the crop shows the
    frame's pixels one to one. Each measure alone raises the quality.

    Args:
        sharpness: 0..1.
        yaw_deg: degrees.
        eye_distance_px: pixels of the frame.

    Returns:
        0 to 1: 0 in profile.
    """
    frontal = max(float(np.cos(np.deg2rad(yaw_deg))), 0.0)
    large = eye_distance_px / (eye_distance_px + _TEMPLATE_EYE_DISTANCE_PX)
    return sharpness * frontal * large

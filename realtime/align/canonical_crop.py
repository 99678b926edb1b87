"""The canonical 128x128 crop: a similarity transform taken from eye and upper-face points only.

Mouth and chin points drift under a mask, so none of them is used. The scale does not come from the
eye distance alone: on a turned head that distance shrinks, the crop would zoom in and the mask would
leave it. It is the smaller of two scales, one from the eyes and one from the upper face's height.
In profile both eyes are at one place, and the line between them has no direction: there the near ear tells
which direction is level.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

CROP_SIZE = 128
"""Side of the canonical crop, pixels."""

EYE_LINE_Y = 46.0
"""Row of the eyes in the canonical crop, pixels."""

MIRROR = np.array([[-1.0, 0.0, CROP_SIZE - 1], [0.0, 1.0, 0.0]])
"""The crop's pixels to those of the mirrored crop, float64 [2, 3]."""

# Landmarks: outer eye corners, nose base.
_RIGHT_EYE_CORNER, _LEFT_EYE_CORNER, _UNDER_NOSE = 33, 263, 2
# Between those landmarks on a frontal face, crop px.
_EYE_CORNER_DISTANCE, _EYE_TO_NOSE_HEIGHT = 48.0, 34.0
# The same between the detector's points, crop px.
_EYE_CENTRE_DISTANCE, _EYE_TO_NOSE_TIP = 32.0, 22.0
# The latter in profile, where the detector's eyes lie further back, crop px.
_PROFILE_NOSE_TIP = 18.0
_NOSE_SHIFT = 0.5  # share of the nose's sideways offset by which a turned head is shifted back
_MOST_SHIFT_PX = 14.0  # of that shift, crop px
# Angle by which the near ear lies lower than the eyes in profile, radians.
_EAR_DROP = np.deg2rad(9.0)
# In profile both ears lie on the same side of the eyes. The far ear's offset from them, as a share of the
# near ear's: a profile begins at the first value, and is sure from the second.
_FAR_EAR = -0.3, 0.0


def similarity_from_landmarks(
    landmarks: NDArray[np.floating], level: NDArray[np.floating] | None = None
) -> NDArray[np.float64]:
    """Fit the canonical transform to Face Landmarker points.

    Args:
        landmarks: float [478, 2], pixels of the picture, x right and y down.
        level: float [2], the level direction of this head, towards its left; by its eyes where not given.

    Returns:
        float64 [2, 3], picture pixels to crop pixels.
    """
    points = np.asarray(landmarks, dtype=np.float64)
    return _similarity(
        points[_RIGHT_EYE_CORNER],
        points[_LEFT_EYE_CORNER],
        points[_UNDER_NOSE],
        _EYE_CORNER_DISTANCE,
        _EYE_TO_NOSE_HEIGHT,
        level,
    )


def level_of(landmarks: NDArray[np.floating]) -> NDArray[np.float64]:
    """The level direction of a head by its Face Landmarker points, [478, 2]: from eye to eye, [2]."""
    points = np.asarray(landmarks, dtype=np.float64)
    return points[_LEFT_EYE_CORNER] - points[_RIGHT_EYE_CORNER]


def similarity_from_keypoints(points: NDArray[np.floating]) -> NDArray[np.float64]:
    """Fit the canonical transform to the Face Detector's points, where landmarks are refused.

    Args:
        points: float [6, 2], pixels: right eye, left eye, nose tip, mouth, right ear, left ear
            (right and left as the person's own).

    Returns:
        float64 [2, 3], picture pixels to crop pixels.
    """
    points = np.asarray(points, dtype=np.float64)
    share = profile_share(points)
    nose_tip = _EYE_TO_NOSE_TIP + share * (_PROFILE_NOSE_TIP - _EYE_TO_NOSE_TIP)
    level = _level(points, share)
    return _similarity(points[0], points[1], points[2], _EYE_CENTRE_DISTANCE, nose_tip, level)


def profile_share(points: NDArray[np.floating]) -> float:
    """Say how surely the Face Detector's points, float [6, 2], are of a profile, 0..1."""
    points = np.asarray(points, dtype=np.float64)
    middle, across = points[:2].mean(0), points[1] - points[0]
    ears = np.array([points[4] - middle, points[5] - middle]) @ across
    near = ears[np.abs(ears).argmax()]
    if near == 0:
        return 0.0
    return float(np.interp((ears.sum() - near) / near, _FAR_EAR, (0, 1)))


def _level(points: NDArray[np.float64], profile: float) -> NDArray[np.float64]:
    """The level direction of a head, towards its left, [2]: by its eyes, and in profile by its near ear."""
    across = points[1] - points[0]
    right_ear, left_ear = points[4:] - points[:2].mean(0)
    left_is_near = abs(left_ear @ across) > abs(right_ear @ across)
    ears, drop = (left_ear, _EAR_DROP) if left_is_near else (-right_ear, -_EAR_DROP)
    angle, by_ear = (np.arctan2(y, x) for x, y in (across, ears))
    angle += profile * ((by_ear - drop - angle + np.pi) % (2 * np.pi) - np.pi)
    return np.array([np.cos(angle), np.sin(angle)])


def _similarity(
    right_eye: NDArray[np.float64],
    left_eye: NDArray[np.float64],
    nose: NDArray[np.float64],
    eye_distance_px: float,
    nose_height_px: float,
    level: NDArray[np.floating] | None = None,
) -> NDArray[np.float64]:
    """Bring the eyes level to `EYE_LINE_Y`, both distances at most as given, turned heads inwards."""
    middle = (right_eye + left_eye) / 2
    across = left_eye - right_eye
    eye_distance = max(float(np.hypot(*across)), 1e-3)
    level = across if level is None else level
    cos, sin = level / max(float(np.hypot(*level)), 1e-3)
    along = cos * (nose - middle)[0] + sin * (nose - middle)[1]
    height = max(-sin * (nose - middle)[0] + cos * (nose - middle)[1], 1e-3)
    scale = min(eye_distance_px / eye_distance, nose_height_px / height)
    linear = scale * np.array([[cos, sin], [-sin, cos]])
    shift = np.clip(_NOSE_SHIFT * along * scale, -_MOST_SHIFT_PX, _MOST_SHIFT_PX)
    target = np.array([CROP_SIZE / 2 - 0.5 - shift, EYE_LINE_Y])
    return np.column_stack([linear, target - linear @ middle])

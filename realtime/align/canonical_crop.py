"""The canonical 128x128 crop: a similarity transform taken from eye and upper-face points only.

Mouth and chin points drift under a mask, so none of them is used. The scale does not come from the
eye distance alone: on a turned head that distance shrinks, the crop would zoom in and the mask would
leave it. It is the smaller of two scales, one from the eyes and one from the upper face's height.
In profile both eyes are at one place, and the line between them says nothing: there the near ear says
which way is level.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

CROP_SIZE = 128
EYE_LINE_Y = 46.0
_RIGHT_EYE_CORNER, _LEFT_EYE_CORNER, _UNDER_NOSE = 33, 263, 2
_EYE_CORNER_DISTANCE, _EYE_TO_NOSE_HEIGHT = 48.0, 34.0
_EYE_CENTRE_DISTANCE, _EYE_TO_NOSE_TIP = 32.0, 22.0
_NOSE_SHIFT = 0.5
# In profile the detector's eyes lie further back, the nose tip further down, and its two ears on the
# same side of them; the near one lies so much lower than the eyes. How far back the far one is, in parts
# of the near one, tells a profile: from the first on, and surely from the second on.
_PROFILE_NOSE_TIP, _EAR_DROP = 18.0, np.deg2rad(9.0)
_FAR_EAR = -0.3, 0.0


def similarity_from_landmarks(
    landmarks: NDArray[np.floating], level: NDArray[np.floating] | None = None
) -> NDArray[np.float64]:
    """Fit the canonical transform to Face Landmarker points.

    Args:
        landmarks: float [478, 2], pixels of the picture, x right and y down.
        level: float [2], what is level on this head, towards its left; by its eyes where not known.

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
    """What is level on a head by its Face Landmarker points, [478, 2]: its eyes; towards its left, [2]."""
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
    """Say how far the Face Detector's points, float [6, 2], are those of a profile: 0 no, 1 surely."""
    points = np.asarray(points, dtype=np.float64)
    middle, across = points[:2].mean(0), points[1] - points[0]
    ears = np.array([points[4] - middle, points[5] - middle]) @ across
    near = ears[np.abs(ears).argmax()]
    if near == 0:
        return 0.0
    return float(np.interp((ears.sum() - near) / near, _FAR_EAR, (0, 1)))


def _level(points: NDArray[np.float64], profile: float) -> NDArray[np.float64]:
    """What is level on a head, towards its left: by its eyes, and in profile by its near ear; [2]."""
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
    """Eyes level at `EYE_LINE_Y`, both distances at most as given, a turned head shifted inwards."""
    middle = (right_eye + left_eye) / 2
    across = left_eye - right_eye
    eye_distance = max(float(np.hypot(*across)), 1e-3)
    level = across if level is None else level
    cos, sin = level / max(float(np.hypot(*level)), 1e-3)
    along = cos * (nose - middle)[0] + sin * (nose - middle)[1]
    height = max(-sin * (nose - middle)[0] + cos * (nose - middle)[1], 1e-3)
    scale = min(eye_distance_px / eye_distance, nose_height_px / height)
    linear = scale * np.array([[cos, sin], [-sin, cos]])
    shift = np.clip(_NOSE_SHIFT * along * scale, -14.0, 14.0)
    target = np.array([CROP_SIZE / 2 - 0.5 - shift, EYE_LINE_Y])
    return np.column_stack([linear, target - linear @ middle])

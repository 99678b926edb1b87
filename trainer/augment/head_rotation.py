"""Head rotation: turns the heads of photographs by their depth, so that profiles show an outline."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.align.canonical_crop import CROP_SIZE, EYE_LINE_Y
from realtime.align.canonical_head import CANONICAL_HEAD
from realtime.synthetic.pose import Pose, fit_pose
from realtime.synthetic.uv_mapping import thin_plate_spline
from trainer.data.face_set import margin_of

_YAW_RAD = np.deg2rad([12.0, 78.0])
_PROFILE_YAW_RAD = np.deg2rad([55.0, 98.0])
_LOOKS_ASIDE_RAD = np.deg2rad(8.0)  # from here on a head is rotated further to its own side
_BOWED, _RAISED = 0.65, 1.1  # factors on the height of the face below the eyes
# The head is a depth map over its frontal plane, in cm, x to its left and y up, sampled every _STEP_CM.
_LOW_CM, _HIGH_CM, _STEP_CM = np.array([-16.0, -18.0]), np.array([16.0, 16.0]), 0.5
_AXIS_CM = np.array([0.0, 0.0, -2.4])  # between the ears: the axis of rotation
_CENTRE_CM = np.array([0.0, -0.5])
_FACE_CM = np.array([7.8, 9.6])  # half axes of the face
_HEAD_CM, _DOWN_CM = (
    np.array([9.4, 15.0]),
    np.array([9.4, 11.5]),
)  # of the head above and below its centre
_BACK_CM, _DEPTH_CM = -5.0, 10.5  # depth of the ellipsoid's rim, and its height over the rim
_UNIT_CM = 10.0  # scale of the thin-plate spline's coordinates
# Surroundings move with the face up to _RIGID face radii from its centre, then less over a _FALLOFF of as
# many radii; below the chin the falloff is short.
_RIGID, _FALLOFF, _FALLOFF_BELOW_CHIN = 1.05, 1.0, 0.2
_ROUNDS = 3  # fixed-point iterations between a pixel and its point of the surface
_SAMPLES, _MAX_SQUEEZE = 5, 3.0  # samples a pixel; largest compression of a row
_JUMP_PX, _OUTLINE_PX = (
    5.0,
    1.0,
)  # displacement step that makes an outline; standard deviation of its blur
_NEIGHBOURS = np.ones((3, 3), np.uint8)


def random_head_rotation(
    crop: NDArray[np.uint8],
    flags: NDArray[np.uint8],
    landmarks: NDArray[np.float32],
    rng: np.random.Generator,
    profiles: float = 0.0,
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.float32]]:
    """Rotate a head at random: yaw up to profile, and a little pitch.

    Args:
        crop: uint8 [128 + 2M, 128 + 2M, 3], a canonical crop with a margin.
        flags: uint8 [128 + 2M, 128 + 2M, C], masks of the crop; 0 outside.
        landmarks: float32 [478, 2], pixels of `crop`.
        rng: random generator.
        profiles: share of rotations to a profile or nearly so, 0..1.

    Returns:
        Crop, flags and landmarks after the rotation. The crop is no longer canonical.
    """
    far = profiles > 0 and rng.random() < profiles
    own, side = fit_pose(landmarks).yaw, rng.choice([-1.0, 1.0])
    if abs(own) > _LOOKS_ASIDE_RAD:
        side = np.sign(own)
    yaw = rng.uniform(*(_PROFILE_YAW_RAD if far else _YAW_RAD)) * side - own
    return rotate_head(crop, flags, landmarks, yaw, rng.uniform(_BOWED, _RAISED))


def rotate_head(
    crop: NDArray[np.uint8],
    flags: NDArray[np.uint8],
    landmarks: NDArray[np.float32],
    yaw: float,
    height: float = 1.0,
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.float32]]:
    """Rotate a head; see `random_head_rotation`.

    MediaPipe's canonical head, fitted to the landmarks, gives the depth, by which each pixel moves within
    its row. Nearer points hide farther ones, as in 300W-LP (Zhu et al., CVPR 2016). Surroundings move
    less with their distance from the face.

    Args:
        crop, flags, landmarks: as for `random_head_rotation`.
        yaw: angle in radians, positive to the right of the picture.
        height: factor on the height of the face below the eyes.
    """
    side = len(crop)
    shift = _displacements(fit_pose(landmarks), side, yaw)
    source = _inverse_map(shift, towards_right=yaw > 0)
    heights = _pitch_rows(side, margin_of(side) + EYE_LINE_Y, 1 / height)
    columns, rows = np.meshgrid(np.arange(side, dtype=np.float32), heights)
    source = cv2.remap(source, columns, rows, cv2.INTER_LINEAR)
    moved = cv2.remap(crop, source, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    moved = _antialias_outlines(moved, source)
    flags = cv2.remap(flags, source, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    at = landmarks[:, None].astype(np.float32)
    own = cv2.remap(shift, at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    y = np.interp(landmarks[:, 1], heights, np.arange(side))
    points = np.column_stack([landmarks[:, 0] + own[:, 0], y]).astype(np.float32)
    return np.asarray(moved, np.uint8), np.asarray(flags, np.uint8).reshape(side, side, -1), points


def _antialias_outlines(moved: NDArray[np.uint8], source: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Blur outlines, where neighbouring pixels come from far apart, as a lens does."""
    jump = np.zeros(source.shape, np.uint8)
    jump[:, 1:] |= (np.abs(np.diff(source, axis=1)) > _JUMP_PX).view(np.uint8)
    jump[1:] |= (np.abs(np.diff(source, axis=0)) > _JUMP_PX).view(np.uint8)
    share = cv2.GaussianBlur(cv2.dilate(jump * 255, _NEIGHBOURS), (0, 0), 1.0)[..., None]
    soft = cv2.GaussianBlur(moved, (0, 0), _OUTLINE_PX)
    change = cv2.subtract(soft, moved, dtype=cv2.CV_32F) * (share * np.float32(1 / 255))
    return cv2.add(moved, change, dtype=cv2.CV_8U).astype(np.uint8, copy=False)


def _pitch_rows(side: int, eyes: float, stretch: float) -> NDArray[np.float32]:
    """Source row of each row if the face below the eyes is stretched; float32 [side]."""
    below = np.maximum(np.arange(side) - eyes, 0)
    face = np.minimum(below, 0.6 * CROP_SIZE / stretch)
    return (np.arange(side) + face * (stretch - 1)).astype(np.float32)


@cache
def _head_depth() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Depth of a head in cm, and how much its surroundings move with it, 0..1; both [h, w]."""
    xs = np.arange(_LOW_CM[0], _HIGH_CM[0] + _STEP_CM, _STEP_CM)
    ys = np.arange(_LOW_CM[1], _HIGH_CM[1] + _STEP_CM, _STEP_CM)
    grid = np.stack(np.meshgrid(xs, ys), -1)
    angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    ring = np.column_stack([np.cos(angle), np.sin(angle)])
    ring = _CENTRE_CM + ring * np.where(ring > 0, _HEAD_CM, _DOWN_CM)
    known = np.vstack([CANONICAL_HEAD.points_cm[:, :2], ring])
    own = np.append(
        CANONICAL_HEAD.points_cm[:, 2] - _ellipsoid_depth(CANONICAL_HEAD.points_cm[:, :2]),
        np.zeros(len(ring)),
    )
    bent = thin_plate_spline(known / _UNIT_CM, own[:, None], grid.reshape(-1, 2) / _UNIT_CM)
    away = np.linalg.norm((grid - _CENTRE_CM) / _FACE_CM, axis=-1)
    depth = _ellipsoid_depth(grid) + np.where(away < 1.2, bent.reshape(away.shape), 0)
    down = np.clip((_CENTRE_CM[1] - grid[..., 1]) / _FACE_CM[1], 0, 1) ** 2
    t = np.clip((away - _RIGID) / (_FALLOFF + (_FALLOFF_BELOW_CHIN - _FALLOFF) * down), 0, 1)
    return depth.astype(np.float32), (1 - t * t * (3 - 2 * t)).astype(np.float32)


def _ellipsoid_depth(at: NDArray[np.float64]) -> NDArray[np.float64]:
    """Depth of an ellipsoid head in cm, at points [..., 2]."""
    away = at - _CENTRE_CM
    square = (away / np.where(away > 0, _HEAD_CM, _DOWN_CM)) ** 2
    return _BACK_CM + _DEPTH_CM * np.sqrt(np.clip(1 - square.sum(-1), 0, None))


def _displacements(pose: Pose, side: int, yaw: float) -> NDArray[np.float32]:
    """Displacement of each pixel to the right in pixels, float32 [side, side]."""
    depth, firm = _head_depth()
    # Where a pixel at depth 0 lies in the depth map, and by how much 1 cm of depth moves it there.
    to_head = np.linalg.inv(pose.camera[:2]) / _STEP_CM
    start = -pose.camera[3] @ to_head - _LOW_CM / _STEP_CM
    line = np.arange(side)
    across, down = (
        (line * along_x + (line * along_y + first)[:, None]).astype(np.float32)
        for along_x, along_y, first in zip(*to_head, start, strict=True)
    )
    per_cm = (pose.camera[2] @ to_head).astype(np.float32)
    z, x, y = np.zeros((side, side), np.float32), across, down
    for _ in range(_ROUNDS):
        x, y = across - z * per_cm[0], down - z * per_cm[1]
        z = cv2.remap(depth, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    held = cv2.remap(firm, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    # The point (x, y, z) of the head, from the axis, goes by its product with `step`.
    step = pose.scale * (pose.rotation[0] * (np.cos(yaw) - 1) + pose.rotation[2] * np.sin(yaw))
    fixed = step @ (np.append(_LOW_CM, 0) - _AXIS_CM)
    step, fixed = (step * (_STEP_CM, _STEP_CM, 1)).astype(np.float32), np.float32(fixed)
    return held * (x * step[0] + y * step[1] + z * step[2] + fixed)


def _inverse_map(shift: NDArray[np.float32], *, towards_right: bool) -> NDArray[np.float32]:
    """Source column of each pixel, float32 [side, side]: the inverse of the displacements.

    Points are drawn from the far side to the near one, so that the nearest point of a pixel remains.
    """
    height, width = shift.shape
    at = ((np.arange(width * _SAMPLES) + 0.5) / _SAMPLES - 0.5).astype(np.float32)
    goes = at + cv2.resize(shift, (width * _SAMPLES, height), interpolation=cv2.INTER_LINEAR)
    pixels = np.rint(goes)
    spread = np.empty_like(goes)  # pixels between the two neighbours of a sample
    np.subtract(goes[:, 2:], goes[:, :-2], out=spread[:, 1:-1])
    spread[:, [0, -1]] = 2 * (goes[:, [1, -1]] - goes[:, [0, -2]])
    inverse = np.minimum(2 / _SAMPLES / np.maximum(spread, 2e-3), np.float32(_MAX_SQUEEZE))
    values = at + (pixels - goes) * inverse  # the source of the pixel's centre
    # What leaves the picture is drawn into a column on its left or right, which is cut off.
    places = np.clip(pixels + 1, 0, width + 1).astype(np.int32)
    places += (np.arange(height, dtype=np.int32) * (width + 2))[:, None]
    order = slice(None, None, -1 if towards_right else 1)
    seen = np.full(height * (width + 2), np.nan, np.float32)
    seen[places[:, order].ravel()] = values[:, order].ravel()  # in this order
    seen = seen.reshape(height, width + 2)[:, 1:-1]
    return np.asarray(cv2.medianBlur(_fill_gaps(seen), 5), np.float32)


def _fill_gaps(seen: NDArray[np.float32]) -> NDArray[np.float32]:
    """Interpolate pixels without a source (NaN) from their neighbours in the row."""
    width = seen.shape[1]
    columns, there = np.arange(width, dtype=np.int32), ~np.isnan(seen)
    after = np.minimum.accumulate(np.where(there, columns, width)[:, ::-1], 1)[:, ::-1]
    before = np.maximum.accumulate(np.where(there, columns, -1), 1)
    before = np.where(before < 0, np.minimum(after, width - 1), before)
    after = np.where(after == width, before, after)
    first, last = (np.take_along_axis(seen, at, 1) for at in (before, after))
    share = ((columns - before) / np.maximum(after - before, 1)).astype(np.float32)
    return (first + (last - first) * share).astype(np.float32, copy=False)

"""Turns heads in photographs as solids: seen from the side, nose, lips and chin are an outline."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.align.canonical_crop import CROP_SIZE, EYE_LINE_Y
from realtime.synthetic.face_mesh import CANONICAL_HEAD
from realtime.synthetic.pose import Pose, fit_pose
from realtime.synthetic.uv_mapping import thin_plate_spline
from trainer.data.face_set import margin_of

_YAW = np.deg2rad([12.0, 78.0])
_PROFILE_YAW = np.deg2rad([55.0, 98.0])
_LOOKS_ASIDE = np.deg2rad(8.0)  # such a head is turned on: its other side is not to be seen
_BOWED, _RAISED = 0.65, 1.1  # how high what lies below the eyes is then
# The head as a surface over its own frontal plane, cm, x towards its left and y up, every _STEP_CM.
_LOW_CM, _HIGH_CM, _STEP_CM = np.array([-16.0, -18.0]), np.array([16.0, 16.0]), 0.5
_AXIS_CM = np.array([0.0, 0.0, -2.4])  # between the ears: what a head turns about
_CENTRE_CM = np.array([0.0, -0.5])
_FACE_CM = np.array([7.8, 9.6])  # half axes
_HEAD_CM, _DOWN_CM = np.array([9.4, 15.0]), np.array([9.4, 11.5])  # the same, above and below
_BACK_CM, _DEPTH_CM, _UNIT_CM = -5.0, 10.5, 10.0
# What hangs on to a face: all round it as far again as it reaches, below the chin hardly anything.
_HOLDS, _REACH, _UNDER_CHIN = 1.05, 1.0, 0.2
_ROUNDS = 3  # in which a pixel and its point of the surface find each other
_FINE, _STEEPEST = 5, 3.0  # points a pixel; by how much a row may be squeezed
_APART_PX, _OUTLINE_PX = 5.0, 1.0  # from which step on there is an outline; how wide one is drawn
_BESIDE = np.ones((3, 3), np.uint8)


def turned(
    crop: NDArray[np.uint8],
    flags: NDArray[np.uint8],
    landmarks: NDArray[np.float32],
    rng: np.random.Generator,
    profiles: float = 0.0,
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.float32]]:
    """Turn a head to a side, up to a profile, and bow or raise it a little.

    Args:
        crop: uint8 [128 + 2M, 128 + 2M, 3], a canonical crop with a margin.
        flags: uint8 [128 + 2M, 128 + 2M, C], what belongs to its pixels; 0 is taken outside.
        landmarks: float32 [478, 2], pixels of `crop`.
        rng: where to, and how far.
        profiles: how often the head is turned to a profile or nearly so, 0..1.

    Returns:
        All three, moved alike. The crop is no longer canonical; its landmarks say where the face is.
    """
    far = profiles > 0 and rng.random() < profiles
    own, side = fit_pose(landmarks).yaw, rng.choice([-1.0, 1.0])
    if abs(own) > _LOOKS_ASIDE:
        side = np.sign(own)
    yaw = rng.uniform(*(_PROFILE_YAW if far else _YAW)) * side - own
    return turn(crop, flags, landmarks, yaw, rng.uniform(_BOWED, _RAISED))


def turn(
    crop: NDArray[np.uint8],
    flags: NDArray[np.uint8],
    landmarks: NDArray[np.float32],
    yaw: float,
    height: float = 1.0,
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.float32]]:
    """Turn a head by `yaw` radians, to the right of the picture where positive; else as `turned`.

    Every row moves within itself, by what MediaPipe's canonical head, fitted to the landmarks, says of
    its depth; the nearer of two points hides the other, as in 300W-LP (Zhu et al., CVPR 2016).
    Surroundings move the less, the further away they are. `height` is that of what lies below the eyes.
    """
    side = len(crop)
    shift = _shifts(fit_pose(landmarks), side, yaw)
    source = _sources(shift, towards_right=yaw > 0)
    heights = _heights(side, margin_of(side) + EYE_LINE_Y, 1 / height)
    columns, rows = np.meshgrid(np.arange(side, dtype=np.float32), heights)
    source = cv2.remap(source, columns, rows, cv2.INTER_LINEAR)
    moved = cv2.remap(crop, source, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    moved = _blended(moved, source)
    flags = cv2.remap(flags, source, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    at = landmarks[:, None].astype(np.float32)
    own = cv2.remap(shift, at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    y = np.interp(landmarks[:, 1], heights, np.arange(side))
    points = np.column_stack([landmarks[:, 0] + own[:, 0], y]).astype(np.float32)
    return np.asarray(moved, np.uint8), np.asarray(flags, np.uint8).reshape(side, side, -1), points


def _blended(moved: NDArray[np.uint8], source: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Soften what is moved along outlines, where a pixel and the one beside it come from far apart.

    A lens sees both sides of an outline in one pixel; drawn as steps, it would teach ragged ones.
    """
    jump = np.zeros(source.shape, np.uint8)
    jump[:, 1:] |= (np.abs(np.diff(source, axis=1)) > _APART_PX).view(np.uint8)
    jump[1:] |= (np.abs(np.diff(source, axis=0)) > _APART_PX).view(np.uint8)
    share = cv2.GaussianBlur(cv2.dilate(jump * 255, _BESIDE), (0, 0), 1.0)[..., None] / 255
    soft = cv2.GaussianBlur(moved, (0, 0), _OUTLINE_PX)
    return np.rint(moved + (soft.astype(np.float32) - moved) * share).astype(np.uint8)


def _heights(side: int, eyes: float, stretch: float) -> NDArray[np.float32]:
    """From which row each row is taken, where the face below the eyes is stretched so."""
    below = np.maximum(np.arange(side) - eyes, 0)
    face = np.minimum(below, 0.6 * CROP_SIZE / stretch)
    return (np.arange(side) + face * (stretch - 1)).astype(np.float32)


@cache
def _surface() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Depth of a head, cm, and how firmly what is seen there hangs on to it, 0..1; both [h, w]."""
    xs = np.arange(_LOW_CM[0], _HIGH_CM[0] + _STEP_CM, _STEP_CM)
    ys = np.arange(_LOW_CM[1], _HIGH_CM[1] + _STEP_CM, _STEP_CM)
    grid = np.stack(np.meshgrid(xs, ys), -1)
    angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    ring = np.column_stack([np.cos(angle), np.sin(angle)])
    ring = _CENTRE_CM + ring * np.where(ring > 0, _HEAD_CM, _DOWN_CM)
    known = np.vstack([CANONICAL_HEAD.points_cm[:, :2], ring])
    own = np.append(
        CANONICAL_HEAD.points_cm[:, 2] - _egg(CANONICAL_HEAD.points_cm[:, :2]), np.zeros(len(ring))
    )
    bent = thin_plate_spline(known / _UNIT_CM, own[:, None], grid.reshape(-1, 2) / _UNIT_CM)
    away = np.linalg.norm((grid - _CENTRE_CM) / _FACE_CM, axis=-1)
    depth = _egg(grid) + np.where(away < 1.2, bent.reshape(away.shape), 0)
    down = np.clip((_CENTRE_CM[1] - grid[..., 1]) / _FACE_CM[1], 0, 1) ** 2
    t = np.clip((away - _HOLDS) / (_REACH + (_UNDER_CHIN - _REACH) * down), 0, 1)
    return depth.astype(np.float32), (1 - t * t * (3 - 2 * t)).astype(np.float32)


def _egg(at: NDArray[np.float64]) -> NDArray[np.float64]:
    """Depth of a head without a face, cm, at points [..., 2]."""
    away = at - _CENTRE_CM
    square = (away / np.where(away > 0, _HEAD_CM, _DOWN_CM)) ** 2
    return _BACK_CM + _DEPTH_CM * np.sqrt(np.clip(1 - square.sum(-1), 0, None))


def _shifts(pose: Pose, side: int, yaw: float) -> NDArray[np.float32]:
    """How far each pixel moves to the right, px, float32 [side, side]."""
    depth, firm = _surface()
    pixels = np.stack(np.meshgrid(*(np.arange(side, dtype=np.float32),) * 2), -1)
    to_head = np.linalg.inv(pose.camera[:2]).astype(np.float32)
    away = pixels - pose.camera[3].astype(np.float32)
    z = at = np.zeros((side, side), np.float32)
    flat = pixels
    for _ in range(_ROUNDS):
        flat = (away - z[..., None] * pose.camera[2].astype(np.float32)) @ to_head
        at = ((flat - _LOW_CM) / _STEP_CM).astype(np.float32)
        z = cv2.remap(depth, at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    held = cv2.remap(firm, at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    points = (np.dstack([flat, z]) - _AXIS_CM) * pose.scale
    across, near = points @ pose.rotation[0], points @ pose.rotation[2]
    return (held * (across * (np.cos(yaw) - 1) + near * np.sin(yaw))).astype(np.float32)


def _sources(shift: NDArray[np.float32], *, towards_right: bool) -> NDArray[np.float32]:
    """From where in its row each pixel is taken, px.

    Points that go right come from further left the nearer they are: drawn from the far side on, the
    last one is the one that is seen.
    """
    height, width = shift.shape
    at = ((np.arange(width * _FINE) + 0.5) / _FINE - 0.5).astype(np.float32)
    goes = at + cv2.resize(shift, (width * _FINE, height), interpolation=cv2.INTER_LINEAR)
    pixels = np.rint(goes)
    inverse = np.clip(1 / _FINE / np.maximum(np.gradient(goes, axis=1), 1e-3), 0, _STEEPEST)
    values = at + (pixels - goes) * inverse  # what comes to lie on the middle of the pixel
    order = slice(None, None, -1 if towards_right else 1)
    pixels, values = pixels[:, order].astype(np.intp), values[:, order]
    inside = (pixels >= 0) & (pixels < width)
    places = pixels + np.arange(height)[:, None] * width
    seen = np.full(height * width, np.nan, np.float32)
    seen[places[inside]] = values[inside]
    return np.asarray(cv2.medianBlur(_bridged(seen.reshape(height, width)), 5), np.float32)


def _bridged(seen: NDArray[np.float32]) -> NDArray[np.float32]:
    """Fill what no point fell on from its neighbours in the row."""
    width = seen.shape[1]
    columns, there = np.arange(width), ~np.isnan(seen)
    after = np.minimum.accumulate(np.where(there, columns, width)[:, ::-1], 1)[:, ::-1]
    before = np.maximum.accumulate(np.where(there, columns, -1), 1)
    before = np.where(before < 0, np.minimum(after, width - 1), before)
    after = np.where(after == width, before, after)
    first, last = (np.take_along_axis(seen, at, 1) for at in (before, after))
    share = (columns - before) / np.maximum(after - before, 1)
    return (first + (last - first) * share).astype(np.float32)

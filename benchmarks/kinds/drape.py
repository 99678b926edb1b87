"""Paints shapes as cloth or as solid things: their light comes from the face in the photograph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.synthetic.light import Light
from realtime.synthetic.patterns import pattern_weights
from realtime.synthetic.pose import Pose
from realtime.synthetic.style import MaskStyle

Map = NDArray[np.float32]
_WHITE_LEVEL = 242.0  # pixel value of white cloth in full light
_BITS = 4  # fractional bits of OpenCV's polygon corners
_FINE = 4  # lines are drawn at so many times the size
_LUMA = np.array([0.299, 0.587, 0.114])


@dataclass(frozen=True)
class Cloth:
    """How a shape is shaded.

    Attributes:
        style: colours and printed pattern.
        round_cm: the edges are round over so many centimetres.
        folds: height of the folds, cm.
        fold_cm: length of a fold across and down, cm.
        weave: strength of the fine grain.
        shadow: strength of the shadow that it casts on what lies behind.
    """

    style: MaskStyle
    round_cm: float = 1.5
    folds: float = 0.35
    fold_cm: tuple[float, float] = (7.0, 1.6)
    weave: float = 0.015
    shadow: float = 0.35


def closed_curve(corners: Sequence[Sequence[float]] | NDArray, rounds: int = 3) -> NDArray:
    """Round off a closed polygon [N, D] by Chaikin's corner cutting."""
    points = np.asarray(corners, dtype=np.float64)
    for _ in range(rounds):
        following = np.roll(points, -1, axis=0)
        pairs = [0.75 * points + 0.25 * following, 0.25 * points + 0.75 * following]
        points = np.stack(pairs, 1).reshape(-1, points.shape[1])
    return points


def both_sides(right: Sequence[tuple[float, float, float]]) -> NDArray[np.float64]:
    """Complete a polygon that runs from the middle line down one side of the head with its mirror image.

    Args:
        right: x, y, z in cm of the canonical head, x >= 0; points on the middle line come once.
    """
    points = np.array(right)
    mirrored = points[points[:, 0] > 0][::-1] * (-1, 1, 1)
    return np.vstack([points, mirrored])


def coverage_of(polygon_px: NDArray, shape: tuple[int, int]) -> Map:
    """Rasterise a polygon [N, 2] in pixels: coverage 0..1, float32 [H, W]."""
    canvas = np.zeros(shape, np.uint8)
    fixed = np.round(polygon_px * 2**_BITS).astype(np.int32)
    cv2.fillPoly(canvas, [fixed], (255,), cv2.LINE_AA, _BITS)
    return np.asarray(canvas, np.float32) / np.float32(255)


def line_coverage(
    points_px: NDArray, width_px: float, shape: tuple[int, int], *, closed: bool = False
) -> Map:
    """Rasterise a polyline [N, 2] of any width in pixels: coverage 0..1, float32 [H, W]."""
    canvas = np.zeros((shape[0] * _FINE, shape[1] * _FINE), np.uint8)
    fixed = np.round(((points_px + 0.5) * _FINE - 0.5) * 2**_BITS).astype(np.int32)
    thick = max(1, round(width_px * _FINE))
    cv2.polylines(canvas, [fixed], closed, (255,), thick, cv2.LINE_AA, _BITS)
    small = cv2.resize(canvas, shape[::-1], interpolation=cv2.INTER_AREA)
    return small.astype(np.float32) / 255


def pixel_colour(light: Light, albedo: NDArray | Sequence[float]) -> Map:
    """The colour, 0..255, that an albedo [..., 3] has in a light."""
    colour = np.asarray(albedo, np.float32)
    grey = (colour @ _LUMA)[..., None]
    kept = light.saturation * colour + (1 - light.saturation) * grey
    return np.asarray(kept * light.gain_rgb * _WHITE_LEVEL, np.float32)


def drape(
    rgb: NDArray[np.uint8],
    coverage: Map,
    cloth: Cloth,
    pose: Pose,
    light: Light,
    rng: np.random.Generator,
) -> NDArray[np.uint8]:
    """Paint a shape over a picture as cloth with round edges and folds.

    Args:
        rgb: uint8 [H, W, 3]; not changed.
        coverage: float32 [H, W], 0..1.
        cloth: how it looks.
        pose: of the head, for the scale and the pattern's place.
        light: on the face.
        rng: of the folds.
    """
    scale = pose.scale
    albedo = _albedo(cloth.style, coverage.shape, pose)
    depth_cm = cv2.distanceTransform((coverage > 0.5).astype(np.uint8), cv2.DIST_L2, 5) / scale
    inwards = np.clip(depth_cm / cloth.round_cm, 0, 1)
    height = cloth.round_cm * 0.6 * (1 - (1 - inwards) ** 2)
    folds = _noise(rng, coverage.shape, [part * scale for part in cloth.fold_cm])
    height = height + cloth.folds * folds
    height = cv2.GaussianBlur(np.asarray(height, np.float32) * scale, (0, 0), 0.12 * scale)
    hollow = (cv2.GaussianBlur(height, (0, 0), 0.8 * scale) - height) / scale
    weave = cloth.weave * _noise(rng, coverage.shape, [0.18 * scale, 0.18 * scale])
    shade = _diffuse(height, light) * (1 - 0.5 * np.clip(hollow, -0.3, 0.6)) + weave
    painted = pixel_colour(light, albedo) * shade[..., None] * cloth.style.exposure
    return blend(cast_shadow(rgb, coverage, scale, cloth.shadow), painted, coverage, light)


def _albedo(style: MaskStyle, shape: tuple[int, ...], pose: Pose) -> Map:
    """The printed cloth, float32 [H, W, 3], flat in the picture and level with the head."""
    out = np.empty((*shape, 3), np.float32)
    out[:] = style.base_rgb
    rows, columns = np.indices(shape, dtype=np.float32)
    x_cm = (columns - pose.camera[3, 0]) / np.float32(pose.scale)
    y_cm = (rows - pose.camera[3, 1]) / np.float32(pose.scale)
    weights = pattern_weights(style, x_cm, y_cm)
    for weight, colour in zip(weights, (style.pattern_rgb, style.accent_rgb), strict=True):
        if weight is not None:
            out += weight[..., None].astype(np.float32) * (np.asarray(colour, np.float32) - out)
    return out


def _diffuse(height: Map, light: Light) -> Map:
    """The brightness factor, about 1, of a height field in pixels."""
    down, right = np.gradient(height)
    normals = np.stack([-right, down, np.ones_like(height)], -1)
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True)
    return np.clip(1 + (normals - [0, 0, 1]) @ light.direction, 0.3, 1.5).astype(np.float32)


def _noise(rng: np.random.Generator, shape: tuple[int, ...], cell_px: Sequence[float]) -> Map:
    """Smooth noise of about unit variance, with cells of a width and a height in pixels."""
    size = [
        max(2, round(edge / max(cell, 1.0)))
        for edge, cell in zip(shape[::-1], cell_px, strict=True)
    ]
    coarse = rng.standard_normal(size[::-1]).astype(np.float32)
    return np.asarray(cv2.resize(coarse, shape[::-1], interpolation=cv2.INTER_CUBIC))


def cast_shadow(
    rgb: NDArray[np.uint8], coverage: Map, scale: float, strength: float
) -> NDArray[np.uint8]:
    """Darken a picture round a shape, most of all below it, as it lies in the shape's shadow."""
    shift = np.array([[1, 0, 0], [0, 1, 0.4 * scale]], np.float32)
    moved = cv2.warpAffine(coverage, shift, coverage.shape[::-1])
    soft = cv2.GaussianBlur(moved, (0, 0), 0.35 * scale)
    return np.rint(rgb * (1 - strength * soft[..., None])).astype(np.uint8)


def blend(
    rgb: NDArray[np.uint8], painted: NDArray[np.floating], coverage: Map, light: Light
) -> NDArray[np.uint8]:
    """Blend what is painted, 0..255 [H, W, 3], over a picture, as blurred as the picture is."""
    blur = 0.8 * light.blur_px
    if blur > 0.3:
        painted = np.asarray(cv2.GaussianBlur(painted, (0, 0), blur))
        coverage = np.asarray(cv2.GaussianBlur(coverage, (0, 0), 0.7 * blur))
    out = rgb + coverage[..., None] * (painted - rgb)
    return np.clip(np.rint(out), 0, 255).astype(np.uint8)

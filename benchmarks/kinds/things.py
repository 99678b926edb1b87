"""Things before a bare mouth that are no mask: cup, microphone, phone, beard."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.kinds.drape import (
    blend,
    both_sides,
    cast_shadow,
    closed_curve,
    coverage_of,
    pixel_colour,
)
from benchmarks.kinds.scene import Picture, Portrait, Rng
from realtime.synthetic.palette import random_colour

_MOUTH = np.array([0.0, -4.2, 7.0])  # cm on the canonical head
_BEARD = ((0, -2.3, 6.2), (2.0, -2.5, 5.4), (3.6, -3.4, 4.2), (4.8, -3.2, 3.0), (6.6, -1.0, 0.5),
          (7.4, 0.4, -1.5), (7.2, -3.0, -1.8), (6.4, -6.4, -0.8), (4.4, -9.2, 1.5), (2.0, -10.6, 3.4),
          (0, -11.0, 4.0))  # fmt: skip
_BEARD_RGB = (0.10, 0.08, 0.07), (0.28, 0.19, 0.12)
_LIPS = ((0, -3.6, 6.0), (1.4, -3.7, 5.6), (2.5, -4.4, 4.4), (1.4, -5.2, 5.2), (0, -5.5, 5.6))


def _place(portrait: Portrait, points: NDArray, *, tilt_deg: float = 0.0) -> NDArray[np.float64]:
    """Put a flat shape, [N, 2] in cm (x right, y down), before the mouth: pixels [N, 2]."""
    cos, sin = np.cos(np.deg2rad(tilt_deg)), np.sin(np.deg2rad(tilt_deg))
    turned = points @ np.array([[cos, sin], [-sin, cos]])
    return portrait.pose.project(_MOUTH) + turned * portrait.pose.scale


def _local(portrait: Portrait, shape: tuple[int, ...], tilt_deg: float) -> tuple[NDArray, NDArray]:
    """Coordinates of the picture's pixels on that flat shape, cm, float64 [H, W] each."""
    rows, columns = np.indices(shape)
    x, y = portrait.pose.project(_MOUTH)
    dx, dy = (columns - x) / portrait.pose.scale, (rows - y) / portrait.pose.scale
    cos, sin = np.cos(np.deg2rad(tilt_deg)), np.sin(np.deg2rad(tilt_deg))
    return dx * cos + dy * sin, dy * cos - dx * sin


def _paint(portrait: Portrait, rgb: Picture, polygon: NDArray, albedo: NDArray) -> Picture:
    cover = coverage_of(polygon, rgb.shape[:2])
    shaded = cast_shadow(rgb, cover, portrait.pose.scale, 0.3)
    return blend(shaded, pixel_colour(portrait.light, albedo), cover, portrait.light)


def _rounded_box(x0: float, y0: float, x1: float, y1: float, radius: float) -> NDArray[np.float64]:
    angle = np.linspace(0, np.pi / 2, 6)
    corner = radius * np.stack([np.cos(angle), np.sin(angle)], 1)
    inner = ((x1 - radius, y1 - radius), (x0 + radius, y1 - radius), (x0 + radius, y0 + radius),
             (x1 - radius, y0 + radius))  # fmt: skip
    turns = [np.array([[c, s], [-s, c]]) for c, s in ((1, 0), (0, 1), (-1, 0), (0, -1))]
    return np.vstack([corner @ turn + middle for turn, middle in zip(turns, inner, strict=True)])


def hold_cup(portrait: Portrait, rgb: Picture, rng: Rng) -> Picture:
    """A mug before the mouth, with its handle at one side."""
    tilt, side = float(rng.normal(0, 6)), float(rng.choice([-1, 1]))
    x, y = _local(portrait, rgb.shape[:2], tilt)
    colour = np.array(random_colour(rng))
    ring = closed_curve(np.array([(3.5, 0.5), (6.8, 0.8), (7.0, 4.5), (3.5, 5.8)]) * (side, 1))
    inner = closed_curve(np.array([(3.5, 1.6), (5.6, 1.8), (5.8, 4.0), (3.5, 4.6)]) * (side, 1))
    handle = coverage_of(_place(portrait, ring, tilt_deg=tilt), rgb.shape[:2])
    handle *= 1 - coverage_of(_place(portrait, inner, tilt_deg=tilt), rgb.shape[:2])
    albedo = np.broadcast_to(colour * 0.8, rgb.shape)
    out = blend(rgb, pixel_colour(portrait.light, albedo), handle, portrait.light)
    angle = np.linspace(0, np.pi, 24)
    rim = np.stack([3.9 * np.cos(angle), -0.9 * np.sin(angle) - 0.6], 1)
    base = np.stack([-3.5 * np.cos(angle), 0.9 * np.sin(angle) + 7.4], 1)
    round_ = np.sqrt(np.clip(1 - (x / 4.0) ** 2, 0.04, 1))
    gloss = 0.35 * np.exp(-(((x + 1.8) / 0.5) ** 2))
    lip = 1 + 0.25 * np.exp(-(((y + 0.6 + 0.9 * round_) / 0.25) ** 2))
    shade = (0.45 + 0.55 * round_) * lip
    body = colour * shade[..., None] + gloss[..., None]
    return _paint(portrait, out, _place(portrait, np.vstack([rim, base]), tilt_deg=tilt), body)


def hold_microphone(portrait: Portrait, rgb: Picture, rng: Rng) -> Picture:
    """A singer's microphone, held from below."""
    tilt = float(rng.normal(0, 18))
    x, y = _local(portrait, rgb.shape[:2], tilt)
    handle = np.array([(-1.3, 3.0), (1.3, 3.0), (0.9, 22.0), (-0.9, 22.0)])
    round_ = np.sqrt(np.clip(1 - (x / 1.6) ** 2, 0.05, 1))
    black = np.full(3, 0.1) * (0.4 + round_)[..., None]
    out = _paint(portrait, rgb, _place(portrait, handle, tilt_deg=tilt), black)
    angle = np.linspace(0, 2 * np.pi, 48)
    ball = np.stack([2.5 * np.cos(angle), 2.7 * np.sin(angle) + 1.2], 1)
    depth = np.sqrt(np.clip(1 - (x / 2.6) ** 2 - ((y - 1.2) / 2.8) ** 2, 0, 1))
    mesh = 0.75 + 0.25 * np.sin(x * 14) * np.sin(y * 14)
    ring = np.where(np.abs(y - 1.2) < 0.3, 1.25, 1.0)
    level = float(rng.choice([0.55, 0.12])) * (0.35 + 0.75 * depth) * mesh * ring
    grille = np.repeat(level[..., None], 3, axis=2)
    return _paint(portrait, out, _place(portrait, ball, tilt_deg=tilt), grille)


def hold_phone(portrait: Portrait, rgb: Picture, rng: Rng) -> Picture:
    """A phone before the lower face, its back with two lenses to the camera."""
    tilt = float(rng.normal(0, 12))
    x, y = _local(portrait, rgb.shape[:2], tilt)
    colour = np.array(
        [(0.08, 0.08, 0.09), (0.75, 0.75, 0.77), (0.15, 0.2, 0.35)][int(rng.integers(3))]
    )
    top = float(rng.uniform(-4.2, -2.8))
    body = colour * (1.05 - 0.02 * (x + y))[..., None]
    for at in (top + 1.4, top + 3.2):
        distance = np.hypot(x + 2.2, y - at)
        body = np.where((distance < 0.75)[..., None], 0.03, body)
        body = body + 0.25 * np.exp(-((np.hypot(x + 2.4, y - at + 0.2) / 0.2) ** 2))[..., None]
    shape = _rounded_box(-3.6, top, 3.6, top + 15, 0.9)
    return _paint(portrait, rgb, _place(portrait, shape, tilt_deg=tilt), body)


def grow_beard(portrait: Portrait, rgb: Picture, rng: Rng) -> Picture:
    """A full beard of hairs that hang down, round the mouth."""
    pose, shape = portrait.pose, rgb.shape[:2]
    outline, hole = (
        coverage_of(pose.project(closed_curve(both_sides(one))), shape) for one in (_BEARD, _LIPS)
    )
    cover = cv2.GaussianBlur(outline * (1 - hole), (0, 0), 0.25 * pose.scale)
    noise = rng.standard_normal(shape).astype(np.float32)
    hairs = cv2.GaussianBlur(noise, (0, 0), sigmaX=0.6, sigmaY=0.35 * pose.scale)
    hairs /= max(float(hairs.std()), 1e-6)
    dark = np.array(_BEARD_RGB[int(rng.integers(2))])
    shade = rgb.mean(2) / max(float(rgb.mean(2)[outline > 0.5].mean()), 1.0)
    albedo = dark * (0.7 * shade + 0.3 + 0.25 * hairs)[..., None]
    weight = np.clip(cover * (0.9 + 0.18 * hairs), 0, 0.97).astype(np.float32)
    return blend(
        rgb, pixel_colour(portrait.light, np.clip(albedo, 0.01, 1)), weight, portrait.light
    )

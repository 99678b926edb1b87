"""Grows beards and moustaches: strokes of hair inside an outline on the head, over a darker ground."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.synthetic.palette import random_colour
from trainer.augment.canvas import Canvas, Map, Rng, polygon_cover, smooth_noise, smooth_outline
from trainer.augment.drawing import FIXED_POINT_BITS, fixed_point

# Outlines on the right half of the canonical head from the middle line on: x, y, z in cm.
_Outline = tuple[tuple[float, float, float], ...]
_FULL: _Outline = ((0, -5.6, 6.2), (2.2, -5.4, 5.2), (3.4, -4.0, 4.6), (4.6, -2.6, 3.2), (6.2, -0.6, 1.4),
                   (7.0, 1.6, -0.8), (7.5, -1.2, -1.4), (7.0, -5.2, -0.8), (5.0, -8.6, 1.6),
                   (2.6, -10.2, 3.4), (0, -10.6, 4.2))  # fmt: skip
_CHIN: _Outline = ((0, -5.7, 6.2), (1.7, -5.6, 5.4), (2.6, -7.0, 4.4), (2.6, -9.4, 3.4),
                   (0, -10.6, 4.0))  # fmt: skip
_MOUSTACHE: _Outline = ((0, -2.3, 7.0), (1.6, -2.5, 6.2), (3.2, -3.8, 4.8), (2.9, -4.5, 4.8),
                        (1.5, -3.5, 5.9), (0, -3.3, 6.6))  # fmt: skip
_LIPS: _Outline = ((0, -3.6, 6.6), (1.4, -3.8, 5.8), (2.4, -4.5, 4.8), (1.4, -5.3, 5.4),
                   (0, -5.6, 6.0))  # fmt: skip

# Albedo of hair, RGB.
_HAIR: tuple[tuple[float, float, float], ...] = (
    (0.05, 0.045, 0.04), (0.10, 0.07, 0.055), (0.2, 0.13, 0.08), (0.33, 0.22, 0.13), (0.42, 0.2, 0.1),
    (0.55, 0.42, 0.26), (0.4, 0.39, 0.38), (0.75, 0.74, 0.72), (0.95, 0.94, 0.92),
)  # fmt: skip
_DYED_SHARE = 0.05  # of the beards
_MOST_HAIRS = 900


def add_beard(canvas: Canvas, rng: Rng) -> Canvas:
    """Grow a full beard, a beard on the chin, a moustache or several of them, stubble or long."""
    region, longer = _region(canvas, rng)
    albedo = np.array(_HAIR[int(rng.integers(len(_HAIR)))]) * rng.uniform(0.8, 1.2)
    if rng.random() < _DYED_SHARE:
        albedo = np.array(random_colour(rng))
    dense = float(rng.uniform(0.35, 1.0))
    patchy = np.clip(1 + rng.uniform(0, 0.5) * smooth_noise(rng, canvas.shape, (12, 9)), 0, 1.2)
    ground = np.clip(region * dense * patchy, 0, 0.95).astype(np.float32)
    under = canvas.crop.astype(np.float32)
    shade = cv2.GaussianBlur(under.mean(2), (0, 0), 2.0)
    inside = region > 0.5
    shade = shade / max(float(shade[inside].mean()) if inside.any() else 1.0, 8.0)
    hollow = np.clip(0.55 + 0.45 * shade, 0.4, 1.5)[..., None]
    colour = canvas.levels(albedo) * hollow
    crop = under + ground[..., None] * (colour * 0.8 - under)
    hairs = _strokes(crop, canvas, region, colour, longer, rng)
    crop = crop + np.float32(rng.uniform(0.3, 0.8)) * (hairs - crop)
    blur = max(0.55, 0.7 * canvas.light.blur_px)
    mix = cv2.GaussianBlur(np.minimum(1.3 * region, 1), (0, 0), 1.2)[..., None]
    crop = under + mix * (cv2.GaussianBlur(crop, (0, 0), blur) - under)
    return replace(canvas, crop=np.clip(crop, 0, 255).astype(np.uint8))


def _region(canvas: Canvas, rng: Rng) -> tuple[Map, float]:
    """Draw where a beard grows, float32 [S, S], 0..1, and how many centimetres it hangs below the chin."""
    kind = rng.choice(["full", "full", "full", "goatee", "moustache", "chin"])
    longer = float(rng.choice([0, 0, 0.5, 2.0, rng.uniform(0, 7)])) * (kind != "moustache")
    parts: list[Map] = []
    if kind == "full":
        parts.append(_cover(canvas, rng, _FULL, longer))
    if kind in ("goatee", "chin"):
        parts.append(_cover(canvas, rng, _CHIN, longer))
    if kind in ("moustache", "goatee") or (kind == "full" and rng.random() < 0.8):
        parts.append(_cover(canvas, rng, _MOUSTACHE, 0.0))
    lips = _cover(canvas, rng, _LIPS, 0.0) * np.float32(rng.uniform(0.3, 1))
    soft_px = rng.uniform(0.15, 0.5) * canvas.pose.scale
    return cv2.GaussianBlur(np.max(parts, 0), (0, 0), soft_px) * (1 - lips), longer


def _cover(canvas: Canvas, rng: Rng, right: _Outline, longer_cm: float) -> Map:
    """Cover of an outline and its mirror image, each corner moved a little; the lowest ones hang lower."""
    half = np.array(right) + rng.normal(0, 0.22, (len(right), 3)) * (1, 1, 0)
    low = np.clip((-half[:, 1] - 7) / 3, 0, 1)
    half[:, 1] -= longer_cm * low
    half[:, 2] += 0.1 * longer_cm * low
    half[half[:, 0] < 0.6, 0] = np.maximum(half[half[:, 0] < 0.6, 0], 0.05)
    corners = np.vstack([half, half[::-1] * (-1, 1, 1)])
    return polygon_cover(canvas.pose.project(smooth_outline(corners, 120)), canvas.shape)


def _strokes(
    crop: NDArray[np.float32], canvas: Canvas, region: Map, colour: Map, longer_cm: float, rng: Rng
) -> NDArray[np.float32]:
    """Draw single hairs that run down and outwards from the mouth, lighter and darker."""
    where = np.argwhere(region > 0.25)
    if not len(where):
        return crop
    scale = canvas.pose.scale
    count = min(int(len(where) * rng.uniform(0.05, 0.3)), _MOST_HAIRS)
    roots = where[rng.integers(0, len(where), count)][:, ::-1] + rng.uniform(-0.5, 0.5, (count, 2))
    mouth = canvas.at(0, -3.0, 6.5)
    down = canvas.at(0, -10, 4) - canvas.at(0, -3, 6.5)
    down = down / max(float(np.hypot(*down)), 1e-3)
    away = roots - mouth
    away /= np.maximum(np.hypot(*away.T), 1e-3)[:, None]
    wave = smooth_noise(rng, canvas.shape, (9, 9))
    at = roots.astype(int).clip(0, len(crop) - 1)
    bend = rng.uniform(0.1, 0.8) * wave[at[:, 1], at[:, 0]] + rng.normal(0, 0.25, count)
    along = 0.6 * away + down
    cos, sin = np.cos(bend), np.sin(bend)
    along = np.stack(
        [cos * along[:, 0] - sin * along[:, 1], sin * along[:, 0] + cos * along[:, 1]], 1
    )
    along /= np.maximum(np.hypot(*along.T), 1e-3)[:, None]
    length = scale * rng.uniform(0.15, 0.5 + 0.25 * min(longer_cm, 4), count)[:, None]
    curl = rng.normal(0, 0.25, count)[:, None] * np.stack([-along[:, 1], along[:, 0]], 1)
    curves = np.stack(
        [roots, roots + along * length * 0.5 + curl * length, roots + along * length], 1
    )
    level = np.exp(rng.normal(0, rng.uniform(0.1, 0.35), count))
    grey = rng.random(count) < rng.choice([0, 0, 0.1, 0.4])
    out = np.ascontiguousarray(crop, np.float32).copy()
    for curve, root, factor, white in zip(curves, at, level, grey, strict=True):
        tone = colour[root[1], root[0]] * factor
        tone = 0.4 * tone + 110 if white else tone
        points = fixed_point(curve)
        cv2.polylines(
            out, [points], False, tuple(map(float, tone)), 1, cv2.LINE_8, FIXED_POINT_BITS
        )
    return out

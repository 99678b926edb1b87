"""Draws flat things that people hold: phones, sheets of paper, books, food."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.synthetic.palette import random_colour
from trainer.augment.canvas import Map, Rng, polygon_cover, smooth_noise, smooth_outline
from trainer.augment.sheet import Sheet, flat_shade, px, rounded_box
from trainer.augment.surfaces import picture_part, random_surface

_SCREEN_SHARE = 0.2  # of the phones show their screens
_SIDEWAYS_SHARE = 0.2  # of the phones are held sideways


def draw_phone(rng: Rng, pictures: NDArray[np.uint8]) -> Sheet:
    """Draw a phone: its back with lenses, in a plain or printed case, or its screen."""
    shape = px(rng.uniform(12.5, 16.8)), px(rng.uniform(6.3, 8.2))
    cover = rounded_box(shape, px(rng.uniform(0.3, 1.2)))
    albedo = random_surface(rng, shape, pictures, plain=0.25)
    if rng.random() < _SCREEN_SHARE:
        x, y = px(rng.uniform(0.15, 0.5)), px(rng.uniform(0.6, 1.4))
        shown = picture_part(rng, shape, pictures) if rng.random() < 0.5 else albedo
        screen = shown[y:-y, x:-x] * np.float32(rng.uniform(0.1, 1.1))
        albedo = np.full((*shape, 3), rng.uniform(0.02, 0.9), np.float32)
        albedo[y:-y, x:-x] = screen
    else:
        _add_lenses(albedo, rng)
    albedo = albedo * flat_shade(rng, shape)[..., None]
    rim = cover - cv2.erode(cover, np.ones((3, 3), np.uint8))
    albedo += rim[..., None] * np.float32(rng.uniform(-0.3, 0.5))
    anchor = shape[1] * rng.uniform(0.2, 0.8), shape[0] * rng.uniform(0.05, 0.65)
    if rng.random() < _SIDEWAYS_SHARE:
        albedo, cover = (np.ascontiguousarray(np.rot90(one)) for one in (albedo, cover))
        anchor = cover.shape[1] * rng.uniform(0.3, 0.7), cover.shape[0] * rng.uniform(0.1, 0.8)
    return Sheet(albedo.astype(np.float32), cover, anchor, 14, (0, cover.shape[1]))


def _add_lenses(albedo: Map, rng: Rng) -> None:
    """Add a block of one to four lenses in a corner, at the top or in the middle, and a logo."""
    height, width = albedo.shape[:2]
    count, radius = int(rng.integers(1, 5)), px(rng.uniform(0.3, 0.75))
    columns = 1 if rng.random() < 0.5 else 2
    step = 2 * radius + px(rng.uniform(0.1, 0.5))
    x0 = int(rng.choice([px(1.2), width // 2, width - px(1.2) - (columns - 1) * step]))
    y0 = px(rng.uniform(1.0, 1.8))
    if rng.random() < 0.6:
        last = np.array([columns - 1, -(-count // columns) - 1])
        low = x0 - radius - px(0.3), y0 - radius - px(0.3)
        high = tuple(map(int, np.array([x0, y0]) + last * step + radius + px(0.3)))
        tone = np.clip(albedo.mean((0, 1)) * rng.uniform(0.5, 1.3), 0.02, 1)
        cv2.rectangle(albedo, low, high, tuple(map(float, tone)), -1)
    for lens in range(count):
        at = x0 + (lens % columns) * step, y0 + lens // columns * step
        ring = float(rng.uniform(0.05, 0.7))
        cv2.circle(albedo, at, radius, (ring, ring, ring), -1, cv2.LINE_AA)
        cv2.circle(albedo, at, max(1, round(0.78 * radius)), (0.03, 0.03, 0.04), -1, cv2.LINE_AA)
        glint = at[0] - radius // 3, at[1] - radius // 3
        cv2.circle(albedo, glint, max(1, radius // 5), (0.5, 0.5, 0.6), -1, cv2.LINE_AA)
    if rng.random() < 0.4:
        colour = tuple(map(float, random_colour(rng)))
        middle = width // 2, int(height * rng.uniform(0.4, 0.6))
        cv2.circle(albedo, middle, px(rng.uniform(0.4, 1.0)), colour, -1, cv2.LINE_AA)


def draw_sheet(rng: Rng, pictures: NDArray[np.uint8]) -> Sheet:
    """Draw a sheet of paper, a card, a flag or a handkerchief, slightly bent."""
    shape = px(rng.uniform(6, 22)), px(rng.uniform(8, 22))
    albedo = random_surface(rng, shape, pictures)
    if rng.random() < 0.5:
        albedo = 0.55 + 0.4 * albedo
    bends = 1 + rng.uniform(0, 0.12) * smooth_noise(rng, shape, (40, 25))
    albedo = albedo * (bends * flat_shade(rng, shape))[..., None]
    anchor = shape[1] * rng.uniform(0.25, 0.75), shape[0] * rng.uniform(0.05, 0.6)
    cover = rounded_box(shape, px(rng.uniform(0, 0.5)))
    return Sheet(albedo.astype(np.float32), cover, anchor, 15, (0, shape[1]))


def draw_book(rng: Rng, pictures: NDArray[np.uint8]) -> Sheet:
    """Draw an open book or a tablet, its back to the camera."""
    shape = px(rng.uniform(14, 24)), px(rng.uniform(12, 30))
    albedo = random_surface(rng, shape, pictures)
    fold = np.abs(np.arange(shape[1]) - shape[1] / 2) / px(rng.uniform(0.4, 1.5))
    albedo = albedo * (1 - rng.uniform(0, 0.5) * np.exp(-(fold**2)))[None, :, None]
    albedo *= flat_shade(rng, shape)[..., None]
    anchor = shape[1] * rng.uniform(0.3, 0.7), shape[0] * rng.uniform(0, 0.4)
    cover = rounded_box(shape, px(rng.uniform(0.1, 0.8)))
    return Sheet(albedo.astype(np.float32), cover, anchor, 6, (0, shape[1]))


def draw_food(rng: Rng, pictures: NDArray[np.uint8]) -> Sheet:
    """Draw a lump of food, as a fruit or a sandwich, or any soft thing: round shapes in layers."""
    shape = px(rng.uniform(5, 12)), px(rng.uniform(5, 14))
    angles = np.linspace(0, 2 * np.pi, 9, endpoint=False)
    radius = np.clip(rng.normal(0.85, 0.1, 9), 0.6, 0.98)
    corners = np.stack([np.cos(angles), np.sin(angles)], 1) * radius[:, None]
    cover = polygon_cover((smooth_outline(corners) * 0.5 + 0.5) * shape[::-1], shape)
    albedo = random_surface(rng, shape, pictures)
    for _ in range(int(rng.integers(0, 4))):
        layer = np.clip(smooth_noise(rng, shape, (shape[0] / 5, shape[1])) * 3, 0, 1)
        albedo += layer[..., None] * (np.array(random_colour(rng), np.float32) - albedo)
    depth = cv2.distanceTransform((cover > 0.5).astype(np.uint8), cv2.DIST_L2, 3)
    reach = 0.3 * min(shape)
    round_ = 0.5 + 0.5 * np.sin(np.clip(depth / reach, 0, 1) * np.pi / 2)
    rough = 1 + rng.uniform(0, 0.15) * smooth_noise(rng, shape, (5, 5))
    albedo = albedo * (round_ * rough)[..., None] * flat_shade(rng, shape)[..., None]
    anchor = shape[1] * rng.uniform(0.2, 0.8), shape[0] * rng.uniform(0.1, 0.7)
    return Sheet(albedo.astype(np.float32), cover, anchor, 30, (0, shape[1]))

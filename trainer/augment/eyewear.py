"""Puts glasses, sunglasses, goggles and visors on, over the upper edge of a mask."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.synthetic.palette import random_colour
from trainer.augment.canvas import Canvas, Map, Rng, polygon_cover, smooth_noise
from trainer.augment.drawing import FIXED_POINT_BITS, fixed_point

_GOGGLES_SHARE = 0.2  # of the eyewear
_EYE_Y = 2.6  # height of the eyes on the canonical head, cm
_FAR_YAW = 0.8  # radians, from which on the far half of glasses is behind the nose


def add_eyewear(canvas: Canvas, rng: Rng) -> Canvas:
    """Put on glasses or goggles of any shape, clear, tinted or mirrored."""
    goggles = rng.random() < _GOGGLES_SHARE
    outlines = _goggles(rng) if goggles else _glasses(rng)
    yaw = canvas.pose.yaw
    if abs(yaw) > _FAR_YAW:
        outlines = [one for one in outlines if one[:, 0].mean() * np.sign(yaw) < 0.5] or outlines[
            :1
        ]
    outlines_px = [canvas.pose.project(one) for one in outlines]
    scale = canvas.pose.scale
    frame_cm = (
        rng.uniform(0.5, 1.6) if goggles else float(np.exp(rng.uniform(np.log(0.12), np.log(0.9))))
    )
    lens, frame = np.zeros(canvas.shape, np.float32), np.zeros(canvas.shape, np.uint8)
    for outline in outlines_px:
        lens = np.maximum(lens, polygon_cover(outline, canvas.shape))
    band_cm = rng.uniform(1.0, 2.6) if goggles else max(0.2, 0.8 * frame_cm)
    if goggles or rng.random() < 0.9:
        for line in _temples(outlines, yaw):
            _draw(frame, canvas.pose.project(line), band_cm * scale)
    canvas = _paint_frame(canvas, frame, rng, goggles)
    canvas = _paint_lens(canvas, lens, rng)
    frame[:] = 0
    half = rng.random() < 0.12 and not goggles  # a frame above the lenses alone
    for outline in outlines_px:
        part = outline[: len(outline) // 2] if half else np.vstack([outline, outline[:1]])
        _draw(frame, part, frame_cm * scale)
    if len(outlines) == 2:
        inner = [one[np.abs(one[:, 0]).argmin()] for one in outlines]
        bridge = np.stack([inner[0], (inner[0] + inner[1]) / 2 + (0, 0.4, 0.7), inner[1]])
        _draw(frame, canvas.pose.project(bridge), max(0.2, 0.8 * frame_cm) * scale)
    return _paint_frame(canvas, frame, rng, goggles)


def _glasses(rng: Rng) -> list[NDArray[np.float64]]:
    """Outlines of two lenses, [N, 3] cm: superellipses from round to square, wider above or below."""
    wide, high = rng.uniform(2.1, 3.1), rng.uniform(1.3, 2.7)
    power, taper, slant = rng.uniform(1.8, 5.0), rng.normal(0, 0.14), rng.normal(0, 0.1)
    apart, drop = rng.uniform(2.9, 3.5), rng.uniform(-0.2, 1.6)
    angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    x = np.sign(np.cos(angle)) * np.abs(np.cos(angle)) ** (2 / power)
    y = np.sign(np.sin(angle)) * np.abs(np.sin(angle)) ** (2 / power)
    across, up = wide * x * (1 + taper * y), high * y + slant * wide * x
    right = np.stack([apart + across, _EYE_Y - drop + up, 6.2 - 0.055 * (apart + across) ** 2], 1)
    return [right, right * (-1, 1, 1)]


def _goggles(rng: Rng) -> list[NDArray[np.float64]]:
    """The outline of one wide glass with a notch for the nose, [N, 3] cm."""
    wide, top, bottom = rng.uniform(6.3, 8.0), rng.uniform(4.2, 7.0), rng.uniform(-2.4, 0.4)
    notch, nose = rng.uniform(0.6, 2.4), rng.uniform(1.2, 2.6)
    power = rng.uniform(2.0, 5.0)
    angle = np.linspace(0, 2 * np.pi, 72, endpoint=False)
    x = wide * np.sign(np.cos(angle)) * np.abs(np.cos(angle)) ** (2 / power)
    middle, half = (top + bottom) / 2, (top - bottom) / 2
    y = middle + half * np.sign(np.sin(angle)) * np.abs(np.sin(angle)) ** (2 / power)
    y += (np.sin(angle) < 0) * notch * np.exp(-((x / nose) ** 2))
    z = rng.uniform(6.4, 8.0) - rng.uniform(0.05, 0.09) * x**2
    return [np.stack([x, y, z], 1)]


def _temples(outlines: list[NDArray[np.float64]], yaw: float) -> list[NDArray[np.float64]]:
    """Lines from the outer ends of the outlines to above the ears, [2, 3] cm; the far one is hidden."""
    lines = []
    points = np.vstack(outlines)
    for side in (-1, 1):
        if yaw * side > 0.35:
            continue
        end = points[(points[:, 0] * side).argmax()] + (0, 0.4, 0)
        if end[0] * side > 3:
            lines.append(np.stack([end, (side * 7.8, 2.9, -3.5)]))
    return lines


def _paint_lens(canvas: Canvas, lens: Map, rng: Rng) -> Canvas:
    """Paint glass: clear with reflections, tinted, dark or a mirror; a tint may fade downwards."""
    kind = rng.choice(["clear", "clear", "tinted", "dark", "mirror"])
    shine = np.clip(
        smooth_noise(rng, canvas.shape, (rng.uniform(8, 40), rng.uniform(15, 60))) - 0.4, 0, 1
    )
    opacity = {"clear": rng.uniform(0, 0.15), "tinted": rng.uniform(0.3, 0.6),
               "dark": rng.uniform(0.75, 0.98), "mirror": rng.uniform(0.7, 0.97)}[str(kind)]  # fmt: skip
    albedo = np.array(random_colour(rng)) if kind != "clear" else np.full(3, 0.9)
    albedo = albedo * (0.25 if kind == "dark" else 1.0)
    rows = np.linspace(-1, 1, canvas.shape[0], dtype=np.float32)[:, None]
    fade = np.clip(1 - rng.uniform(0, 0.6) * (rows + 0.3), 0, 1) if rng.random() < 0.4 else 1.0
    cover = lens * np.clip(opacity * fade + rng.uniform(0, 0.6) * shine, 0, 0.99)
    colour = canvas.levels(albedo) * (1 + rng.uniform(0, 1.5) * shine[..., None])
    if kind == "mirror":
        colour = colour * (1 + 0.4 * smooth_noise(rng, canvas.shape, (12, 20))[..., None])
    colour = np.clip(colour + 90 * shine[..., None], 0, 255)
    return canvas.painted(colour, cover.astype(np.float32), 0.0)


def _paint_frame(canvas: Canvas, frame: NDArray[np.uint8], rng: Rng, goggles: bool) -> Canvas:
    """Paint a frame or a strap, round in section, sometimes clear plastic."""
    cover = frame.astype(np.float32) / np.float32(255)
    albedo = (
        np.array(random_colour(rng)) if rng.random() < 0.4 else np.full(3, rng.uniform(0.02, 0.2))
    )
    relief = cv2.GaussianBlur(cover, (0, 0), 0.12 * canvas.pose.scale)
    light = np.gradient(relief, axis=0) * rng.uniform(0.2, 1.2)
    colour = canvas.levels(albedo) * (1 - np.clip(light * 2, -0.5, 0.5))[..., None]
    colour += np.clip(-light, 0, 1)[..., None] * rng.uniform(0, 120)
    see_through = rng.uniform(0.5, 0.9) if rng.random() < (0.3 if goggles else 0.08) else 1.0
    return canvas.painted(colour, cover * np.float32(see_through), float(rng.uniform(0.05, 0.3)))


def _draw(image: NDArray[np.uint8], points: NDArray, width_px: float) -> None:
    width = max(1, round(width_px))
    cv2.polylines(image, [fixed_point(points)], False, (255,), width, cv2.LINE_AA, FIXED_POINT_BITS)

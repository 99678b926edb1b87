"""Glasses, sunglasses and goggles, which lie over a mask's upper edge."""

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
    line_coverage,
    pixel_colour,
)
from benchmarks.kinds.scene import Picture, Portrait, Rng

# One lens of a pair of glasses, and one side of goggles: x, y and z in cm of the canonical head.
_LENS = ((1.3, 3.6, 5.6), (4.2, 3.9, 5.0), (6.0, 3.4, 4.2), (6.1, 1.6, 4.2), (5.0, 0.0, 4.8),
         (2.8, -0.2, 5.6), (1.3, 1.2, 5.9))  # fmt: skip
_TEMPLE = ((6.0, 3.2, 4.2), (8.0, 2.6, -3.5))
_BRIDGE = ((1.3, 2.7, 5.9), (0.0, 3.0, 6.4))
_GOGGLES = ((0, 5.0, 5.8), (4.0, 5.2, 5.2), (7.0, 4.2, 2.8), (7.5, 2.0, 2.0), (6.6, -0.6, 3.0),
            (3.6, -1.6, 5.0), (1.6, 0.2, 7.0), (0, 1.2, 7.6))  # fmt: skip
_GOGGLES_STRAP = ((7.0, 3.2, 2.4), (8.6, 3.4, -3.5))


def wear_glasses(portrait: Portrait, rgb: Picture, rng: Rng) -> Picture:
    """Put on glasses with a thin frame and a little reflection."""
    return _glasses(portrait, rgb, rng, sun=False)


def wear_sunglasses(portrait: Portrait, rgb: Picture, rng: Rng) -> Picture:
    """Put on sunglasses."""
    return _glasses(portrait, rgb, rng, sun=True)


def _glasses(portrait: Portrait, rgb: Picture, rng: Rng, *, sun: bool) -> Picture:
    pose, shape = portrait.pose, rgb.shape[:2]
    lenses, frame = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    wide = float(rng.uniform(0.15, 0.35)) * pose.scale
    for side in (-1, 1):
        turn = np.array([side, 1, 1])
        outline = pose.project(closed_curve(np.array(_LENS) * turn))
        lenses = np.maximum(lenses, coverage_of(outline, shape))
        frame = np.maximum(frame, line_coverage(outline, wide, shape, closed=True))
        for line in (_TEMPLE, _BRIDGE):
            line_px = pose.project(np.array(line) * turn)
            frame = np.maximum(frame, line_coverage(line_px, wide, shape))
    dark = float(rng.uniform(0.03, 0.1))
    lens_rgb = pixel_colour(portrait.light, (dark, dark, dark) if sun else (0.9, 0.95, 1.0))
    shine = _shine(shape, portrait, rng)
    opacity = lenses * (0.92 if sun else 0.06 + 0.3 * shine)
    painted = lens_rgb * (1 + 2.5 * shine[..., None]) if sun else lens_rgb * np.ones((*shape, 1))
    out = blend(rgb, np.asarray(painted, np.float32), opacity, portrait.light)
    out = cast_shadow(out, frame, pose.scale, 0.25)
    rim_rgb = pixel_colour(portrait.light, np.array([1.0, 0.9, 0.8]) * rng.uniform(0.03, 0.2))
    return blend(out, np.broadcast_to(rim_rgb, rgb.shape), frame, portrait.light)


def wear_goggles(portrait: Portrait, rgb: Picture, rng: Rng) -> Picture:
    """Put on clear goggles with a soft frame and a strap round the head."""
    pose, shape = portrait.pose, rgb.shape[:2]
    outline = pose.project(closed_curve(both_sides(_GOGGLES), 2))
    lens = coverage_of(outline, shape) * (0.1 + 0.45 * _shine(shape, portrait, rng))
    edge = line_coverage(outline, 0.7 * pose.scale, shape, closed=True)
    band = np.zeros(shape, np.float32)
    for side in (-1, 1):
        line = pose.project(np.array(_GOGGLES_STRAP) * (side, 1, 1))
        band = np.maximum(band, line_coverage(line, 1.4 * pose.scale, shape))
    dark = rng.random() < 0.5
    strap_rgb = pixel_colour(portrait.light, (0.12,) * 3 if dark else (0.75, 0.78, 0.8))
    out = blend(rgb, np.broadcast_to(strap_rgb, rgb.shape), band, portrait.light)
    glass = np.broadcast_to(pixel_colour(portrait.light, (0.9, 0.95, 1.0)), rgb.shape)
    out = blend(out, glass, lens.astype(np.float32), portrait.light)
    relief = cv2.GaussianBlur(edge, (0, 0), 0.2 * pose.scale)
    down = np.gradient(relief)[0] * pose.scale
    soft = pixel_colour(portrait.light, (0.2,) * 3 if dark else (0.7, 0.75, 0.78))
    painted = soft * (1 - 0.9 * np.clip(down, -0.6, 0.6))[..., None]
    out = cast_shadow(out, edge, pose.scale, 0.2)
    return blend(out, painted.astype(np.float32), 0.85 * edge, portrait.light)


def _shine(shape: tuple[int, ...], portrait: Portrait, rng: Rng) -> NDArray[np.float32]:
    """Soft slanted bands of light, as windows leave them on glass, float32 [H, W], 0..1."""
    rows, columns = np.indices(shape, dtype=np.float32) / np.float32(portrait.pose.scale)
    phase = columns * 0.5 + rows * 0.35 + rng.uniform(0, 6)
    return np.clip(np.sin(phase) * 2 - 1, 0, 1).astype(np.float32)

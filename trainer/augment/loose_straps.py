"""Draws ear loops that are not behind the ears: pulled away by hands that are not seen, or hanging down."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from realtime.synthetic import MaskStyle
from realtime.synthetic.mask_surface import build_surface
from realtime.synthetic.rasterise import tapered_band
from trainer.augment.canvas import Canvas, Rng, polygon_cover
from trainer.augment.drawing import bezier

_POINTS = 12  # of each half of a loop
_PULLED_SHARE = 0.6  # of the loops; the others hang down
_SHADOW = 0.15


def add_loose_straps(canvas: Canvas, style: MaskStyle, rng: Rng) -> Canvas:
    """Draw a loop from the two corners of one side of a mask, or of both sides; it is part of the mask."""
    sides = [-1, 1] if rng.random() < 0.5 else [int(rng.choice([-1, 1]))]
    pulled = bool(rng.random() < _PULLED_SHARE)
    cover = np.zeros(canvas.shape, np.float32)
    for side in sides:
        line = _loop(canvas, style, side, rng, pulled=pulled)
        width = max(rng.uniform(0.15, 0.4) * canvas.pose.scale, 0.8)
        cover = np.maximum(cover, polygon_cover(tapered_band(line, width), canvas.shape))
    colour = canvas.levels(np.clip(np.asarray(style.strap_rgb) * style.exposure, 0, 1))
    return canvas.painted(colour, cover, _SHADOW, is_mask=True)


def _loop(
    canvas: Canvas, style: MaskStyle, side: int, rng: Rng, *, pulled: bool
) -> NDArray[np.float64]:
    """Return the points of a loop, float64 [N, 2] pixels, from the upper corner to the lower one."""
    edge = build_surface(style.fit, style.pulled_down).points_cm[:, 0 if side < 0 else -1]
    upper, lower = (canvas.pose.project(edge[row]) for row in (1, -2))
    outwards, drop = (
        (rng.uniform(1.5, 8), rng.uniform(-6, 5)) if pulled else (rng.normal(1, 1), -8.0)
    )
    middle = edge.mean(0) + np.array([side * outwards, drop * rng.uniform(0.6, 1.4), 0])
    far = canvas.pose.project(middle)
    slack = canvas.pose.scale * (0.4 if pulled else 1.2)
    halves = [
        bezier(start, (start + far) / 2 + rng.normal(0, slack, 2), far, _POINTS)
        for start in (upper, lower)
    ]
    return np.vstack([halves[0], halves[1][::-1]])

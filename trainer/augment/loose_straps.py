"""Draws ear loops that are not behind the ears: pulled away by hands that are not seen, or hanging down."""

from __future__ import annotations

from dataclasses import replace

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

MARKED_STRAP_CM = 0.33
"""Straps are marked at least so wide: a pixel that a thin one covers by less than a half shows it too."""


def add_loose_straps(canvas: Canvas, style: MaskStyle, rng: Rng) -> Canvas:
    """Draw a loop from the two corners of one side of a mask, or of both sides; it is part of the mask."""
    sides = [-1, 1] if rng.random() < 0.5 else [int(rng.choice([-1, 1]))]
    pulled = bool(rng.random() < _PULLED_SHARE)
    cover, marked = np.zeros((2, *canvas.shape), np.float32)
    for side in sides:
        line = _loop(canvas, style, side, rng, pulled=pulled)
        width_cm = rng.uniform(0.12, 0.4)
        for drawn, wide_cm in ((cover, width_cm), (marked, max(width_cm, MARKED_STRAP_CM))):
            band = tapered_band(line, wide_cm * canvas.pose.scale)
            np.maximum(drawn, polygon_cover(band, canvas.shape), out=drawn)
    colour = canvas.levels(np.clip(np.asarray(style.strap_rgb) * style.exposure, 0, 1))
    painted = canvas.painted(colour, cover, _SHADOW, is_mask=True)
    return replace(painted, alpha=painted.alpha | (marked >= 0.5))


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

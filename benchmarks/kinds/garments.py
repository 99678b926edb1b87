"""Cloth that is worn: what hangs from a mask over neck and chest, scarves, capes and headscarves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from benchmarks.kinds.drape import Cloth, both_sides, closed_curve, coverage_of, drape
from benchmarks.kinds.scene import Picture, Portrait, Rng
from realtime.synthetic.palette import random_colour
from realtime.synthetic.style import MaskStyle, Rgb

# Outlines on one side of the head, x, y and z in cm of the canonical head (eyes at y 2.6, chin at -9.4).
_GAITER_NECK = (
    (0, -7.5, 3.0), (4.0, -6.8, 0.5), (6.9, -4.6, -2.0), (6.7, -8.5, -3.0), (6.5, -12.0, -4.0),
    (7.0, -14.5, -4.0), (8.0, -16.2, -3.0), (8.0, -16.4, -3.0), (4.5, -17.6, -1.0), (0, -18.2, 0.0),
)  # fmt: skip
_WOUND_SCARF = (
    (0, -7.0, 3.5), (4.5, -6.0, 1.0), (7.6, -3.8, -2.0), (9.2, -6.0, -3.5), (9.6, -10.0, -4.0),
    (10.5, -14.0, -4.0), (9.0, -17.5, -2.0), (5.0, -19.0, 0.0), (0, -19.5, 1.0),
)  # fmt: skip
_BANDANA_TIP = (
    (0, -7.0, 3.5), (4.5, -5.8, 1.0), (7.2, -3.2, -2.0), (6.6, -8.0, -1.0), (4.2, -14.0, 2.0),
    (1.0, -20.0, 3.0), (0, -20.5, 3.0),
)  # fmt: skip
_LOOSE_SCARF = (
    (0, -12.2, 0.5), (3.5, -11.4, -0.5), (6.5, -9.0, -3.5), (8.5, -10.0, -4.5), (10.0, -13.0, -4.5),
    (11.5, -17.0, -4.0), (9.0, -20.5, -2.0), (4.0, -21.5, 0.0), (0, -21.5, 0.0),
)  # fmt: skip
_CAPE = (
    (0, -12.0, 1.0), (3.2, -11.6, 0.0), (5.4, -10.4, -3.5), (6.2, -10.6, -4.0), (9.5, -13.8, -4.0),
    (14.0, -16.5, -4.0), (18.0, -20.0, -3.0), (20.0, -40.0, 0.0), (0, -40.0, 0.0),
)  # fmt: skip
_HEADSCARF = (
    (0, 15.6, -3.0), (5.5, 14.6, -3.5), (9.4, 11.0, -4.5), (10.6, 5.0, -5.0), (10.2, -3.0, -5.0),
    (10.5, -10.0, -4.5), (14.0, -16.0, -4.0), (19.0, -24.0, -3.0), (19.0, -40.0, 0.0), (0, -40.0, 0.0),
)  # fmt: skip
_FACE_OPENING = (
    (0, 6.9, 4.6), (3.4, 6.5, 3.6), (6.0, 4.2, 1.0), (6.7, 0.5, -0.5), (6.5, -3.5, -0.5),
    (5.2, -7.0, 1.0), (2.4, -9.6, 3.4), (0, -10.4, 4.0),
)  # fmt: skip

_HEADSCARF_RGB: tuple[Rgb, ...] = (
    (0.08, 0.08, 0.09), (0.88, 0.87, 0.85), (0.14, 0.17, 0.3), (0.5, 0.42, 0.38), (0.45, 0.2, 0.25),
    (0.25, 0.36, 0.36), (0.72, 0.6, 0.55), (0.4, 0.4, 0.44),
)  # fmt: skip
BELOW = {"gaiter": _GAITER_NECK, "scarf": _WOUND_SCARF, "bandana": _BANDANA_TIP}


def outline(
    portrait: Portrait, side: tuple[tuple[float, float, float], ...]
) -> NDArray[np.float32]:
    """Coverage of a garment in the picture, float32 [H, W], 0..1."""
    points = portrait.pose.project(closed_curve(both_sides(side)))
    return coverage_of(points, portrait.rgb.shape[:2])


def hang_below(
    portrait: Portrait, what: str, style: MaskStyle, rng: Rng
) -> tuple[Picture, NDArray[np.bool_]]:
    """Let the cloth of a gaiter, scarf or bandana hang from the mask down over the neck.

    Returns:
        The picture, uint8 [H, W, 3] RGB, without the mask on the face; the cloth's pixels, bool [H, W].
    """
    cover = outline(portrait, BELOW[what])
    bulky = what == "scarf"
    cloth = Cloth(
        style,
        round_cm=2.2 if bulky else 1.2,
        folds=0.55 if bulky else 0.25,
        fold_cm=(4.0, 6.0) if what == "bandana" else (8.0, 1.7),
    )
    drawn = drape(portrait.rgb, cover, cloth, portrait.pose, portrait.light, rng)
    return drawn, cover >= 0.5


def wear_scarf(portrait: Portrait, rgb: Picture, rng: Rng) -> Picture:
    """Put a scarf round the neck, under the chin."""
    style = MaskStyle("cloth", base_rgb=random_colour(rng), pattern_rgb=random_colour(rng))
    printed = replace(style, pattern="plaid", pattern_cm=3.0, seed=int(rng.integers(1000)))
    cloth = Cloth(printed if rng.random() < 0.4 else style, 2.2, 0.5, (8.0, 1.8))
    cover = outline(portrait, _LOOSE_SCARF)
    return drape(rgb, cover, cloth, portrait.pose, portrait.light, rng)


def wear_cape(portrait: Portrait, rgb: Picture, rng: Rng) -> Picture:
    """Put a white cape, as barbers and dentists use it, round the neck and over the shoulders."""
    level = float(rng.uniform(0.82, 0.98))
    cloth = Cloth(MaskStyle(base_rgb=(level, level, level)), 0.6, 0.45, (2.0, 9.0), 0.005)
    return drape(rgb, outline(portrait, _CAPE), cloth, portrait.pose, portrait.light, rng)


def wear_headscarf(portrait: Portrait, rgb: Picture, rng: Rng) -> Picture:
    """Wrap a headscarf round the face and over the shoulders."""
    style = MaskStyle("cloth", base_rgb=_HEADSCARF_RGB[int(rng.integers(len(_HEADSCARF_RGB)))])
    cover = outline(portrait, _HEADSCARF) * (1 - outline(portrait, _FACE_OPENING))
    cloth = Cloth(style, 1.6, 0.45, (2.6, 8.0), 0.01)
    return drape(rgb, cover, cloth, portrait.pose, portrait.light, rng)

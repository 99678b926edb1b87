"""Draws the masks the segmenter learns from: random ones, and unusual cuts and prints besides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.synthetic import MaskStyle, Template, random_style
from realtime.synthetic.palette import random_colour

_SHEET = (256, 208)
_PICTURE_PRINT, _SCARF, _VALVES, _BORDER, _FIGURE = 0.15, 0.07, 0.06, 0.08, 0.08
_STANDS_OFF, _MOST_OFF_CM = 0.3, 2.5


def training_style(
    rng: np.random.Generator,
    templates: Sequence[Template] = (),
    pictures: NDArray[np.uint8] | None = None,
) -> MaskStyle:
    """Draw a style for training.

    Args:
        rng: the draw.
        templates: mask drawings; worn by a fifth where there are any.
        pictures: uint8 [N, H, W, 3], RGB; parts of them are printed on some masks.
    """
    if pictures is not None and rng.random() < _PICTURE_PRINT:
        return _unusual(random_style(rng, [picture_print(pictures, rng)], 1.0), rng)
    return _unusual(random_style(rng, templates), rng)


def picture_print(pictures: NDArray[np.uint8], rng: np.random.Generator) -> Template:
    """Make cloth printed with a part of a random picture, its colours exchanged: any figure at all."""
    crop = pictures[int(rng.integers(len(pictures)))]
    size = min(crop.shape[:2])
    side = int(rng.integers(size // 6, size))
    y, x = (int(rng.integers(0, length - side + 1)) for length in crop.shape[:2])
    part = np.rot90(crop[y : y + side, x : x + side], int(rng.integers(4)))
    part = part[:, :, rng.permutation(3)].astype(np.float32)
    if rng.random() < 0.3:
        part = 255 - part
    part = (part - part.mean()) * rng.uniform(0.7, 2.2) + rng.uniform(50, 200)
    part = np.ascontiguousarray(np.clip(part, 0, 255).astype(np.uint8))
    fit = ("surgical", "cloth", "cloth", "n95", "kn95")[int(rng.integers(5))]
    sheet = cv2.resize(part, _SHEET, interpolation=cv2.INTER_LINEAR)
    return Template("picture", fit, np.asarray(sheet, np.uint8))  # type: ignore[arg-type]


def _unusual(style: MaskStyle, rng: np.random.Generator) -> MaskStyle:
    """Make some scarves, or let them stand off the face; give some two valves, a wide hem or figures."""
    if rng.random() < _SCARF:
        fit = replace(
            style.fit,
            bottom_y=float(rng.uniform(-15.5, -11)),
            side_bottom_y=float(rng.uniform(-11, -7)),
            side_x=float(rng.uniform(7.2, 7.9)),
            side_taper=float(rng.uniform(-0.5, 1.5)),
            bottom_power=float(rng.uniform(1.0, 4.0)),
        )
        style = replace(style, fit=fit, straps="none", pulled_down="no")
    elif rng.random() < _STANDS_OFF:
        bulge = style.fit.bulge + float(rng.uniform(0, _MOST_OFF_CM))
        style = replace(style, fit=replace(style.fit, bulge=bulge))
    if rng.random() < _VALVES:
        style = replace(style, valve="both", accent_rgb=random_colour(rng))
    if rng.random() < _BORDER:
        style = replace(style, hem_cm=float(rng.uniform(0.5, 1.4)), hem_rgb=random_colour(rng))
    if rng.random() < _FIGURE and style.template is None:
        pattern = ("dots", "blobs", "lettering", "flowers", "camouflage", "plaid")
        style = replace(
            style,
            pattern=pattern[int(rng.integers(len(pattern)))],
            pattern_cm=float(rng.uniform(2.5, 6.0)),
            pattern_rgb=random_colour(rng),
        )
    return style

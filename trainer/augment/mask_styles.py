"""Draws random mask styles for the segmenter, unusual cuts and prints among them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.synthetic import MaskStyle, Template, random_style
from realtime.synthetic.palette import random_colour

_SHEET = (256, 208)  # width and height of a template's picture, pixels
# Shares of the masks.
_PICTURE_PRINT, _SCARF, _VALVES, _BORDER, _LARGE_PATTERN = 0.15, 0.07, 0.06, 0.08, 0.08
# Shares of masks whose middle or whose sides stand off the face, and how far at most.
_BULGE, _MAX_BULGE_CM = 0.3, 2.5
_GAPE, _MAX_GAPE_CM = 0.35, 2.5
_MAX_RAISED_CM = 2.0  # by which the ear loops pull the upper corners of the latter up
_THIN_STRAPS, _THIN_STRAP_CM = 0.5, (0.08, 0.22)  # share of the masks with straps, range of widths


def random_training_style(
    rng: np.random.Generator,
    templates: Sequence[Template] = (),
    pictures: NDArray[np.uint8] | None = None,
) -> MaskStyle:
    """Draw a mask style for training.

    Args:
        rng: random generator.
        templates: mask templates; a fifth of the masks use one if there are any.
        pictures: uint8 [N, H, W, 3], RGB; parts of them are printed on some masks.
    """
    if pictures is not None and rng.random() < _PICTURE_PRINT:
        return _add_variations(random_style(rng, [picture_print(pictures, rng)], 1.0), rng)
    return _add_variations(random_style(rng, templates), rng)


def as_neck_cloth(style: MaskStyle, rng: np.random.Generator) -> MaskStyle:
    """Make a mask plain cloth without straps, as wide as a gaiter or a scarf, that goes on below it."""
    fit = replace(
        style.fit,
        bottom_y=float(rng.uniform(-12, -9.5)),
        side_x=float(rng.uniform(6.9, 7.9)),
        side_bottom_y=float(rng.uniform(-9, -5)),
    )
    return replace(
        style, kind="cloth", fit=fit, base_rgb=random_colour(rng), pattern="plain", template=None,
        straps="none", pulled_down="no", valve="none", hem_rgb=None, pleats=0, print_text="",
    )  # fmt: skip


def picture_print(pictures: NDArray[np.uint8], rng: np.random.Generator) -> Template:
    """Make a template printed with a part of a random picture, its colour channels permuted."""
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


def _add_variations(style: MaskStyle, rng: np.random.Generator) -> MaskStyle:
    """Turn some masks into scarves, or let them stand off; add valves, a wide hem or a pattern to some."""
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
    elif rng.random() < _BULGE:
        bulge = style.fit.bulge + float(rng.uniform(0, _MAX_BULGE_CM))
        style = replace(style, fit=replace(style.fit, bulge=bulge))
    if style.straps == "ear" and rng.random() < _GAPE:
        gape, raised = rng.uniform(0, (_MAX_GAPE_CM, _MAX_RAISED_CM))
        corner = style.fit.side_top_y + raised
        style = replace(style, fit=replace(style.fit, gape=float(gape), side_top_y=float(corner)))
    if style.straps in ("ear", "head") and rng.random() < _THIN_STRAPS:
        style = replace(style, strap_cm=float(rng.uniform(*_THIN_STRAP_CM)))
    if rng.random() < _VALVES:
        style = replace(style, valve="both", accent_rgb=random_colour(rng))
    if rng.random() < _BORDER:
        style = replace(style, hem_cm=float(rng.uniform(0.5, 1.4)), hem_rgb=random_colour(rng))
    if rng.random() < _LARGE_PATTERN and style.template is None:
        pattern = ("dots", "blobs", "lettering", "flowers", "camouflage", "plaid")
        style = replace(
            style,
            pattern=pattern[int(rng.integers(len(pattern)))],
            pattern_cm=float(rng.uniform(2.5, 6.0)),
            pattern_rgb=random_colour(rng),
        )
    return style

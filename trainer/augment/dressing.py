"""Dresses faces at random: a mask, what it lies over, what lies over it, and what looks like one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from realtime.synthetic import Template, render_mask, silhouette
from trainer.augment.beards import add_beard
from trainer.augment.canvas import Canvas, Rng
from trainer.augment.cloth import (
    MOST_YAW,
    hang_below,
    wear_drape,
    wear_hood,
    wear_under_chin,
)
from trainer.augment.drawing import bezier, draw_line
from trainer.augment.eyewear import add_eyewear
from trainer.augment.hands import add_hand
from trainer.augment.headgear import wear_headgear
from trainer.augment.held_things import add_thing
from trainer.augment.loose_straps import MARKED_STRAP_CM, add_loose_straps
from trainer.augment.mask_styles import as_neck_cloth, random_training_style
from trainer.augment.reflections import add_reflections
from trainer.augment.views import View

_HAIR_SHARE, _BEARD_SHARE = 0.10, 0.16  # of the faces
# Shares of the masks: cloth draped over nose and mouth down to the neck, masks whose cloth goes on below.
_DRAPE_SHARE, _BELOW_SHARE = 0.07, 0.06
_LOOSE_STRAPS_SHARE = 0.12  # of the masks
# Shares of bare faces and of masked ones.
_THING_SHARES, _HAND_SHARES, _EYEWEAR_SHARES = (0.34, 0.14), (0.12, 0.08), (0.05, 0.25)
_UNDER_CHIN_SHARES, _HOOD_SHARES = (0.18, 0.08), (0.06, 0.06)


def dressed(
    view: View,
    pictures: NDArray[np.uint8],
    rng: Rng,
    templates: Sequence[Template] = (),
    *,
    masked: bool,
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Draw what a face wears and what is before it.

    Args:
        view: the bare face.
        pictures: uint8 [N, H, W, 3], RGB, of which parts are printed on masks, cloth and things.
        rng: random generator.
        templates: mask templates, worn beside procedural masks.
        masked: whether it wears a mask.

    Returns:
        The picture, uint8 [S, S, 3], and the visible mask pixels, bool [S, S]. What is opaque hides the
        mask; single strands of hair, reflections and clear glass do not.
    """
    canvas = Canvas.of(wear_headgear(view.crop, view.landmarks, rng), view.landmarks)
    frontal = abs(canvas.pose.yaw) < MOST_YAW
    if rng.random() < _BEARD_SHARE and frontal:
        canvas = add_beard(canvas, rng)
    if rng.random() < _UNDER_CHIN_SHARES[masked] and frontal:
        canvas = wear_under_chin(canvas, rng, pictures)
    if masked:
        canvas = _masked(canvas, pictures, rng, templates)
    if rng.random() < _HOOD_SHARES[masked] and frontal:
        canvas = wear_hood(canvas, rng, pictures)
    canvas = _with_things(canvas, rng, pictures, masked)
    return add_reflections(canvas.crop, rng), canvas.alpha


def _masked(
    canvas: Canvas, pictures: NDArray[np.uint8], rng: Rng, templates: Sequence[Template]
) -> Canvas:
    """Wear a mask; some are cloth that goes on below the chin to the crop's edge."""
    draw = rng.random() if abs(canvas.pose.yaw) < MOST_YAW else 1.0
    if draw < _DRAPE_SHARE:
        return wear_drape(canvas, rng, pictures)
    style = random_training_style(rng, templates, pictures)
    below = draw < _DRAPE_SHARE + _BELOW_SHARE
    if below:
        style = as_neck_cloth(style, rng)
    loose = style.straps == "ear" and rng.random() < _LOOSE_STRAPS_SHARE
    if loose:
        style = replace(style, straps="none")
    worn = render_mask(canvas.crop, canvas.landmarks, style)
    thick = replace(style, strap_cm=max(style.strap_cm, MARKED_STRAP_CM))
    marked = silhouette(canvas.landmarks, thick, canvas.shape)
    canvas = replace(canvas, crop=worn.image_rgb, alpha=marked > 0)
    if below:
        return hang_below(canvas, style.base_rgb, rng)
    return add_loose_straps(canvas, style, rng) if loose else canvas


def _with_things(canvas: Canvas, rng: Rng, pictures: NDArray[np.uint8], masked: bool) -> Canvas:
    """Add glasses, strands of hair, and a thing or a hand before the face."""
    if rng.random() < _EYEWEAR_SHARES[masked]:
        canvas = add_eyewear(canvas, rng)
    if rng.random() < _HAIR_SHARE:
        canvas = replace(canvas, crop=_strands(canvas, rng))
    draw = rng.random()
    if draw < _THING_SHARES[masked]:
        return add_thing(canvas, rng, pictures)
    if draw < _THING_SHARES[masked] + _HAND_SHARES[masked]:
        return add_hand(canvas, rng)
    return canvas


def _strands(canvas: Canvas, rng: Rng) -> NDArray[np.uint8]:
    """Draw strands of hair, dark or fair, as thin curves from above."""
    out, scale = canvas.crop.copy(), canvas.pose.scale
    shade = rng.uniform(10, 60) if rng.random() < 0.8 else rng.uniform(90, 180)
    colour = tuple(float(shade * tint) for tint in (1.15, 1.0, 0.85))
    x = rng.uniform(-10, 10)
    for _ in range(int(rng.integers(1, 9))):
        start = canvas.at(x + rng.normal(0, 1.5), rng.uniform(2, 11), 4)
        end = start + scale * np.array([rng.normal(0, 3.3), rng.uniform(5, 17)])
        bend = (start + end) / 2 + scale * np.array([rng.normal(0, 1.7), 0.0])
        draw_line(out, bezier(start, bend, end, 12), colour, int(rng.integers(1, 3)))
    return out

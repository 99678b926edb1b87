"""Kinds of masks: the control, cloth that goes on below the chin, respirators, print, and tied straps."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.kinds.drape import blend, closed_curve, line_coverage, pixel_colour
from benchmarks.kinds.garments import hang_below
from benchmarks.kinds.scene import Picture, Portrait, Rng, Scene
from realtime.synthetic import preset_style, random_style, render_mask
from realtime.synthetic.palette import random_colour
from realtime.synthetic.style import MaskStyle, Pattern

_STRAPS_CM = (  # tied at the crown and at the nape: x, y, z on one side
    ((6.4, -0.2, 1.0), (7.4, 2.0, -1.2), (7.5, 4.5, -2.0), (6.9, 7.5, -2.5), (5.6, 10.0, -3.0)),
    ((6.0, -5.6, 0.5), (6.9, -5.6, -1.5), (7.2, -5.4, -3.0)),
)
_STRAP_CM = 0.3  # width
_TEXTS = ("STOCK PHOTO", "NEWS 24", "LIVE", "DAILY NEWS", "@photos", "PREVIEW")


def plain(portrait: Portrait, rng: Rng) -> Scene:
    """The control: a mask of random style that covers nose and mouth."""
    return worn(portrait, covering_style(rng))


def covering_style(rng: Rng) -> MaskStyle:
    """Draw a mask of random style that covers nose and mouth."""
    return replace(random_style(rng), pulled_down="no", opacity=1.0)


def worn(portrait: Portrait, style: MaskStyle, rgb: Picture | None = None) -> Scene:
    """Render a mask on the photograph, or on a picture of it."""
    rendered = render_mask(portrait.rgb if rgb is None else rgb, portrait.landmarks, style)
    return replace(portrait.scene(), rgb=rendered.image_rgb, mask=rendered.alpha > 0)


def gaiter(portrait: Portrait, rng: Rng) -> Scene:
    """A tube of stretchy cloth from the nose to the collar."""
    patterns: tuple[Pattern, ...] = ("plain", "plain", "camouflage", "blobs", "lettering")
    return _with_cloth_below(portrait, rng, "gaiter", patterns, top_y=1.3, wrinkles=6)


def scarf(portrait: Portrait, rng: Rng) -> Scene:
    """A scarf wound over nose, mouth and neck."""
    patterns: tuple[Pattern, ...] = ("plain", "plain", "plaid", "stripes")
    return _with_cloth_below(portrait, rng, "scarf", patterns, top_y=0.2, wrinkles=14)


def bandana(portrait: Portrait, rng: Rng) -> Scene:
    """A triangle of printed cloth that hangs down over the chest."""
    patterns: tuple[Pattern, ...] = ("flowers", "blobs", "dots", "plaid", "plain")
    return _with_cloth_below(portrait, rng, "bandana", patterns, top_y=1.0, wrinkles=8)


def _with_cloth_below(
    portrait: Portrait,
    rng: Rng,
    what: str,
    patterns: tuple[Pattern, ...],
    top_y: float,
    wrinkles: int,
) -> Scene:
    base = preset_style("cloth")
    fit = replace(
        base.fit, top_y=top_y + float(rng.normal(0, 0.3)), bottom_y=-9.8, side_x=7.5,
        side_top_y=0.2, side_bottom_y=-6.5, side_taper=0.4, bulge=0.9 if what == "scarf" else 0.3,
    )  # fmt: skip
    style = replace(
        base, fit=fit, base_rgb=random_colour(rng), pattern_rgb=random_colour(rng),
        accent_rgb=random_colour(rng), pattern=patterns[int(rng.integers(len(patterns)))],
        pattern_cm=float(rng.uniform(0.8, 2.0)), hem_cm=0.0, stitches=0.0, seam=0.0, straps="none",
        wrinkles=wrinkles, wrinkle_strength=0.3, contact_shadow=0.2, seed=int(rng.integers(2**31)),
    )  # fmt: skip
    below, cloth = hang_below(portrait, what, style, rng)
    scene = worn(portrait, style, below)
    return replace(scene, ignored=cloth & ~scene.mask)


def respirator(portrait: Portrait, rng: Rng) -> Scene:
    """A printed cup with valves and a seam."""
    patterns: tuple[Pattern, ...] = ("stripes", "lettering", "blobs", "panels", "gradient")
    dark = rng.random() < 0.4
    style = replace(
        preset_style("n95" if rng.random() < 0.5 else "kn95"),
        base_rgb=(0.12, 0.12, 0.13) if dark else (0.9, 0.9, 0.88), pattern_rgb=random_colour(rng),
        accent_rgb=random_colour(rng), pattern=patterns[int(rng.integers(len(patterns)))],
        pattern_cm=float(rng.uniform(1.2, 3.0)), pattern_angle=float(rng.uniform(0, np.pi)),
        valve="both" if rng.random() < 0.6 else "centre", stitches=0.8, seam=1.0,
        strap_rgb=(0.1, 0.1, 0.1) if dark else (0.9, 0.9, 0.9), seed=int(rng.integers(2**31)),
    )  # fmt: skip
    return worn(portrait, style)


def text_over_edge(portrait: Portrait, rng: Rng) -> Scene:
    """Half-transparent text, as agencies print it over photographs, across the mask's edge."""
    scene = worn(portrait, covering_style(rng))
    rows, columns = np.nonzero(scene.mask)
    shape = scene.mask.shape
    text = _TEXTS[int(rng.integers(len(_TEXTS)))]
    size = scene.width_px / 110
    (wide, _), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_DUPLEX, size, 1)
    edge = columns.min() if rng.random() < 0.5 else columns.max()
    at = int(edge - wide / 2), int(rng.uniform(*np.quantile(rows, [0.2, 0.8])))
    canvas = np.zeros(shape, np.uint8)
    thick = max(1, round(1.6 * size))
    cv2.putText(canvas, text, at, cv2.FONT_HERSHEY_DUPLEX, size, 255, thick, cv2.LINE_AA)
    weight = canvas.astype(np.float32)[..., None] / 255 * 0.75
    colour = np.array([255.0, 255.0, 255.0] if rng.random() < 0.6 else [220.0, 30.0, 30.0])
    printed = scene.changed(lambda rgb: np.rint(rgb + weight * (colour - rgb)).astype(np.uint8))
    return replace(printed, ignored=canvas > 0)


def tied_straps(portrait: Portrait, rng: Rng) -> Scene:
    """A surgical mask whose straps are tied behind the head, over hair and ears."""
    style = replace(preset_style("surgical"), straps="none", seed=int(rng.integers(2**31)))
    shape = portrait.rgb.shape[:2]
    weight = np.zeros(shape, np.float32)
    for side in (-1, 1):
        for strap in _STRAPS_CM:
            points = portrait.pose.project(_through(np.array(strap) * (side, 1, 1)))
            line = line_coverage(points, _STRAP_CM * portrait.pose.scale, shape)
            weight = np.maximum(weight, line)
    white = np.broadcast_to(pixel_colour(portrait.light, (0.85, 0.87, 0.9)), portrait.rgb.shape)
    tied = blend(portrait.rgb, white, weight, portrait.light)
    scene = worn(portrait, style, tied)
    return replace(scene, mask=scene.mask | (weight >= 0.5))


def _through(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """A smooth open curve along a polyline [N, 3]."""
    there_and_back = np.vstack([points, points[::-1]])
    curve = closed_curve(there_and_back)
    return np.vstack([points[:1], curve[: len(curve) // 2], points[-1:]])

"""Draws random mask styles, as varied as the masks that people wear."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from realtime.synthetic.palette import (
    jitter_colour,
    random_colour,
    random_strap_colour,
    weighted_choice,
)
from realtime.synthetic.presets import FITS
from realtime.synthetic.style import Fit, MaskStyle, Pattern, PulledDown, Rgb
from realtime.synthetic.templates import Template

_PRINT_TEXTS = ("KN95", "GB2626\n-2019", "N95\nNIOSH", "FFP2\nNR", "3M 8210", "CE 0194")
_PRINTED: tuple[Pattern, ...] = (
    *("plaid", "plaid", "stripes", "stripes", "dots", "dots", "blobs", "blobs", "flowers"),
    *("flowers", "camouflage", "camouflage", "lettering", "lettering", "lace", "gradient"),
    *("panels", "panels"),
)


def random_style(
    rng: np.random.Generator, templates: Sequence[Template] = (), template_share: float = 0.2
) -> MaskStyle:
    """Draw a style.

    Args:
        rng: the only source of randomness.
        templates: drawings to use.
        template_share: the share of styles, 0..1, that use a template where there are any.
    """
    if templates and rng.random() < template_share:
        return _template_style(rng, templates[int(rng.integers(len(templates)))])
    kind = weighted_choice(rng, {"surgical": 0.42, "cloth": 0.36, "n95": 0.08, "kn95": 0.14})
    style = {"surgical": _surgical, "cloth": _cloth, "n95": _n95, "kn95": _kn95}[kind](rng)
    return _randomise_wearing(rng, style)


def _random_fit(rng: np.random.Generator, kind: str) -> Fit:
    base = FITS[kind]
    draw = np.clip(rng.standard_normal(12), -2, 2)
    return replace(
        base,
        top_y=base.top_y + 0.55 * draw[0],
        bottom_y=base.bottom_y + 0.45 * draw[1],
        side_x=min(base.side_x + 0.45 * draw[2], 7.7),
        side_top_y=base.side_top_y + 0.6 * draw[3],
        side_bottom_y=base.side_bottom_y + 0.6 * draw[4],
        side_taper=base.side_taper + 0.35 * draw[5],
        peak_width=float(np.clip(base.peak_width + 0.07 * draw[6], 0.22, 0.6)),
        peak_share=float(np.clip(base.peak_share + 0.2 * draw[7], 0.05, 0.95)),
        bottom_power=float(np.clip(base.bottom_power + 0.35 * draw[8], 1.3, 3.2)),
        bulge=max(base.bulge + 0.25 * draw[9], 0.05),
        shift_x=0.12 * draw[10],
        tilt=0.2 * draw[11],
    )


def _surgical(rng: np.random.Generator) -> MaskStyle:
    blue: Rgb = (0.55, 0.76, 0.90)
    # Probability and colour; None takes a random one.
    base = [
        (0.42, blue), (0.1, (0.42, 0.66, 0.9)), (0.1, (0.5, 0.78, 0.72)), (0.18, (0.93, 0.94, 0.95)),
        (0.1, (0.1, 0.1, 0.11)), (0.03, (0.92, 0.68, 0.75)), (0.07, None),
    ]  # fmt: skip
    chosen = base[int(rng.choice(len(base), p=[share for share, _ in base]))][1]
    colour = jitter_colour(rng, chosen, 0.035) if chosen else random_colour(rng)
    pattern = str(rng.choice(_PRINTED)) if rng.random() < 0.07 else "plain"
    return MaskStyle(
        "surgical",
        replace(_random_fit(rng, "surgical"), side_taper=float(rng.normal(0.4, 0.5))),
        colour,
        pattern_rgb=random_colour(rng),
        accent_rgb=random_colour(rng),
        pattern=pattern,  # type: ignore[arg-type]
        pattern_cm=float(rng.uniform(0.5, 2.0)),
        pleats=int(rng.choice([0, 2, 3, 3, 3, 4])),
        nose_wire=float(rng.uniform(0, 1)),
        hem_cm=float(rng.uniform(0.2, 0.8)),
        hem_gain=float(rng.uniform(0.95, 1.12)),
        hem_rgb=(0.93, 0.95, 0.97) if rng.random() < 0.22 else None,
        stitches=float(rng.uniform(0, 0.5)),
        wrinkles=int(rng.integers(3, 12)),
        wrinkle_strength=float(rng.uniform(0.08, 0.35)),
        strap_rgb=colour if rng.random() < 0.3 else (0.85, 0.86, 0.87),
        strap_cm=float(rng.uniform(0.18, 0.4)),
        opacity=float(rng.choice([1.0, 1.0, 1.0, 0.93])),
    )


def _cloth(rng: np.random.Generator) -> MaskStyle:
    colour = random_colour(rng)
    printed = rng.random() < 0.45
    fit = _random_fit(rng, "cloth")
    if rng.random() < 0.35:  # rectangular home-made ones sit like a surgical mask
        fit = replace(_random_fit(rng, "surgical"), side_taper=float(rng.uniform(0, 1)))
    elif rng.random() < 0.1:  # a scarf or a neck gaiter
        fit = replace(fit, bottom_y=float(rng.uniform(-13.5, -11)), side_x=7.5, side_bottom_y=-8.5)
    winged = fit.side_bottom_y > -5.0 and rng.random() < 0.3
    return MaskStyle(
        "cloth",
        fit,
        colour,
        pattern_rgb=random_colour(rng),
        accent_rgb=random_colour(rng),
        pattern=str(rng.choice(_PRINTED)) if printed else "plain",  # type: ignore[arg-type]
        pattern_cm=float(np.exp(rng.uniform(np.log(0.4), np.log(2.6)))),
        pattern_angle=float(rng.choice([0, 0, np.pi / 2, np.pi / 4, rng.uniform(0, np.pi)])),
        pleats=int(rng.choice([0, 0, 0, 0, 2, 3])),
        nose_wire=float(rng.choice([0, 0.3])),
        hem_cm=float(rng.choice([0, 0.25, 0.4, 0.7])),
        hem_gain=float(rng.uniform(0.85, 1.15)),
        hem_rgb=random_colour(rng) if rng.random() < 0.15 else None,
        stitches=float(rng.uniform(0, 0.8)),
        seam=float(rng.choice([0, 0.4, 1.0])),
        weave=float(rng.uniform(0.005, 0.06)),
        valve="side" if rng.random() < 0.06 else "none",
        wrinkles=int(rng.integers(1, 10)),
        wrinkle_strength=float(rng.uniform(0.05, 0.4)),
        strap_rgb=colour if winged or rng.random() < 0.65 else random_strap_colour(rng),
        strap_cm=float(rng.uniform(1.0, 1.7))
        if winged
        else float(rng.choice([0.25, 0.35, 0.5, 0.8])),
        specular=float(rng.uniform(0, 0.2)),
        straps="wing" if winged else "ear",
    )


def _n95(rng: np.random.Generator) -> MaskStyle:
    colour = (
        jitter_colour(rng, (0.9, 0.9, 0.88), 0.03) if rng.random() < 0.75 else random_colour(rng)
    )
    return MaskStyle(
        "n95",
        _random_fit(rng, "n95"),
        colour,
        pattern_rgb=(0.2, 0.25, 0.4),
        accent_rgb=random_colour(rng),
        pleats=0,
        nose_wire=float(rng.uniform(0, 1)),
        hem_cm=float(rng.uniform(0.2, 0.6)),
        hem_gain=float(rng.uniform(0.9, 1.05)),
        valve=str(rng.choice(["none", "none", "centre", "side"])),  # type: ignore[arg-type]
        print_text=str(rng.choice(_PRINT_TEXTS)) if rng.random() < 0.4 else "",
        wrinkles=int(rng.integers(0, 4)),
        wrinkle_strength=0.1,
        straps="head",
        strap_rgb=(0.85, 0.72, 0.25) if rng.random() < 0.5 else (0.9, 0.9, 0.9),
        strap_cm=float(rng.uniform(0.3, 0.6)),
    )


def _kn95(rng: np.random.Generator) -> MaskStyle:
    colour = (
        jitter_colour(rng, (0.94, 0.94, 0.95), 0.02) if rng.random() < 0.7 else random_colour(rng)
    )
    flat = rng.random() < 0.3  # three panels, folded across instead of along the middle
    return MaskStyle(
        "kn95",
        replace(_random_fit(rng, "kn95"), profile_power=1.7 if flat else 1.15),
        colour,
        pattern_rgb=(0.3, 0.35, 0.45),
        accent_rgb=random_colour(rng),
        pleats=2 if flat else 0,
        nose_wire=float(rng.uniform(0.2, 1)),
        hem_cm=float(rng.uniform(0.3, 0.8)),
        hem_gain=float(rng.uniform(0.93, 1.05)),
        stitches=float(rng.uniform(0.1, 0.8)),
        seam=0.0 if flat else float(rng.uniform(0.2, 1)),
        valve="side" if rng.random() < 0.15 else "none",
        print_text=str(rng.choice(_PRINT_TEXTS)) if rng.random() < 0.4 else "",
        wrinkles=int(rng.integers(1, 6)),
        wrinkle_strength=float(rng.uniform(0.05, 0.2)),
        strap_rgb=(0.92, 0.92, 0.92),
        strap_cm=float(rng.uniform(0.25, 0.45)),
    )


def _template_style(rng: np.random.Generator, template: Template) -> MaskStyle:
    """Draw a style that wears the template as it is, brighter or darker, or tinted."""
    mean = template.texture_rgb.reshape(-1, 3).mean(0) / 255
    tint = np.array(random_colour(rng)) if rng.random() < 0.5 else mean * rng.uniform(0.85, 1.15)
    red, green, blue = (float(part) for part in np.clip(tint, 0.03, 1.0))
    strap = random_strap_colour(rng)
    style = MaskStyle(
        "template", _random_fit(rng, template.fit), (red, green, blue), pleats=0, stitches=0,
        wrinkles=0, hem_cm=0, straps="head" if template.fit == "n95" else "ear", strap_rgb=strap,
        template=template,
    )  # fmt: skip
    return _randomise_wearing(rng, style)


def _randomise_wearing(rng: np.random.Generator, style: MaskStyle) -> MaskStyle:
    """Draw how the mask is worn and shaded, in the same way for all kinds."""
    draw = rng.random()
    pulled: PulledDown = "mouth" if draw < 0.06 else "nose" if draw < 0.18 else "no"
    straps_hidden = rng.random() < 0.38
    return replace(
        style,
        strap_cm=style.strap_cm if pulled == "no" else min(style.strap_cm, 0.4),
        pulled_down=pulled,
        shading=float(rng.uniform(0.5, 1.2)),
        contact_shadow=float(rng.uniform(0.08, 0.45)),
        unevenness=float(rng.uniform(0.02, 0.1)),
        specular=max(style.specular, float(rng.uniform(0.02, 0.12))),
        exposure=float(np.exp(np.clip(rng.normal(0.05, 0.18), -0.35, 0.4))),
        strap_visible=0.0 if straps_hidden else float(rng.choice([1.0, 1.0, rng.uniform(0.3, 1)])),
        softness_px=float(rng.choice([0.0, 0.0, 0.3, 0.6])),
        seed=int(rng.integers(0, 2**31)),
    )

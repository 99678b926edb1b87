"""Preset styles: a plain, typical mask of each kind."""

from __future__ import annotations

from dataclasses import replace

from realtime.synthetic.style import Fit, Kind, MaskStyle
from realtime.synthetic.templates import Template

FITS: dict[str, Fit] = {
    "surgical": Fit(),
    "cloth": Fit(
        side_x=7.2, side_top_y=-0.3, side_bottom_y=-4.0, side_taper=0.6, bottom_power=1.9,
        profile_power=1.4,
    ),
    "n95": Fit(
        top_y=1.4, bottom_y=-9.4, side_x=5.9, side_top_y=-1.6, side_bottom_y=-6.2, side_taper=0.0,
        side_round=0.3, peak_share=0.3, bottom_power=2.2, profile_power=2.3, bulge=1.1,
    ),
    "kn95": Fit(
        top_y=1.8, side_x=6.7, side_top_y=-1.2, side_bottom_y=-5.2, side_taper=0.2, peak_share=0.35,
        bottom_power=1.6, profile_power=1.15, bulge=1.3,
    ),
}  # fmt: skip


def preset_style(kind: Kind, template: Template | None = None) -> MaskStyle:
    """Return a plain, typical style of a kind.

    Raises:
        ValueError: the kind is "template" and no template is given.
    """
    if kind == "template":
        if template is None:
            raise ValueError("kind 'template' needs a template")
        return replace(
            preset_style(template.fit), kind=kind, template=template, base_rgb=(0.7,) * 3
        )
    if kind == "surgical":
        return MaskStyle(fit=FITS[kind])
    if kind == "cloth":
        return MaskStyle(
            "cloth", FITS[kind], (0.13, 0.13, 0.15), pleats=0, nose_wire=0, seam=0.6, wrinkles=3,
            strap_rgb=(0.13, 0.13, 0.15),
        )  # fmt: skip
    plain = MaskStyle(kind, FITS[kind], (0.88, 0.88, 0.87), pleats=0, wrinkles=2)
    if kind == "n95":
        return replace(plain, straps="head", strap_rgb=(0.85, 0.75, 0.3))
    return replace(plain, seam=0.5)

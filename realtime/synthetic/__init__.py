"""Renders synthetic masks on faces: from landmarks to a masked picture and the mask's exact pixels.

A render goes through these modules: `pose` fits an affine camera to the landmarks, `mask_surface`
builds the mask as a surface on the canonical head, `rasterise` projects it and finds the covered
pixels, `texture` paints it flat, `uv_mapping` maps pixels to the texture, `light` shades it, and
`render` composites all of this over the picture.
"""

from __future__ import annotations

from realtime.synthetic.presets import preset_style
from realtime.synthetic.random_styles import random_style
from realtime.synthetic.render import RenderedMask, render_mask, silhouette
from realtime.synthetic.style import KINDS, PATTERNS, Fit, Kind, MaskStyle, Pattern
from realtime.synthetic.templates import Template, load_templates

__all__ = [
    "KINDS",
    "PATTERNS",
    "Fit",
    "Kind",
    "MaskStyle",
    "Pattern",
    "RenderedMask",
    "Template",
    "load_templates",
    "preset_style",
    "random_style",
    "render_mask",
    "silhouette",
]

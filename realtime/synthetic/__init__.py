"""Wears synthetic masks on faces: a masked picture and the exact pixels of the mask, from landmarks."""

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

"""Wears synthetic masks on faces: a masked picture and the exact pixels of the mask, from landmarks."""

from __future__ import annotations

from realtime.synthetic.presets import kind_style
from realtime.synthetic.random_styles import random_style
from realtime.synthetic.render import RenderedMask, silhouette, wear
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
    "kind_style",
    "load_templates",
    "random_style",
    "silhouette",
    "wear",
]

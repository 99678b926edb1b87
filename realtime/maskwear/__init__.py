"""Wears synthetic masks on faces: a masked picture and the exact pixels of the mask, from landmarks."""

from __future__ import annotations

from realtime.maskwear.kinds import kind_style
from realtime.maskwear.random_styles import random_style
from realtime.maskwear.style import KINDS, PATTERNS, Fit, Kind, MaskStyle, Pattern
from realtime.maskwear.templates import Template, load_templates
from realtime.maskwear.wear import WornMask, silhouette, wear

__all__ = [
    "KINDS",
    "PATTERNS",
    "Fit",
    "Kind",
    "MaskStyle",
    "Pattern",
    "Template",
    "WornMask",
    "kind_style",
    "load_templates",
    "random_style",
    "silhouette",
    "wear",
]

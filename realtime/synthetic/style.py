"""The parameters of a mask: how it looks and how it sits on the head."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

from realtime.synthetic.templates import Template

Kind = Literal["surgical", "cloth", "n95", "kn95", "template"]
Pattern = Literal[
    "plain",
    "plaid",
    "stripes",
    "dots",
    "blobs",
    "flowers",
    "camouflage",
    "lettering",
    "lace",
    "gradient",
    "panels",
]
PulledDown = Literal["no", "nose", "mouth"]
Straps = Literal["ear", "head", "wing", "none"]
Valve = Literal["none", "side", "centre", "both"]
Rgb = tuple[float, float, float]

KINDS: tuple[Kind, ...] = get_args(Kind)
PATTERNS: tuple[Pattern, ...] = get_args(Pattern)


@dataclass(frozen=True)
class Fit:
    """How the mask sits on the head; centimetres on the canonical head.

    Heights are y of the canonical head: eyes 2.6, nose bridge 1..2.5, nose tip -1, mouth -4,
    chin -9.4. Widths are x: cheek bones 6.3, in front of the ear 7.6.

    Attributes:
        top_y: height of the top edge on the nose.
        bottom_y: height of the bottom edge under the chin.
        side_x: half width at the sides.
        side_top_y, side_bottom_y: heights of the two corners at the side.
        side_taper: how much narrower the mask is at its bottom corners than at its top ones.
        side_round: 0 gives straight sides, 1 a round outline (cups).
        peak_width: width of the rise over the nose, in units of the half width.
        peak_share: share of the rise that is a narrow peak; the rest is a straight slope.
        bottom_power: shape of the bottom edge: 1 a V, 2 round, 4 a box.
        profile_power: cross-section: 1 a ridge, 1.6 draped, 2.4 a cup.
        bulge: how far the middle stands off the nose and chin.
        gape: how far the sides stand off the cheeks: on a turned head the far side is seen beside the face.
        shift_x: how far the middle is shifted sideways.
        tilt: how far the left corner is raised.
    """

    top_y: float = 1.6
    bottom_y: float = -9.9
    side_x: float = 6.5
    side_top_y: float = 0.0
    side_bottom_y: float = -5.8
    side_taper: float = 0.5
    side_round: float = 0.0
    peak_width: float = 0.4
    peak_share: float = 0.5
    bottom_power: float = 2.0
    profile_power: float = 1.6
    bulge: float = 0.3
    gape: float = 0.0
    shift_x: float = 0.0
    tilt: float = 0.0


@dataclass(frozen=True)
class MaskStyle:
    """One mask. Its texture is fixed to its surface, so that it looks alike on every frame.

    Attributes:
        kind: the type of mask.
        fit: how it sits.
        base_rgb, pattern_rgb, accent_rgb: albedo, 0..1.
        pattern, pattern_cm, pattern_angle: the printed pattern, its period, its angle in radians.
        pleats: count of horizontal pleats.
        nose_wire: strength of the nose wire's imprint.
        hem_cm, hem_gain: width of the hem, and its brightness relative to the mask.
        hem_rgb: albedo of the hem; None takes the mask's.
        stitches: strength of the hem's stitches.
        seam: strength of a vertical seam in the middle.
        weave: strength of the cloth's grain.
        valve: where the exhalation valve is; "both" has one on each side.
        print_text: small print on the mask, "" for none.
        pulled_down: "no" covers nose and mouth, "nose" leaves the nose bare, "mouth" the mouth too.
        wrinkles, wrinkle_strength: count and strength of the wrinkles.
        unevenness: strength of large-scale brightness noise.
        shading: strength of diffuse shading and ambient occlusion.
        contact_shadow: strength of the shadow that the mask casts on the face round its rim.
        specular: strength of highlights and of the diffuse sheen.
        exposure: brightness relative to the face.
        opacity: 1 is opaque; thin fabrics let some of the face through.
        straps: ear loops, head bands, or wings of the mask's own cloth that reach the ears.
        strap_rgb, strap_cm: albedo and width of the straps.
        strap_visible: the share of their length, 0..1, that hair does not cover.
        softness_px: sigma of the blur added to the picture's own, pixels of a 128 px crop.
        seed: seed of the texture.
        template: the template of kind "template".
    """

    kind: Kind = "surgical"
    fit: Fit = field(default_factory=Fit)
    base_rgb: Rgb = (0.62, 0.78, 0.90)
    pattern_rgb: Rgb = (0.2, 0.2, 0.3)
    accent_rgb: Rgb = (0.9, 0.9, 0.9)
    pattern: Pattern = "plain"
    pattern_cm: float = 1.2
    pattern_angle: float = 0.0
    pleats: int = 3
    nose_wire: float = 0.5
    hem_cm: float = 0.5
    hem_gain: float = 1.05
    hem_rgb: Rgb | None = None
    stitches: float = 0.3
    seam: float = 0.0
    weave: float = 0.02
    valve: Valve = "none"
    print_text: str = ""
    pulled_down: PulledDown = "no"
    wrinkles: int = 5
    wrinkle_strength: float = 0.15
    unevenness: float = 0.04
    shading: float = 0.8
    contact_shadow: float = 0.3
    specular: float = 0.05
    exposure: float = 1.0
    opacity: float = 1.0
    straps: Straps = "ear"
    strap_rgb: Rgb = (0.9, 0.9, 0.9)
    strap_cm: float = 0.3
    strap_visible: float = 1.0
    softness_px: float = 0.0
    seed: int = 0
    template: Template | None = None

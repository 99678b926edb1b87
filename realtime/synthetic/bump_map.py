"""The bump map, baked into brightness: pleats, seams, stitches, wrinkles, grain, wire and valve."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from realtime.synthetic.patterns import ScalarMap, smooth_noise
from realtime.synthetic.style import MaskStyle

_PLEAT_SAMPLES = 1024  # entries of the look-up table of the pleats' brightness over v


def bump_shading(
    style: MaskStyle, u: ScalarMap, v: ScalarMap, width_cm: float, height_cm: float
) -> ScalarMap:
    """Compute the brightness factor of the bumps at texture coordinates.

    Args:
        style: the mask.
        u, v: float32 [h, w], texture coordinates in 0..1.
        width_cm, height_cm: size of the mask when laid flat.

    Returns:
        float32 [h, w], about 1.
    """
    rng = np.random.default_rng([style.seed, 23])
    shade = 1 + style.unevenness * smooth_noise(rng, 6, u.shape)
    if style.weave:
        shade += style.weave * _grain(rng, u.shape)
    if style.wrinkles:
        shade += style.wrinkle_strength * _wrinkles(rng, style.wrinkles, u, v)
    if style.pleats:
        shade += _pleats(style, u, v)
    if style.nose_wire:
        shade += style.nose_wire * _nose_wire(u, v)
    if style.seam:
        shade -= style.seam * 0.25 * np.exp(-(((u - 0.5) * width_cm / 0.12) ** 2))
    if style.stitches:
        shade -= style.stitches * _stitches(style, u, v, width_cm, height_cm)
    if style.kind == "n95":
        shade += 0.06 * np.cos(2 * np.pi * v * 7) * (np.abs(v - 0.5) < 0.3)
    return shade


def _grain(rng: np.random.Generator, shape: tuple[int, int]) -> ScalarMap:
    """Fine noise, drawn at one base resolution: the cloth looks alike at every texture size."""
    return smooth_noise(rng, 96, shape)


def _wrinkles(rng: np.random.Generator, count: int, u: ScalarMap, v: ScalarMap) -> ScalarMap:
    """Short ridges, each lit on one side and dark on the other; each changes only a window round it."""
    total = np.zeros_like(u)
    height, width = u.shape
    for _ in range(count):
        cu, cv = rng.uniform(0.05, 0.95), rng.uniform(0.1, 0.95)
        angle = rng.normal(0, 0.5) + (0.7 if cu < 0.5 else -0.7) * (cv - 0.3)
        cos, sin = float(np.cos(angle)), float(np.sin(angle))
        thin, length = float(rng.uniform(0.012, 0.06)), float(rng.uniform(0.08, 0.3))
        sign = 1.0 if rng.random() < 0.5 else -1.0
        half = 2.0 * (length * abs(sin) + thin), 2.0 * (length * abs(cos) + thin)
        window = (
            slice(max(int((cv - half[0]) * height), 0), int((cv + half[0]) * height) + 1),
            slice(max(int((cu - half[1]) * width), 0), int((cu + half[1]) * width) + 1),
        )
        du, dv = u[window] - cu, v[window] - cv
        along = (du * cos + dv * sin) / length
        off = (dv * cos - du * sin) / thin
        total[window] += sign * off * np.exp(-off * off - along * along)
    return total


def _pleats(style: MaskStyle, u: ScalarMap, v: ScalarMap) -> ScalarMap:
    """Horizontal pleats: each has a bright lip and a dark line under it, and fades at the sides."""
    rng = np.random.default_rng([style.seed, 31])
    sag = float(rng.uniform(-0.02, 0.06))
    at = np.linspace(-0.1, 1.1, _PLEAT_SAMPLES, dtype=np.float32)
    profile = np.zeros_like(at)
    for i in range(style.pleats):
        middle = 0.26 + 0.46 * (i + float(rng.uniform(-0.1, 0.1))) / max(style.pleats - 1, 1)
        below = at - middle
        line = np.exp(-((below / 0.012) ** 2))
        falloff = np.where(below > 0, np.exp(-np.abs(below) / 0.05), 0)
        lip = np.where(below < 0, np.exp(-np.abs(below) / 0.04), 0)
        depth = float(rng.uniform(0.6, 1.7))
        profile += depth * (0.08 * lip - 0.14 * falloff - 0.17 * line)
    sagged_v = v - sag * (1 - (2 * u - 1) ** 2)
    index = ((sagged_v + 0.1) * ((_PLEAT_SAMPLES - 1) / 1.2)).astype(np.intp)
    inside = np.clip((0.5 - np.abs(u - 0.5)) * 14 - 0.6, 0, 1)
    return profile[index] * inside


def _nose_wire(u: ScalarMap, v: ScalarMap) -> ScalarMap:
    """The ridge of the wire under the top edge, lit above and dark below."""
    inside = np.clip((0.24 - np.abs(u - 0.5)) * 20, 0, 1)
    off = (v - 0.055) / 0.018
    return 0.18 * inside * -off * np.exp(-off * off)


def _stitches(
    style: MaskStyle, u: ScalarMap, v: ScalarMap, width_cm: float, height_cm: float
) -> ScalarMap:
    """The dashed dark line of stitches along the inner side of the hem."""
    across = np.minimum(u, 1 - u) * np.float32(width_cm)
    down = np.minimum(v, 1 - v) * np.float32(height_cm)
    edge = np.minimum(across, down) - np.float32(style.hem_cm)
    dash = 0.7 + 0.3 * np.cos(2 * np.pi * (u * width_cm + v * height_cm) / 0.35)
    return 0.4 * dash * np.exp(-((edge / 0.09) ** 2))


def valve_layer(
    style: MaskStyle, u: ScalarMap, v: ScalarMap, width_cm: float, height_cm: float
) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Draw the exhalation valve: its coverage 0..1 and its own brightness factor, each [h, w]."""
    centre_u = 0.5 if style.valve == "centre" else (0.3 if style.seed % 2 else 0.7)
    if style.valve == "both":
        u = 0.5 + np.abs(u - 0.5)
        centre_u = 0.7
    x = (u - np.float32(centre_u)) * np.float32(width_cm)
    y = (v - np.float32(0.5)) * np.float32(height_cm)
    radius = 1.2 + 0.5 * (style.seed % 5) / 4  # cm
    distance = np.sqrt(x * x + y * y)
    weight = np.clip((radius - distance) * 6 + 0.5, 0, 1)
    ring = np.exp(-(((distance - 0.8 * radius) / 0.1) ** 2))
    slots = 0.12 * np.cos(2 * np.pi * y / 0.55) * (distance < 0.7 * radius)
    return weight, 1 - 0.3 * ring - slots + 0.08 * y / radius * -1

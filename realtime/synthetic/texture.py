"""The mask's texture, laid flat: albedo with pattern, hem, bump map and valve, before shading."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.synthetic.bump_map import bump_shading, valve_layer
from realtime.synthetic.patterns import ScalarMap, pattern_weights
from realtime.synthetic.style import MaskStyle

# Width and height of the texture at each mip level, texels.
MIP_SIZES: tuple[tuple[int, int], ...] = ((80, 64), (160, 128), (320, 256), (640, 512))

# Share of the specular strength that is added to the albedo: diffuse light makes black cloth grey.
_DIFFUSE_SHEEN = 0.4


def mip_level(width_px: float) -> int:
    """Return the level of the smallest texture that has a texel for each pixel of a mask so wide."""
    return next((i for i, (w, _) in enumerate(MIP_SIZES) if w >= width_px), len(MIP_SIZES) - 1)


@lru_cache(maxsize=8)
def paint_texture(style: MaskStyle, level: int) -> NDArray[np.floating]:
    """Paint the texture of a style at a mip level; cached, as a mask keeps its style over a clip.

    Returns:
        float32 [h, w, 4]: albedo (red, green, blue, 0..1, may exceed 1) and opacity 0..1.
    """
    width, height = MIP_SIZES[level]
    u, v = _grid(level)
    width_cm = 2.3 * style.fit.side_x
    height_cm = 1.1 * (style.fit.top_y - style.fit.bottom_y)
    if style.template is not None:
        albedo = _template_albedo(style, width, height)
    else:
        albedo = _albedo(style, u, v, width_cm, height_cm)
        shade = bump_shading(style, u, v, width_cm, height_cm)
        albedo += np.float32(_DIFFUSE_SHEEN * style.specular)
        albedo *= shade[:, :, None]
    if style.valve != "none":
        weight, shade = valve_layer(style, u, v, width_cm, height_cm)
        plastic = np.asarray(style.accent_rgb, np.float32) * shade[:, :, None]
        albedo += weight[:, :, None] * (plastic - albedo)
    out = np.empty((height, width, 4), np.float32)
    out[:, :, :3] = albedo
    out[:, :, 3] = _opacity(style, u, v, width_cm)
    return out


@lru_cache(maxsize=len(MIP_SIZES))
def _grid(level: int) -> tuple[ScalarMap, ScalarMap]:
    """Texture coordinates u and v of the texels' centres, float32 [h, w] each."""
    width, height = MIP_SIZES[level]
    u = (np.arange(width, dtype=np.float32) + 0.5) / width
    v = (np.arange(height, dtype=np.float32) + 0.5) / height
    return np.tile(u, (height, 1)), np.tile(v[:, None], (1, width))


def _albedo(
    style: MaskStyle, u: ScalarMap, v: ScalarMap, width_cm: float, height_cm: float
) -> NDArray[np.floating]:
    """Base colour, pattern, small print and hem, float32 [h, w, 3]."""
    colour = np.empty((*u.shape, 3), np.float32)
    colour[:] = style.base_rgb
    x_cm, y_cm = (u - 0.5) * np.float32(width_cm), v * np.float32(height_cm)
    weights = pattern_weights(style, x_cm, y_cm)
    for weight, rgb in zip(weights, (style.pattern_rgb, style.accent_rgb), strict=True):
        if weight is not None:
            colour += weight[:, :, None] * (np.asarray(rgb, np.float32) - colour)
    if style.print_text:
        weight = _small_print(style, u.shape)
        colour += weight[:, :, None] * (np.asarray(style.pattern_rgb, np.float32) - colour)
    if style.hem_cm > 0:
        inside = np.minimum(
            np.minimum(u, 1 - u) * np.float32(width_cm),
            np.minimum(v, 1 - v) * np.float32(height_cm),
        )
        hem = np.clip((style.hem_cm - inside) * 8 + 0.5, 0, 1)[:, :, None]
        if style.hem_rgb is not None:
            colour += hem * (np.asarray(style.hem_rgb, np.float32) - colour)
        colour *= 1 + hem * np.float32(style.hem_gain - 1)
    return colour


def _small_print(style: MaskStyle, shape: tuple[int, int]) -> ScalarMap:
    """Coverage 0..0.8 of the maker's text, [h, w]."""
    canvas = np.zeros(shape, np.uint8)
    height, width = shape
    scale = width / 80
    left = 0.16 if style.seed % 2 else 0.6
    for i, line in enumerate(style.print_text.split("\n")):
        at = (int(width * left), int(height * (0.5 + 0.1 * i)))
        cv2.putText(
            canvas, line, at, cv2.FONT_HERSHEY_SIMPLEX, 0.3 * scale, 255, max(1, round(scale)), 16
        )
    return canvas.astype(np.float32) * (0.8 / 255)


def _template_albedo(style: MaskStyle, width: int, height: int) -> NDArray[np.floating]:
    """The template's texture, tinted so that its mean becomes the style's base colour."""
    assert style.template is not None
    size = (width, height)
    texture = cv2.resize(style.template.texture_rgb, size, interpolation=cv2.INTER_AREA)
    colour = texture.astype(np.float32) / 255
    mean = colour.mean((0, 1))
    tint = np.asarray(style.base_rgb, np.float32) / np.maximum(mean, 0.05)
    return colour * np.minimum(tint, 1.15 / max(float(np.quantile(colour, 0.9)), 0.05))


def _opacity(style: MaskStyle, u: ScalarMap, v: ScalarMap, width_cm: float) -> ScalarMap | float:
    """The style's opacity; lace is 0.72 opaque in its holes."""
    if style.pattern != "lace":
        return style.opacity
    x_cm, y_cm = (u - 0.5) * np.float32(width_cm), v * np.float32(10)
    weight, _ = pattern_weights(style, x_cm, y_cm)
    return style.opacity if weight is None else 0.72 + (style.opacity - 0.72) * weight

"""Renders a mask on a face: coverage, texture, shading and contact shadow inside the face's region."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.synthetic.light import Light, estimate_light, shade_surface
from realtime.synthetic.mask_surface import COLUMNS, ROWS, build_surface
from realtime.synthetic.rasterise import RasterisedMask, rasterise_mask
from realtime.synthetic.style import MaskStyle
from realtime.synthetic.texture import MIP_SIZES, mip_level, paint_texture
from realtime.synthetic.uv_mapping import uv_coordinates

_CROP_SCALE = 5.4  # pixels a centimetre of the canonical head in a 128 px crop
_WHITE_LEVEL = 242.0  # pixel value of white cloth in full light
_LEAST_BLUR_PX = 0.3  # a Gaussian blur of a smaller sigma is left out: it changes nothing visible


@dataclass(frozen=True, eq=False)
class RenderedMask:
    """A face wearing a mask.

    Attributes:
        image_rgb: uint8 [H, W, 3].
        alpha: uint8 [H, W], 255 on mask pixels, else 0.
    """

    image_rgb: NDArray[np.uint8]
    alpha: NDArray[np.uint8]


def silhouette(
    landmarks: NDArray[np.floating], style: MaskStyle, shape: tuple[int, int]
) -> NDArray[np.uint8]:
    """Rasterise the mask without painting it; equals `render_mask(...).alpha`.

    Args:
        landmarks: float [478, 2], pixels.
        style: the mask.
        shape: height and width of the picture.

    Returns:
        uint8 [H, W], 255 on mask pixels (coverage of at least a half), else 0.
    """
    return _alpha(rasterise_mask(landmarks, style, shape), shape)


def render_mask(
    image_rgb: NDArray[np.uint8], landmarks: NDArray[np.floating], style: MaskStyle
) -> RenderedMask:
    """Render a mask on a face; the same style and landmarks always give the same picture.

    Args:
        image_rgb: uint8 [H, W, 3], RGB, any size; it is not changed.
        landmarks: float [478, 2], pixels of the picture.
        style: the mask.

    Returns:
        The picture and the mask's pixels. The contact shadow round the rim is not part of the alpha.

    Raises:
        ValueError: the landmarks have another shape.
    """
    shape = image_rgb.shape[:2]
    mask = rasterise_mask(landmarks, style, shape)
    image = image_rgb.copy()
    alpha = _alpha(mask, shape)
    x0, y0, x1, y1 = mask.region
    if x1 > x0:
        light = estimate_light(image_rgb, landmarks, mask.pose)
        region = image[y0:y1, x0:x1]
        region[:] = _composite(region.astype(np.float32), mask, light, style)
    return RenderedMask(image, alpha)


def _alpha(mask: RasterisedMask, shape: tuple[int, int]) -> NDArray[np.uint8]:
    alpha = np.zeros(shape, np.uint8)
    x0, y0, x1, y1 = mask.region
    alpha[y0:y1, x0:x1] = (mask.coverage >= 128).astype(np.uint8) * 255
    return alpha


def _composite(
    region: NDArray[np.floating], mask: RasterisedMask, light: Light, style: MaskStyle
) -> NDArray[np.uint8]:
    """Composite contact shadow, straps and surface over the region, float32 0..255 [h, w, 3]."""
    scale = mask.pose.scale
    blur = float(np.hypot(style.softness_px * max(scale / _CROP_SCALE, 0.5), 0.8 * light.blur_px))
    region *= _contact_shadow(mask, style)[:, :, None]
    if mask.has_straps:
        strap = _blurred_coverage(mask.coverage, blur)[:, :, None]
        colour = _exposure_matrix(light, style)[:3, :3] @ np.array(style.strap_rgb, np.float32)
        region += strap * (colour - region)
    (x0, y0, x1, y1), (left, top) = mask.surface_region, mask.region[:2]
    part = slice(y0 - top, y1 - top), slice(x0 - left, x1 - left)
    painted = _shaded_surface(mask, light, style)
    if blur > _LEAST_BLUR_PX:
        painted = np.asarray(cv2.GaussianBlur(painted, (0, 0), blur))
    weight = (_blurred_coverage(mask.surface_coverage[part], blur) * painted[:, :, 3])[:, :, None]
    background = region[part]
    background += weight * (painted[:, :, :3] - background)
    return np.clip(region + 0.5, 0, 255).astype(np.uint8)


def _blurred_coverage(coverage: NDArray[np.uint8], blur: float) -> NDArray[np.floating]:
    """Coverage 0..1, blurred less than the texture: supersampling has softened its edge already."""
    weight = coverage.astype(np.float32) / 255
    return (
        np.asarray(cv2.GaussianBlur(weight, (0, 0), 0.7 * blur))
        if blur > _LEAST_BLUR_PX
        else weight
    )


def _contact_shadow(mask: RasterisedMask, style: MaskStyle) -> NDArray[np.floating]:
    """Brightness factor [h, w] of the face round the mask: its blurred coverage, moved down."""
    scale = mask.pose.scale
    shift = np.array([[1, 0, 0], [0, 1, 0.15 * scale]], np.float32)
    size = mask.surface_coverage.shape[::-1]
    moved = np.asarray(cv2.warpAffine(mask.coverage, shift, size)).astype(np.float32)
    blurred = cv2.GaussianBlur(moved, (0, 0), max(0.25 * scale, 0.5))
    return 1 - style.contact_shadow / 255 * np.asarray(blurred)


def _shaded_surface(mask: RasterisedMask, light: Light, style: MaskStyle) -> NDArray[np.floating]:
    """The shaded mask in the surface's region, float32 [h, w, 4]: RGB 0..255, then opacity 0..1."""
    points = mask.points_px
    level = mip_level(float(np.abs(points[:, -1] - points[:, 0]).max()))
    texture = paint_texture(style, level)
    surface = build_surface(style.fit, style.pulled_down)
    shade = shade_surface(light, mask.pose, surface, style)
    uv = uv_coordinates(points, mask.surface_region)
    painted = _sample_texture(
        texture, uv * np.array(MIP_SIZES[level], np.float32) - np.float32(0.5)
    )
    shade = _sample_texture(shade, uv * np.array([COLUMNS - 1, ROWS - 1], np.float32))
    lit = np.asarray(cv2.transform(painted, _exposure_matrix(light, style)))
    white = light.gain_rgb * np.float32(_WHITE_LEVEL * style.exposure)
    lit[:, :, :3] *= shade[:, :, :1]
    lit[:, :, :3] += shade[:, :, 1:] * white
    return lit


def _sample_texture(
    texture: NDArray[np.floating], at: NDArray[np.floating]
) -> NDArray[np.floating]:
    return np.asarray(
        cv2.remap(texture, at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    )


def _exposure_matrix(light: Light, style: MaskStyle) -> NDArray[np.floating]:
    """The matrix [4, 4] from albedo and opacity to pixel values: saturation, colour cast, exposure."""
    grey = np.tile(np.array([0.299, 0.587, 0.114]), (3, 1))
    matrix = np.eye(4)
    matrix[:3, :3] = light.saturation * np.eye(3) + (1 - light.saturation) * grey
    matrix[:3] *= _WHITE_LEVEL * style.exposure * np.append(light.gain_rgb, 1.0)[:3, None]
    return matrix.astype(np.float32)

"""Wears a mask: outline, cloth, light and shadow put together inside the face's own region."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.synthetic.cloth import SIZES, paint_cloth, size_level
from realtime.synthetic.light import Light, read_light, shade_sheet
from realtime.synthetic.mask_surface import COLUMNS, ROWS, make_sheet
from realtime.synthetic.rasterise import Outline, draw_outline
from realtime.synthetic.style import MaskStyle
from realtime.synthetic.uv_mapping import sheet_coordinates

_CROP_SCALE = 5.4  # pixels a centimetre of the canonical head in a 128 px crop
_WHITE = 242.0  # pixel value of white cloth in full light


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
    """The mask's pixels without painting it, exactly `wear(...).alpha`.

    Args:
        landmarks: float [478, 2], pixels.
        style: the mask.
        shape: height and width of the picture.

    Returns:
        uint8 [H, W], 255 on mask pixels (coverage of at least a half), else 0.
    """
    return _alpha(draw_outline(landmarks, style, shape), shape)


def wear(
    image_rgb: NDArray[np.uint8], landmarks: NDArray[np.floating], style: MaskStyle
) -> RenderedMask:
    """Put a mask on a face; the same style and landmarks always give the same picture.

    Args:
        image_rgb: uint8 [H, W, 3], RGB, any size; it is not changed.
        landmarks: float [478, 2], pixels of the picture.
        style: the mask.

    Returns:
        The picture and the exact mask pixels. The shadow round the rim is not part of the alpha.
    """
    shape = image_rgb.shape[:2]
    outline = draw_outline(landmarks, style, shape)
    image = image_rgb.copy()
    alpha = _alpha(outline, shape)
    x0, y0, x1, y1 = outline.box
    if x1 > x0:
        light = read_light(image_rgb, landmarks, outline.pose)
        region = image[y0:y1, x0:x1]
        region[:] = _compose(region.astype(np.float32), outline, light, style)
    return RenderedMask(image, alpha)


def _alpha(outline: Outline, shape: tuple[int, int]) -> NDArray[np.uint8]:
    alpha = np.zeros(shape, np.uint8)
    x0, y0, x1, y1 = outline.box
    alpha[y0:y1, x0:x1] = (outline.cover >= 128).astype(np.uint8) * 255
    return alpha


def _compose(
    region: NDArray[np.floating], outline: Outline, light: Light, style: MaskStyle
) -> NDArray[np.uint8]:
    """Lay shadow, straps and sheet over the region, float32 0..255 [h, w, 3]."""
    scale = outline.pose.scale
    blur = float(np.hypot(style.softness_px * max(scale / _CROP_SCALE, 0.5), 0.8 * light.blur_px))
    region *= _shadow(outline, style)[:, :, None]
    if outline.cover is not outline.sheet_cover:
        strap = _soften(outline.cover, blur)[:, :, None]
        colour = _light_matrix(light, style)[:3, :3] @ np.array(style.strap_rgb, np.float32)
        region += strap * (colour - region)
    (x0, y0, x1, y1), (left, top) = outline.sheet_box, outline.box[:2]
    part = slice(y0 - top, y1 - top), slice(x0 - left, x1 - left)
    painted = _paint(outline, light, style)
    if blur > 0.3:
        painted = np.asarray(cv2.GaussianBlur(painted, (0, 0), blur))
    weight = (_soften(outline.sheet_cover[part], blur) * painted[:, :, 3])[:, :, None]
    under = region[part]
    under += weight * (painted[:, :, :3] - under)
    return np.clip(region + 0.5, 0, 255).astype(np.uint8)


def _soften(cover: NDArray[np.uint8], blur: float) -> NDArray[np.floating]:
    cover_f = cover.astype(np.float32) / 255
    return np.asarray(cv2.GaussianBlur(cover_f, (0, 0), 0.7 * blur)) if blur > 0.3 else cover_f


def _shadow(outline: Outline, style: MaskStyle) -> NDArray[np.floating]:
    """Brightness factor of what lies round the mask."""
    scale = outline.pose.scale
    shift = np.array([[1, 0, 0], [0, 1, 0.15 * scale]], np.float32)
    size = outline.sheet_cover.shape[::-1]
    moved = np.asarray(cv2.warpAffine(outline.cover, shift, size)).astype(np.float32)
    blurred = cv2.GaussianBlur(moved, (0, 0), max(0.25 * scale, 0.5))
    return 1 - style.contact_shadow / 255 * np.asarray(blurred)


def _paint(outline: Outline, light: Light, style: MaskStyle) -> NDArray[np.floating]:
    """The lit mask over the sheet's box, float32 [h, w, 4]: 0..255, opacity 0..1 last."""
    points = outline.points_px
    level = size_level(float(np.abs(points[:, -1] - points[:, 0]).max()))
    cloth = paint_cloth(style, level)
    sheet = make_sheet(style.fit, style.pulled_down)
    shade = shade_sheet(light, outline.pose, sheet, style)
    uv = sheet_coordinates(points, outline.sheet_box)
    painted = _look_up(cloth, uv * np.array(SIZES[level], np.float32) - np.float32(0.5))
    shade = _look_up(shade, uv * np.array([COLUMNS - 1, ROWS - 1], np.float32))
    lit = np.asarray(cv2.transform(painted, _light_matrix(light, style)))
    white = light.gain_rgb * np.float32(_WHITE * style.exposure)
    lit[:, :, :3] *= shade[:, :, :1]
    lit[:, :, :3] += shade[:, :, 1:] * white
    return lit


def _look_up(texture: NDArray[np.floating], at: NDArray[np.floating]) -> NDArray[np.floating]:
    return np.asarray(
        cv2.remap(texture, at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    )


def _light_matrix(light: Light, style: MaskStyle) -> NDArray[np.floating]:
    """Albedo and opacity to pixel values: the picture's lack of colour, cast and exposure, [4, 4]."""
    grey = np.tile(np.array([0.299, 0.587, 0.114]), (3, 1))
    matrix = np.eye(4)
    matrix[:3, :3] = light.saturation * np.eye(3) + (1 - light.saturation) * grey
    matrix[:3] *= _WHITE * style.exposure * np.append(light.gain_rgb, 1.0)[:3, None]
    return matrix.astype(np.float32)

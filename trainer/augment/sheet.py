"""A thing drawn flat on a sheet, and how flat things and solids of revolution are shaded on it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from trainer.augment.canvas import Map, Rng

SHEET_PX_PER_CM = 8.0
"""Scale of the sheets, pixels a centimetre."""


@dataclass(frozen=True, eq=False)
class Sheet:
    """A thing drawn flat.

    Attributes:
        albedo: float32 [H, W, 3], 0..1, shaded already.
        cover: float32 [H, W], 0..1, where the thing is.
        anchor: x and y of what is before the mouth, pixels of the sheet.
        tilt_deg: standard deviation of the angle at which it is held.
        grip: x of its left and right edge where fingers hold it, pixels of the sheet.
        held: whether fingers may hold it.
    """

    albedo: Map
    cover: Map
    anchor: tuple[float, float]
    tilt_deg: float
    grip: tuple[float, float]
    held: bool = True


def px(cm: float) -> int:
    """Turn centimetres into pixels of a sheet, at least 1."""
    return max(1, round(cm * SHEET_PX_PER_CM))


def rounded_box(shape: tuple[int, int], radius_px: float) -> Map:
    """Cover of a box with round corners that fills the sheet but for a pixel; float32 [H, W]."""
    rows, columns = np.indices(shape, np.float32)
    half = (shape[0] - 1) / 2, (shape[1] - 1) / 2
    radius = min(radius_px, *half)
    dy = np.maximum(np.abs(rows - half[0]) - (half[0] - 1 - radius), 0)
    dx = np.maximum(np.abs(columns - half[1]) - (half[1] - 1 - radius), 0)
    return np.clip(radius + 0.5 - np.hypot(dx, dy), 0, 1).astype(np.float32)


def flat_shade(rng: Rng, shape: tuple[int, int]) -> Map:
    """Brightness of a flat thing: a gradient, and sometimes slanting light on it; float32 [H, W]."""
    rows, columns = np.indices(shape, np.float32)
    down, right = rng.normal(0, 0.12, 2)
    shade = 1 + down * (rows / shape[0] - 0.5) + right * (columns / shape[1] - 0.5)
    if rng.random() < 0.4:
        slant = columns * np.float32(rng.uniform(-1, 1)) + rows
        at, wide = rng.uniform(0.1, 0.9) * shape[0], rng.uniform(0.05, 0.3) * shape[0]
        shade += rng.uniform(0.05, 0.5) * np.exp(-(((slant - at) / wide) ** 2))
    return shade.astype(np.float32)


def turned_solid(
    radii: NDArray[np.floating], wrapped: Map, rng: Rng, seen_from: float, gloss: float
) -> tuple[Map, Map]:
    """Draw a solid of revolution from the side.

    Args:
        radii: float [H], its radius at each height, pixels.
        wrapped: float32 [H, W', 3], the albedo of the front half, wrapped round it.
        rng: random generator; the light comes from any side.
        seen_from: bow of its rings, as a share of the radius: above 0 they hang down (seen from above).
        gloss: strength of the highlight.

    Returns:
        Albedo, shaded, float32 [H + 2B, W, 3], and cover, float32 [H + 2B, W]; B is the height of the
        largest ring.
    """
    most = float(np.max(radii))
    bow = int(np.ceil(abs(seen_from) * most)) + 1
    height, width = len(radii) + 2 * bow, 2 * int(np.ceil(most)) + 3
    rows, columns = np.indices((height, width), np.float32)
    x = columns - (width - 1) / 2
    across = np.sqrt(np.clip(1 - (x / most) ** 2, 0, 1))
    source = rows - bow - np.float32(seen_from * most) * across
    radius = np.interp(source, np.arange(len(radii)), radii, left=0, right=0).astype(np.float32)
    u = np.clip(x / np.maximum(radius, 1e-3), -1, 1)
    cover = np.clip(radius + 0.5 - np.abs(x), 0, 1) * (radius > 0)
    at = (np.arcsin(u) / np.pi + 0.5) * (wrapped.shape[1] - 1)
    albedo = cv2.remap(wrapped, at.astype(np.float32), source, cv2.INTER_LINEAR,
                       borderMode=cv2.BORDER_REPLICATE)  # fmt: skip
    lamp = rng.uniform(-0.9, 0.9)
    lit = u * lamp + np.sqrt(1 - u**2) * np.sqrt(1 - lamp**2)
    ambient = rng.uniform(0.3, 0.7)
    shade = ambient + (1.05 - ambient) * np.clip(lit, 0, 1)
    place = np.clip(lamp * 0.6 + rng.normal(0, 0.1), -0.8, 0.8)
    shine = gloss * np.exp(-(((u - place) / rng.uniform(0.06, 0.2)) ** 2))
    return (albedo * shade[..., None] + shine[..., None]).astype(np.float32), cover.astype(
        np.float32
    )

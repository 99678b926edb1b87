"""Background replacement: shows some faces before a plain wall, as portraits and webcams do.

Most photographs of public figures have a busy background. A generator that has seen no other paints
shadows and spots on a plain one beside the jaw.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

_SHARE = 0.4  # of the faces with a matte
_WHITE_SHARE, _BLACK_SHARE = 0.45, 0.1  # of the walls; the others have any colour
_TINT = 8.0  # standard deviation of a white or black wall's channels, levels
_DARKEST = 0.75  # factor on the wall's colour where it is least lit, at the lowest
# The matte is cut narrower and harder, so that nothing of the old background stays round the person.
_MATTE_RANGE = 0.45, 0.95  # opacities that become 0 and 1
_SURE = 242  # matte of pixels whose colour is all the person's
_SPREAD_PX = 2.0  # sigma of the Gaussian that spreads these colours over the matte's soft edge
_LEAST_WEIGHT = 0.02  # of spread colours; where none reaches, a pixel keeps its own


def replace_background(
    crop: NDArray[np.uint8], matte: NDArray[np.uint8], rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Put a wall of one colour behind some people.

    Args:
        crop: uint8 [H, W, 3], RGB; not changed.
        matte: uint8 [H, W], opacity of the person; all 255 if it is not known.
        rng: random generator.

    Returns:
        uint8 [H, W, 3]; the crop itself if its background stays.
    """
    if matte.min() == 255 or rng.random() >= _SHARE:
        return crop
    wall = _wall(crop.shape[:2], rng)
    low, high = _MATTE_RANGE
    opacity = np.clip((matte / np.float32(255) - low) / (high - low), 0, 1)[..., None]
    person = _person_colours(crop, matte)
    return np.rint(wall + (person - wall) * opacity).astype(np.uint8)


def _wall(shape: tuple[int, int], rng: np.random.Generator) -> NDArray[np.float32]:
    """Draw a wall of one colour that is lit from one side, float32 [H, W, 3]."""
    kind = rng.random()
    if kind < _WHITE_SHARE:
        colour = 255 - np.abs(rng.normal(0, _TINT, 3)) - (rng.random() < 0.5) * rng.uniform(0, 40)
    elif kind < _WHITE_SHARE + _BLACK_SHARE:
        colour = np.abs(rng.normal(0, _TINT, 3)) + rng.uniform(0, 40)
    else:
        grey = rng.uniform(30, 230)
        colour = grey + (rng.uniform(0, 255, 3) - grey) * rng.random()
    ys, xs = (np.linspace(-0.5, 0.5, length, dtype=np.float32) for length in shape)
    angle = rng.uniform(0, 2 * np.pi)
    along = np.float32(np.sin(angle)) * ys[:, None] + np.float32(np.cos(angle)) * xs
    light = 1 - np.float32(rng.uniform(0, 1 - _DARKEST)) * (along + 0.5)
    return np.clip(light[..., None] * colour, 0, 255).astype(np.float32)


def _person_colours(crop: NDArray[np.uint8], matte: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the person's own colours, without the old background in the matte's soft edge."""
    sure = (matte >= _SURE).astype(np.float32)
    weight = cv2.GaussianBlur(sure, (0, 0), _SPREAD_PX)
    spread = cv2.GaussianBlur(crop * sure[..., None], (0, 0), _SPREAD_PX)
    spread /= np.maximum(weight, 1e-3)[..., None]
    kept = (sure > 0) | (weight < _LEAST_WEIGHT)
    return np.where(kept[..., None], crop.astype(np.float32), np.clip(spread, 0, 255))

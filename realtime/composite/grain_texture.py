"""The grain's texture: measures the detail of a frame's skin, and adds the texture to the frame.

The texture is a spot noise (Galerne, Gousseau, Morel 2011): the detail of the bare skin that is finer than
the crop, convolved with fixed white noise. It has the skin's spectrum and strength, and it changes from
frame to frame exactly as much as the skin does.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.align.affine import apply, invert
from realtime.frames import Grain
from realtime.settings import COMPOSITE

_TILE_PX = 128  # side of the tile, frame px
_BOX_PX = 0.854  # half the side of the high-pass's boxes, which leaves detail finer than the crop, crop px
_PLAIN_PERCENTILE = 25  # of the skin's local energy: the energy of plain skin, without structure
_OUTLIER_SIGMAS = 4.0  # of plain skin, to which the detail is clipped
_SOFT_PX = 3  # side of the box that softens the edges of the skin's region, crop px
_LEAST_ENERGY = 1e-6  # squared levels, against division by 0
_EVENING_PX = 5  # side of the box that averages the power spectrum, coefficients
_EVENING_RANGE = 0.25, 4.0  # factors by which a coefficient may change


def skin_texture(
    frame_bgr: NDArray[np.uint8],
    skin: NDArray[np.bool_],
    matrix: NDArray[np.float64],
    scale: float,
) -> tuple[NDArray[np.float32], float]:
    """Make a texture like that of the frame's skin.

    Args:
        frame_bgr: uint8 [H, W, 3].
        skin: bool [128, 128], bare skin in the crop.
        matrix: float64 [2, 3], frame pixels to crop pixels.
        scale: frame px for each crop px.

    Returns:
        The tile, float32 [128, 128], levels, of the skin's spectrum and energy; and that energy (variance
        of the skin's detail, squared levels), 0 where too little skin is seen.
    """
    residual, weight, x, y = _residual(frame_bgr, skin, matrix, scale)
    total = cv2.norm(weight, cv2.NORM_L2SQR)
    if total < COMPOSITE.grain_skin_px:  # the same number serves for frame px, weighted
        return np.zeros((_TILE_PX, _TILE_PX), np.float32), 0.0
    residual *= weight
    energy = cv2.norm(residual, cv2.NORM_L2SQR) / total
    spectrum = np.fft.rfft2(_folded(residual, x, y))
    spectrum[0, 0] = 0
    spectrum *= _direction_filter(spectrum) * _white_noise()
    tile = np.fft.irfft2(spectrum, (_TILE_PX, _TILE_PX)) / float(np.sqrt(total))
    return tile.astype(np.float32), energy


def add_grain(
    grain: Grain,
    colours: NDArray[np.uint8],
    x: int,
    y: int,
    to_crop: NDArray[np.float64],
) -> NDArray[np.uint8]:
    """Add grain to a rectangle of the frame.

    Args:
        grain: the texture.
        colours: uint8 [h, w, 3], any order.
        x, y: the rectangle's corner in the frame, pixels.
        to_crop: float64 [2, 3], rectangle to crop pixels.

    Returns:
        uint8 [h, w, 3].
    """
    height, width = colours.shape[:2]
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    gain = cv2.warpAffine(grain.gain, to_crop, (width, height), flags=flags)
    ox, oy = x % _TILE_PX, y % _TILE_PX
    sheet = cv2.repeat(grain.tile, -(-(oy + height) // _TILE_PX), -(-(ox + width) // _TILE_PX))
    texture = sheet[oy : oy + height, ox : ox + width]
    luma = cv2.multiply(texture, gain, dtype=cv2.CV_16S)
    return cv2.add(colours, cv2.merge([luma] * 3), dtype=cv2.CV_8U).astype(np.uint8, copy=False)


def _residual(
    frame_bgr: NDArray[np.uint8],
    skin: NDArray[np.bool_],
    matrix: NDArray[np.float64],
    scale: float,
) -> tuple[NDArray[np.float32], NDArray[np.float32], int, int]:
    """The detail near the skin that is finer than the crop: luma residual, weights, and the corner's x, y.

    The weights have soft edges, so that the texture does not jump where they change a little.
    """
    ys, xs = np.nonzero(skin)
    corners = np.array([[xs.min(), ys.min()], [xs.max(), ys.min()],
                        [xs.min(), ys.max()], [xs.max(), ys.max()]], np.float64)  # fmt: skip
    corners = apply(invert(matrix), corners)
    height, width = frame_bgr.shape[:2]
    x0, y0 = np.clip(np.floor(corners.min(0)).astype(int), 0, [width, height])
    x1, y1 = np.clip(corners.max(0).astype(int) + 1, 0, [width, height])
    to_crop = matrix.copy()
    to_crop[:, 2] += matrix[:, :2] @ (x0, y0)
    size = (int(x1 - x0), int(y1 - y0))
    soft = cv2.blur(skin.astype(np.float32), (_SOFT_PX, _SOFT_PX))
    linear = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    weight = cv2.warpAffine(soft, to_crop, size, flags=linear)
    luma = cv2.cvtColor(frame_bgr[y0:y1, x0:x1], cv2.COLOR_BGR2GRAY).astype(np.float32)
    side = 2 * max(1, round(_BOX_PX * scale)) + 1
    residual = luma - _low_pass(luma, side)
    local = _low_pass(residual * residual, side)
    seen = local[::2, ::2][weight[::2, ::2] > 0.5]
    plain = float(np.percentile(seen, _PLAIN_PERCENTILE)) if len(seen) else 0.0
    plain = max(plain, _LEAST_ENERGY)
    weight *= np.clip(COMPOSITE.structure_factor - local * np.float32(1 / plain), 0, 1)
    limit = _OUTLIER_SIGMAS * float(np.sqrt(plain))
    return np.clip(residual, -limit, limit), weight, int(x0), int(y0)


def _low_pass(image: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    """Filter twice with a box of this side, nearly a Gaussian; the time does not depend on its width."""
    return np.asarray(cv2.blur(cv2.blur(image, (side, side)), (side, side)), dtype=np.float32)


def _folded(image: NDArray[np.float32], x: int, y: int) -> NDArray[np.float32]:
    """Sum the image over the tiles that repeat from the frame's corner, float32 [128, 128]."""
    ox, oy = x % _TILE_PX, y % _TILE_PX
    down = -(-(oy + image.shape[0]) // _TILE_PX)
    across = -(-(ox + image.shape[1]) // _TILE_PX)
    sheet = np.zeros((down * _TILE_PX, across * _TILE_PX), np.float32)
    sheet[oy : oy + image.shape[0], ox : ox + image.shape[1]] = image
    return sheet.reshape(down, _TILE_PX, across, _TILE_PX).sum((0, 2))


def _direction_filter(spectrum: NDArray[np.complexfloating]) -> NDArray[np.float32]:
    """The filter that evens a spectrum's power over all directions, so that wrinkles leave no streaks."""
    power = cv2.blur(np.square(np.abs(spectrum)).astype(np.float32), (_EVENING_PX, _EVENING_PX))
    rings = _rings()
    total = np.bincount(rings.ravel(), power.ravel())
    mean = total / np.maximum(np.bincount(rings.ravel()), 1)
    wanted = mean.astype(np.float32)[rings]
    return np.clip(np.sqrt(wanted / np.maximum(power, _LEAST_ENERGY)), *_EVENING_RANGE)


@lru_cache(maxsize=1)
def _rings() -> NDArray[np.intp]:
    """Each coefficient's distance from the spectrum's centre, int [128, 65]."""
    down = np.fft.fftfreq(_TILE_PX, 1 / _TILE_PX)
    across = np.fft.rfftfreq(_TILE_PX, 1 / _TILE_PX)
    return np.rint(np.hypot(down[:, None], across[None, :])).astype(np.intp)


@lru_cache(maxsize=1)
def _white_noise() -> NDArray[np.complexfloating]:
    """The spectrum of fixed white noise of unit variance, complex64 [128, 65]."""
    noise = np.random.default_rng(1).standard_normal((_TILE_PX, _TILE_PX))
    return np.fft.rfft2(noise.astype(np.float32))

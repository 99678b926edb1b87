"""Gives a fill the pores, grain and compression noise of the frame's own skin.

The texture is a spot noise (Galerne, Gousseau, Morel 2011): what is finer than the crop in the bare
skin, convolved with fixed white noise. It has the skin's spectrum and strength, and moves and changes
from frame to frame exactly as much as the skin does: frozen where that is frozen, alive where it is.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.align.affine import apply, invert, scale_of
from realtime.align.crop_window import CANONICAL, CropWindow
from realtime.align.face_regions import UPPER_FACE
from realtime.frames import FaceContext, Fill, Grain
from realtime.imaging.mask_regions import eroded
from realtime.imaging.skin import has_tone, to_ycc
from realtime.inpaint.appearance import AppearanceStep
from realtime.stages import PerTrack

_TILE_PX = 128
_SMALLEST_SCALE, _FULL_SCALE = 1.0, 1.5  # frame pixels a crop pixel: grain begins, and is full
_BAND_PX = 0.7  # the high-pass's sigma, crop pixels
_FEW_PX, _ENOUGH_PX = 80, 250  # skin pixels of the crop: none below, full grain above
_CALM_PERCENT = 25
_STRUCTURE = 6.0  # so many times the calmest quarter's energy show a wrinkle or a hair, not grain
_OUTLIER = 4.0
_STRENGTH = 1.12
_MOST_LEVELS = 4.0  # more is seldom grain: it is stubble, a fringe or a cap taken for skin
_ELSEWHERE = 0.4  # of the grain, on what is not skin
_DARKEST, _BRIGHTEST = 0.3, 1.1


class GrainSynthesis(AppearanceStep):
    """Measures the skin of the frame and makes the texture that the fill lacks.

    A face so small that the fill is as fine as the frame gets none, nor does one of which too little bare
    skin is seen.
    """

    name = "grain"
    each_frame = True

    def __init__(self) -> None:
        self._skin: PerTrack[tuple[int, _Skin | None] | None] = PerTrack(lambda: None)

    def __call__(self, fill: Fill, context: FaceContext) -> Fill:
        """Add grain to the fill; its pixels stay; see `AppearanceStep`."""
        scale = 1 / scale_of(context.matrix)
        if scale <= _SMALLEST_SCALE:
            return replace(fill, grain=None)
        known = self._skin[context.face.track_id]
        if known is None or known[0] != fill.version:
            known = fill.version, _skin_of(fill.rgb, context)
            self._skin[context.face.track_id] = known
        skin = known[1]
        grain = None if skin is None else _grain_for(context.frame_bgr, skin, context.matrix, scale)
        return replace(fill, grain=grain)

    def keep_only(self, track_ids: Collection[int]) -> None:
        """Forget all other faces."""
        self._skin.keep_only(track_ids)

    def reset(self) -> None:
        """Forget all faces."""
        self._skin.clear()


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


@dataclass(frozen=True)
class _Skin:
    """What a fill and the face round it say of grain; it stays as long as the fill does.

    Attributes:
        bare: bool [128, 128], the face's skin that is seen, off the hole.
        count: so many pixels.
        own: float32 [128, 128], the energy of the fill's own fine detail.
        fitting: float32 [128, 128], how much grain belongs where for its brightness and for being skin;
            0 outside the hole.
    """

    bare: NDArray[np.bool_]
    count: int
    own: NDArray[np.float32]
    fitting: NDArray[np.float32]


def bare_skin(
    skin_like: NDArray[np.bool_],
    known: NDArray[np.bool_],
    window: CropWindow = CANONICAL,
    margin_px: int = 2,
) -> NDArray[np.bool_]:
    """Narrow pixels of skin tone to bare skin of the upper face, off the hole's rim, eyes and hair.

    Args:
        skin_like: bool [128, 128], pixels of the skin's tone.
        known: bool [128, 128], true pixels of the photograph.
        window: of the crop.
        margin_px: how far to stay away from the hole.

    Returns:
        bool [128, 128].
    """
    return eroded(skin_like & window.show(UPPER_FACE), 2) & eroded(known, margin_px)


def _skin_of(filled_rgb: NDArray[np.uint8], context: FaceContext) -> _Skin | None:
    """Find where a fill, uint8 [128, 128, 3], needs grain, and the skin to take it from."""
    face, tone = context.face, context.skin_tone
    if tone is None:
        return None
    skin_like = has_tone(to_ycc(filled_rgb), tone)
    bare = bare_skin(skin_like, face.known, face.window)
    count = int(np.count_nonzero(bare))
    if count < _FEW_PX:
        return None
    luma = cv2.cvtColor(filled_rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)
    own = luma - cv2.GaussianBlur(luma, (0, 0), 0.7)
    own = cv2.GaussianBlur(own * own, (0, 0), 2.0)
    mean = max(cv2.mean(luma, bare.view(np.uint8))[0], 1.0)
    bright = np.clip(luma / np.float32(mean), _DARKEST, _BRIGHTEST)
    skin_share = np.where(skin_like, 1, _ELSEWHERE).astype(np.float32)
    fitting = bright * cv2.GaussianBlur(skin_share, (0, 0), 1.5) * face.hole
    return _Skin(bare, count, own.astype(np.float32), fitting.astype(np.float32))


def _grain_for(
    frame_bgr: NDArray[np.uint8], skin: _Skin, matrix: NDArray[np.float64], scale: float
) -> Grain | None:
    """Measure the skin of the frame, and make the texture that the fill lacks."""
    tile, energy = _texture(frame_bgr, skin.bare, matrix, scale)
    if energy <= 0:
        return None
    share = _ramp(scale, _SMALLEST_SCALE, _FULL_SCALE) * _ramp(skin.count, _FEW_PX, _ENOUGH_PX)
    share *= _STRENGTH * min(1.0, _MOST_LEVELS / float(np.sqrt(energy)))
    # Less where the fill has detail of its own.
    lacking = np.sqrt(np.clip(1 - skin.own * np.float32(1 / energy), 0, 1))
    return Grain(tile, lacking * skin.fitting * np.float32(share))


def _texture(
    frame_bgr: NDArray[np.uint8],
    skin: NDArray[np.bool_],
    matrix: NDArray[np.float64],
    scale: float,
) -> tuple[NDArray[np.float32], float]:
    """Make the tile from the residual of the frame's skin; return it and its energy (variance)."""
    residual, weight, x, y = _residual(frame_bgr, skin, matrix, scale)
    total = cv2.norm(weight, cv2.NORM_L2SQR)
    if total < _FEW_PX:
        return np.zeros((_TILE_PX, _TILE_PX), np.float32), 0.0
    residual *= weight
    energy = cv2.norm(residual, cv2.NORM_L2SQR) / total
    spectrum = np.fft.rfft2(_folded(residual, x, y))
    spectrum[0, 0] = 0
    spectrum *= _evened(spectrum) * _white_noise()
    tile = np.fft.irfft2(spectrum, (_TILE_PX, _TILE_PX)) / float(np.sqrt(total))
    return tile.astype(np.float32), energy


def _residual(
    frame_bgr: NDArray[np.uint8],
    skin: NDArray[np.bool_],
    matrix: NDArray[np.float64],
    scale: float,
) -> tuple[NDArray[np.float32], NDArray[np.float32], int, int]:
    """What is finer than the crop near the skin: luma residual, how much each counts, the corner's x, y.

    The weights have soft edges: what a frame more or less counts must not make the texture jump.
    """
    ys, xs = np.nonzero(skin)
    corners = np.array([[xs.min(), ys.min()], [xs.max(), ys.min()],
                        [xs.min(), ys.max()], [xs.max(), ys.max()]], np.float64)  # fmt: skip
    corners = apply(invert(matrix), corners)
    margin = 3 * _BAND_PX * scale
    height, width = frame_bgr.shape[:2]
    x0, y0 = np.clip((corners.min(0) - margin).astype(int), 0, [width, height])
    x1, y1 = np.clip((corners.max(0) + margin).astype(int) + 1, 0, [width, height])
    to_crop = matrix.copy()
    to_crop[:, 2] += matrix[:, :2] @ (x0, y0)
    size = (int(x1 - x0), int(y1 - y0))
    soft = cv2.blur(skin.astype(np.float32), (3, 3))
    linear = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    weight = cv2.warpAffine(soft, to_crop, size, flags=linear)
    luma = cv2.cvtColor(frame_bgr[y0:y1, x0:x1], cv2.COLOR_BGR2GRAY).astype(np.float32)
    residual = luma - _low_pass(luma, _BAND_PX * scale)
    local = _low_pass(residual * residual, _BAND_PX * scale)
    counted = cv2.compare(weight, 0.5, cv2.CMP_GT)
    seen = local[::2, ::2][counted[::2, ::2] > 0]
    calm = max(float(np.percentile(seen, _CALM_PERCENT)), 1e-6) if len(seen) else 1e-6
    weight *= np.clip(_STRUCTURE + 0.5 - local * np.float32(1 / calm), 0, 1)
    limit = _OUTLIER * float(np.sqrt(calm))
    return np.clip(residual, -limit, limit), weight, int(x0), int(y0)


def _low_pass(image: NDArray[np.float32], sigma_px: float) -> NDArray[np.float32]:
    """Two box filters, about a Gaussian; their time does not depend on its width."""
    side = 2 * max(1, round(sigma_px * 1.22)) + 1
    return np.asarray(cv2.blur(cv2.blur(image, (side, side)), (side, side)), dtype=np.float32)


def _folded(image: NDArray[np.float32], x: int, y: int) -> NDArray[np.float32]:
    """Add up all that falls on the same place of a tile counted from the frame's corner."""
    ox, oy = x % _TILE_PX, y % _TILE_PX
    down = -(-(oy + image.shape[0]) // _TILE_PX)
    across = -(-(ox + image.shape[1]) // _TILE_PX)
    sheet = np.zeros((down * _TILE_PX, across * _TILE_PX), np.float32)
    sheet[oy : oy + image.shape[0], ox : ox + image.shape[1]] = image
    return sheet.reshape(down, _TILE_PX, across, _TILE_PX).sum((0, 2))


def _evened(spectrum: NDArray[np.complexfloating]) -> NDArray[np.float32]:
    """The filter that spreads a spectrum's power over all directions, so that wrinkles leave no streaks."""
    power = cv2.blur(np.square(np.abs(spectrum)).astype(np.float32), (5, 5))
    rings = _rings()
    total = np.bincount(rings.ravel(), power.ravel())
    mean = total / np.maximum(np.bincount(rings.ravel()), 1)
    wanted = mean.astype(np.float32)[rings]
    return np.clip(np.sqrt(wanted / np.maximum(power, 1e-6)), 0.25, 4.0)


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
    return np.fft.rfft2((noise / noise.std()).astype(np.float32))


def _ramp(value: float, low: float, high: float) -> float:
    return float(np.clip((value - low) / (high - low), 0, 1))

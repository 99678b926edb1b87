"""Printed patterns: how much of the pattern and accent colours each texel gets."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.synthetic.style import MaskStyle, Pattern

ScalarMap = NDArray[np.floating]
_LETTERS = "ABCDEHKLMNORSTVXYZ"
_FONTS = (cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_TRIPLEX, cv2.FONT_ITALIC)

# Weights of the pattern colour and of the accent colour.
PatternWeights = tuple[ScalarMap | None, ScalarMap | None]


def pattern_weights(style: MaskStyle, x_cm: ScalarMap, y_cm: ScalarMap) -> PatternWeights:
    """Compute the weights 0..1 of the pattern colour and of the accent colour; None: not used.

    Args:
        style: the mask.
        x_cm, y_cm: float32 [h, w], coordinates on the mask laid flat, x from its middle line.
    """
    draw = _PATTERNS.get(style.pattern)
    return draw(style, x_cm, y_cm) if draw is not None else (None, None)


def smooth_noise(rng: np.random.Generator, cells: int, shape: tuple[int, int]) -> ScalarMap:
    """Draw smooth noise of about unit variance; a seed gives the same noise at every resolution."""
    coarse = rng.standard_normal((max(cells * 4 // 5, 2), max(cells, 2)), dtype=np.float32)
    return np.asarray(cv2.resize(coarse, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC))


def _rng(style: MaskStyle) -> np.random.Generator:
    return np.random.default_rng([style.seed, 11])


def _rotate_and_scale(
    style: MaskStyle, x_cm: ScalarMap, y_cm: ScalarMap
) -> tuple[ScalarMap, ScalarMap]:
    """Coordinates turned by the pattern's angle, in units of the pattern's period."""
    cos, sin = np.float32(np.cos(style.pattern_angle)), np.float32(np.sin(style.pattern_angle))
    return (cos * x_cm + sin * y_cm) / style.pattern_cm, (
        cos * y_cm - sin * x_cm
    ) / style.pattern_cm


def _band(phase: ScalarMap, share: float, sharp: float = 8.0) -> ScalarMap:
    """1 inside periodic bands with soft edges, which take `share` of each period of length 1."""
    wave = np.cos(2 * np.pi * phase) - np.float32(np.cos(np.pi * share))
    return np.clip(wave * sharp + 0.5, 0, 1)


def _plaid(style: MaskStyle, x_cm: ScalarMap, y_cm: ScalarMap) -> PatternWeights:
    a, b = _rotate_and_scale(style, x_cm, y_cm)
    weight = 0.5 * (_band(a, 0.5) + _band(b, 0.5))
    thin = np.maximum(_band(a + 0.5, 0.1), _band(b + 0.5, 0.1))
    return weight, 0.7 * thin


def _stripes(style: MaskStyle, x_cm: ScalarMap, y_cm: ScalarMap) -> PatternWeights:
    a, _ = _rotate_and_scale(style, x_cm, y_cm)
    thin = _band(a + 0.5, 0.12) if style.seed % 2 else None
    return _band(a, 0.25 + 0.35 * (style.seed % 7) / 6), thin


def _dots(style: MaskStyle, x_cm: ScalarMap, y_cm: ScalarMap) -> PatternWeights:
    a, b = _rotate_and_scale(style, x_cm, y_cm)
    row = np.floor(b)
    p, q = (a + 0.5 * (row % 2)) % 1 - 0.5, b % 1 - 0.5
    radius = 0.18 + 0.17 * (style.seed % 5) / 4
    return np.clip((radius - np.sqrt(p * p + q * q)) * 8 + 0.5, 0, 1), None


def _blobs(style: MaskStyle, x_cm: ScalarMap, y_cm: ScalarMap) -> PatternWeights:
    rng = _rng(style)
    cells = int(np.clip(16 / style.pattern_cm, 4, 24))
    first, second = smooth_noise(rng, cells, x_cm.shape), smooth_noise(rng, cells, x_cm.shape)
    return np.clip((first - 0.25) * 5, 0, 1), np.clip((second - 0.6) * 5, 0, 1)


def _camouflage(style: MaskStyle, x_cm: ScalarMap, y_cm: ScalarMap) -> PatternWeights:
    rng = _rng(style)
    first, second = smooth_noise(rng, 9, x_cm.shape), smooth_noise(rng, 9, x_cm.shape)
    fine = 0.5 * smooth_noise(rng, 18, x_cm.shape)
    return np.clip((first + fine) * 20, 0, 1), np.clip((second + fine - 0.5) * 20, 0, 1)


def _flowers(style: MaskStyle, x_cm: ScalarMap, y_cm: ScalarMap) -> PatternWeights:
    rng = _rng(style)
    petals, hearts = np.zeros(x_cm.shape, np.uint8), np.zeros(x_cm.shape, np.uint8)
    pixels = x_cm.shape[1] / float(x_cm[0, -1] - x_cm[0, 0])
    size = 0.45 * style.pattern_cm
    for _ in range(int(np.clip(60 / style.pattern_cm**2, 6, 30))):
        centre = rng.uniform((0, 0), (x_cm.shape[1], x_cm.shape[0]))
        radius, turn = size * pixels * rng.uniform(0.6, 1.3), rng.uniform(0, 6)
        for angle in np.arange(5) * (2 * np.pi / 5) + turn:
            at = centre + radius * 0.6 * np.array([np.cos(angle), np.sin(angle)])
            _disc(petals, at, radius * 0.42)
        _disc(hearts, centre, radius * 0.35)
    return petals.astype(np.float32) / 255, hearts.astype(np.float32) / 255


def _disc(canvas: NDArray[np.uint8], centre: NDArray[np.float64], radius: float) -> None:
    at = (round(centre[0] * 8), round(centre[1] * 8))
    cv2.circle(canvas, at, max(round(radius * 8), 4), 255, -1, cv2.LINE_AA, shift=3)


def _lettering(style: MaskStyle, x_cm: ScalarMap, y_cm: ScalarMap) -> PatternWeights:
    rng = _rng(style)
    height, width = len(x_cm), x_cm.shape[1]
    canvas = np.zeros((height, width), np.uint8)
    scale = width / 80 * style.pattern_cm / 1.2
    text = "".join(_LETTERS[i] for i in rng.integers(0, len(_LETTERS), int(rng.integers(2, 8))))
    font = _FONTS[int(rng.integers(len(_FONTS)))]
    for _ in range(int(rng.integers(1, 3))):
        at = (int(width * rng.uniform(0.1, 0.5)), int(height * rng.uniform(0.3, 0.8)))
        size = scale * rng.uniform(0.25, 0.75)
        cv2.putText(canvas, text, at, font, size, 255, max(1, round(1.6 * scale)), cv2.LINE_AA)
    return canvas.astype(np.float32) / 255, None


def _lace(style: MaskStyle, x_cm: ScalarMap, y_cm: ScalarMap) -> PatternWeights:
    a, b = _rotate_and_scale(style, x_cm, y_cm)
    net = np.sin(2 * np.pi * a * 2) * np.sin(2 * np.pi * b * 2)
    blobs = smooth_noise(_rng(style), 10, x_cm.shape)
    return np.clip(0.5 + 0.5 * net + np.clip(blobs * 2, -1, 1) * 0.6, 0, 1), None


def _gradient(style: MaskStyle, x_cm: ScalarMap, y_cm: ScalarMap) -> PatternWeights:
    a, _ = _rotate_and_scale(style, x_cm, y_cm)
    span = a - a.min()
    return span / max(float(span.max()), 1e-6), None


def _panels(style: MaskStyle, x_cm: ScalarMap, y_cm: ScalarMap) -> PatternWeights:
    edge = 2.0 + 1.2 * style.pattern_cm
    side = np.clip((np.abs(x_cm) - edge + 0.15 * y_cm) * 4 + 0.5, 0, 1)
    return side, None


_PATTERNS: dict[Pattern, Callable[[MaskStyle, ScalarMap, ScalarMap], PatternWeights]] = {
    "plaid": _plaid,
    "stripes": _stripes,
    "dots": _dots,
    "blobs": _blobs,
    "flowers": _flowers,
    "camouflage": _camouflage,
    "lettering": _lettering,
    "lace": _lace,
    "gradient": _gradient,
    "panels": _panels,
}

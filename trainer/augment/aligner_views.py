"""Draws faces for the face aligner: masked or bare, with headgear and occlusion, at half the resolution."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.align.affine import compose
from realtime.detect.face_geometry import scaled_and_shifted
from trainer.augment.dressing import dressed
from trainer.augment.place_parts import random_part, warp_part
from trainer.augment.segmenter_samples import visible_window
from trainer.augment.views import DrawnView, rotated_view, view_of
from trainer.data.face_set import FaceSet

_ROTATED_SHARE, _PROFILES = 0.4, 0.5  # of the heads; of profiles among the rotated ones
# Share of dark pictures, whose brightness is a share of the photograph's and whose colour channels differ
# by a standard deviation, natural logarithm.
_DARK_SHARE, _BRIGHTNESS, _CAST = 0.1, (0.15, 0.6), 0.12
# Outside the photograph the crop repeats its border. Shares of the faces that get another place there,
# and of those with a soft edge between both.
_SURROUNDED_SHARE, _SOFT_SHARE = 0.7, 0.5
_SOFT_PX = 2.0  # standard deviation of that edge
# Centres of the first pixels: a pixel at half the resolution is the mean of 2x2 pixels.
_FROM_HALF = scaled_and_shifted(2.0, 0.5, 0.5)


class AlignerViews:
    """Draws one face a call, as `trainer.augment.view_bank.DrawView`.

    A face wears a procedural mask or none. Some heads are rotated. Edges of pictures cut some off.

    Args:
        places: photographs without people, uint8 [H, W, 3] RGB, shown around some faces; may be empty.
        bare_share: share of faces without a mask, 0..1.
    """

    def __init__(self, places: Sequence[NDArray[np.uint8]], bare_share: float) -> None:
        self._places, self._bare_share = places, bare_share

    def __call__(self, faces: FaceSet, index: int, rng: np.random.Generator) -> DrawnView:
        """Draw a face; its "hole" are the visible mask pixels, none of a bare face.

        Returns:
            The view at half the resolution of `faces`.
        """
        view = view_of(faces, index)
        rotated = bool(faces.margin_px and rng.random() < _ROTATED_SHARE)
        if rotated:
            view = rotated_view(view, rng, _PROFILES)
        masked = rng.random() >= self._bare_share
        crop, alpha = dressed(view, faces.crops, rng, masked=masked)
        crop = _cut_off(self._surrounded(crop, view.valid, rng), rng)
        if rng.random() < _DARK_SHARE:
            crop = _darkened(crop, rng)
        flags = np.stack([view.valid, alpha], -1).astype(np.uint8) * 255
        flags = _halved(flags) > 127
        to_canonical = compose(view.to_canonical, _FROM_HALF)
        return DrawnView(_halved(crop), flags[..., 0], flags[..., 1], to_canonical, rotated)

    def _surrounded(
        self, crop: NDArray[np.uint8], valid: NDArray[np.bool_], rng: np.random.Generator
    ) -> NDArray[np.uint8]:
        """Show another place where a face's photograph does not go on."""
        if valid.all() or not self._places or rng.random() >= _SURROUNDED_SHARE:
            return crop
        place = self._places[int(rng.integers(len(self._places)))]
        matrix = random_part(place.shape, len(crop), 0.0, rng)
        around = warp_part(place, matrix, len(crop))
        weight = valid.astype(np.float32)
        if rng.random() < _SOFT_SHARE:
            weight = cv2.GaussianBlur(weight, (0, 0), _SOFT_PX)
        return (around + weight[..., None] * (crop.astype(np.float32) - around)).astype(np.uint8)


def _darkened(crop: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Show a face in little light with a colour cast."""
    gains = rng.uniform(*_BRIGHTNESS) * np.exp(rng.normal(0, _CAST, 3))
    return np.clip(crop * gains, 0, 255).astype(np.uint8)


def _cut_off(crop: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Cut some crops off at the edges of a picture, which are repeated outside."""
    size = len(crop)
    rows, columns = visible_window(size, rng)
    around = [(at.start, size - at.stop) for at in (rows, columns)]
    return np.pad(crop[rows, columns], [*around, (0, 0)], mode="edge")


def _halved(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    half = len(picture) // 2
    return np.asarray(cv2.resize(picture, (half, half), interpolation=cv2.INTER_AREA), np.uint8)

"""Draws augmented training samples for the segmenter: masked faces, bare faces, backgrounds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.align.affine import compose
from realtime.align.canonical_crop import CROP_SIZE
from realtime.detect.face_geometry import scaled_and_shifted
from realtime.synthetic import Template
from trainer.augment.degradation import degrade
from trainer.augment.dressing import dressed
from trainer.augment.finish import (
    Jitter,
    random_affines,
    random_colours,
    random_frames,
    recolour,
)
from trainer.augment.lighting import change_light
from trainer.augment.overlays import add_overlay
from trainer.augment.place_parts import random_part, warp_part
from trainer.augment.views import (
    View,
    has_surroundings,
    random_crop_windows,
    rotated_view,
    view_of,
)
from trainer.data.face_set import FaceSet, margin_of

_SHAPE = (CROP_SIZE, CROP_SIZE)
# Shares: of backgrounds, of heads that are rotated, of profiles among these.
_BACKGROUND_SHARE, _ROTATED_SHARE, _PROFILES = 0.2, 0.35, 0.45
_GREY_SHARE = 0.12  # of the samples whose colours change freely
# Share of the samples that are as clean as good photographs, and the strength of their colour jitter.
_CLEAN_SHARE, _CLEAN_COLOUR = 0.5, 0.25

# Crop, mask pixels, pixels inside the photograph.
_Sample = tuple[NDArray[np.uint8], NDArray[np.bool_], NDArray[np.bool_]]


@dataclass(frozen=True)
class SegmenterBatch:
    """Samples for the segmenter.

    Attributes:
        crops: uint8 [N, 128, 128, 3], RGB, mask worn or bare.
        masks: bool [N, 128, 128], mask pixels.
        valid: bool [N, 128, 128], pixels inside the photograph; the others repeat its border.
    """

    crops: NDArray[np.uint8]
    masks: NDArray[np.bool_]
    valid: NDArray[np.bool_]


@dataclass(frozen=True)
class MaskSources:
    """Sources of the samples besides the faces.

    Attributes:
        templates: mask templates, worn beside procedural masks.
        backgrounds: photographs without any mask, uint8 [H, W, 3] RGB.
    """

    templates: Sequence[Template] = ()
    backgrounds: Sequence[NDArray[np.uint8]] = field(default=())


def draw_segmenter_batch(
    faces: FaceSet,
    indices: Sequence[int],
    rng: np.random.Generator,
    jitter: Jitter,
    sources: MaskSources | None = None,
    bare_share: float = 0.3,
) -> SegmenterBatch:
    """Draw an augmented batch: worn masks with their pixels, bare faces, and parts of backgrounds."""
    sources = sources or MaskSources()
    samples = []
    for index in indices:
        if sources.backgrounds and rng.random() < _BACKGROUND_SHARE:
            place = sources.backgrounds[int(rng.integers(len(sources.backgrounds)))]
            samples.append(_degraded(_background_sample(place, rng), jitter, rng))
            continue
        view = view_of(faces, index)
        if rng.random() < _ROTATED_SHARE:
            view = rotated_view(view, rng, _PROFILES)
        masked = rng.random() >= bare_share
        crop, alpha = dressed(view, faces.crops, rng, sources.templates, masked=masked)
        moved = _warped(crop, alpha, view, jitter, rng)
        samples.append(_degraded(moved, jitter, rng))
    return SegmenterBatch(*(np.stack(part) for part in zip(*samples, strict=True)))


def _warped(
    crop: NDArray[np.uint8],
    alpha: NDArray[np.bool_],
    view: View,
    jitter: Jitter,
    rng: np.random.Generator,
) -> _Sample:
    """Warp a sample to the canonical crop with jitter; cut some off at the edge of a picture."""
    flags = np.stack([alpha, view.valid], -1).astype(np.uint8) * 255
    surrounded = np.array([has_surroundings(view.valid)])
    matrix = random_affines(jitter, rng, np.ones(1))[0]
    matrix = compose(random_crop_windows(surrounded, rng)[0], matrix)
    matrix = compose(matrix, view.to_canonical)
    rows, columns = visible_window(len(crop), rng)
    matrix = compose(matrix, scaled_and_shifted(1.0, columns.start, rows.start))
    warp = {"dsize": _SHAPE, "flags": cv2.INTER_LINEAR}
    moved = cv2.warpAffine(crop[rows, columns], matrix, **warp, borderMode=cv2.BORDER_REPLICATE)
    flags = (
        cv2.warpAffine(flags[rows, columns], matrix, **warp, borderMode=cv2.BORDER_CONSTANT) > 127
    )
    inside = flags[:, :, 1]
    return np.asarray(moved, np.uint8), flags[:, :, 0] & inside, inside


def visible_window(size: int, rng: np.random.Generator) -> tuple[slice, slice]:
    """Rows and columns of a crop with a margin that the edges of a picture leave."""
    margin = margin_of(size)
    x0, y0, x1, y1 = (int(at) for at in random_frames(rng, 1)[0])
    first = [at + margin if at else 0 for at in (y0, x0)]
    last = [at + margin if at < CROP_SIZE else size for at in (y1, x1)]
    return slice(first[0], last[0]), slice(first[1], last[1])


def _background_sample(place: NDArray[np.uint8], rng: np.random.Generator) -> _Sample:
    """Cut a part out of a photograph at a random place, size and angle."""
    matrix = random_part(place.shape, CROP_SIZE, rng.normal(0, 0.35), rng)
    crop = warp_part(place, matrix, CROP_SIZE)
    inside = cv2.warpAffine(np.full(place.shape[:2], 255, np.uint8), matrix, _SHAPE) > 127
    return crop, np.zeros(_SHAPE, dtype=bool), np.asarray(inside)


def _degraded(sample: _Sample, jitter: Jitter, rng: np.random.Generator) -> _Sample:
    """Change the colours and the light of a sample, and degrade it, or leave it nearly as it is."""
    crop, alpha, valid = sample
    if rng.random() < _CLEAN_SHARE:
        return recolour(crop, random_colours(_CLEAN_COLOUR, rng, 1)[0]), alpha, valid
    crop = recolour(crop, random_colours(jitter.colour, rng, 1, _GREY_SHARE)[0])
    return degrade(add_overlay(change_light(crop, rng), rng), rng), alpha, valid

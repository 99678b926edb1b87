"""Decides whether a face wears a mask: enough pixels, sure of them on average, and in their place."""

from __future__ import annotations

from enum import Enum, auto
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from realtime.align.face_regions import NOSE_AND_MOUTH

_SURE = 0.5  # probability from which a pixel is sure to be mask
_VAGUE = 0.1, 0.9  # probabilities between which the segmenter does not say what a pixel is


class FaceEvidence(Enum):
    """What besides the mask speaks for a face.

    Attributes:
        CONFIRMED: the strict landmark model takes it for a face.
        FOUND: a detection alone.
        DOUBTFUL: it is small and not confirmed, or far behind another face, which may hide half of it.
    """

    CONFIRMED = auto()
    FOUND = auto()
    DOUBTFUL = auto()


class _MaskFigures(NamedTuple):
    """What is measured of a mask, and what it must reach.

    Attributes:
        coverage: share of the visible crop that is surely mask.
        confidence: mean probability of the sure pixels.
        in_place: share of nose and mouth that is surely mask.
        clearness: sure pixels for each vague one.
    """

    coverage: float
    confidence: float
    in_place: float
    clearness: float


# Chosen by `python -m benchmarks photos`, `bare` and `empty`. A mask that is marked with less confidence is
# marked in part: filling it would leave the rest of it.
_TO_BEGIN = {
    FaceEvidence.CONFIRMED: _MaskFigures(0.05, 0.75, 0.2, 0.5),
    FaceEvidence.FOUND: _MaskFigures(0.05, 0.91, 0.2, 2.0),
    FaceEvidence.DOUBTFUL: _MaskFigures(0.05, 0.93, 0.2, 4.0),
}
# Chosen by `python -m benchmarks stability`: hysteresis, so that a mask does not blink.
_TO_GO_ON = _MaskFigures(0.035, 0.65, 0.0, 0.0)


def is_worn(
    mask: NDArray[np.bool_],
    probability: NDArray[np.float32],
    valid: NDArray[np.bool_],
    *,
    before: bool = False,
    evidence: FaceEvidence = FaceEvidence.CONFIRMED,
) -> bool:
    """Decide whether a crop shows a worn mask.

    Beards, collars and things that are no face are marked with less confidence and vaguer outlines than
    masks are, and beards and collars lie lower. People in the background are half hidden by those in
    front of them, which is easily taken for a mask; so are textures in which the detector sees a small
    face.

    Args:
        mask: bool [128, 128], from `mask_pixels`.
        probability: float32 [128, 128].
        valid: bool [128, 128], which crop pixels lie inside the picture; only they count.
        before: the face wore a mask in the last frame; then weaker figures will do (hysteresis).
        evidence: what else speaks for a face; the less there is, the stronger the mask must be.
    """
    sure = mask & valid & (probability > _SURE)
    if not sure.any():
        return False
    place = valid[NOSE_AND_MOUTH]
    vague = valid & (probability > _VAGUE[0]) & (probability < _VAGUE[1])
    found = _MaskFigures(
        float(sure.sum() / valid.sum()),
        float(probability[sure].mean()),
        float(sure[NOSE_AND_MOUTH].sum() / max(place.sum(), 1)),
        float(sure.sum() / max(vague.sum(), 1)),
    )
    least = _TO_GO_ON if before else _TO_BEGIN[evidence]
    return all(value >= wanted for value, wanted in zip(found, least, strict=True))

"""Decides whether a face wears a mask: enough pixels, sure of them on average, and in their place."""

from __future__ import annotations

from enum import Enum, auto
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

# Where a worn mask lies in the canonical crop, whatever its kind: from the nose to the chin's upper half.
_NOSE_AND_MOUTH = slice(74, 98), slice(46, 82)


class FaceEvidence(Enum):
    """What besides the mask speaks for a face.

    Attributes:
        CONFIRMED: the landmark model, strict, takes it for one.
        FOUND: nothing but that it was found.
        DOUBTFUL: it is small and not confirmed, or far behind another one, which may hide half of it.
    """

    CONFIRMED = auto()
    FOUND = auto()
    DOUBTFUL = auto()


class _Least(NamedTuple):
    """What a mask must reach: share of the visible crop, mean probability, share of nose and mouth.

    And how clear it must be: how many sure pixels there are for one of which it is not said what it is.
    """

    coverage: float
    confidence: float
    in_place: float
    clearness: float


# What is marked with less confidence is marked in part: filling it would leave the rest of the mask.
_BEGIN_ACTING = {
    FaceEvidence.CONFIRMED: _Least(0.05, 0.75, 0.2, 0.5),
    FaceEvidence.FOUND: _Least(0.05, 0.91, 0.2, 2.0),
    FaceEvidence.DOUBTFUL: _Least(0.05, 0.93, 0.2, 4.0),
}
_KEEP_ACTING = _Least(0.035, 0.65, 0.0, 0.0)
_VAGUE = 0.1, 0.9


def is_worn(
    mask: NDArray[np.bool_],
    probability: NDArray[np.float32],
    valid: NDArray[np.bool_],
    *,
    before: bool = False,
    trust: FaceEvidence = FaceEvidence.CONFIRMED,
) -> bool:
    """Decide whether the face wears a mask: enough pixels, sure of them on average, and in their place.

    Beards, collars and things that are no face are marked with less confidence and vaguer outlines than
    masks are, and beards and collars lie lower. People in the background are half hidden by those before
    them, which is easily taken for a mask; so are textures in which the detector sees a small face.

    Args:
        mask: bool [128, 128], from `mask_pixels`.
        probability: float32 [128, 128].
        valid: bool [128, 128], what of the crop lies inside the picture; only that counts.
        before: the face wore one in the last frame; then less will do, so that nothing blinks.
        trust: what else speaks for a face; the less, the more it takes.
    """
    sure = mask & valid & (probability > 0.5)
    if not sure.any():
        return False
    place = valid[_NOSE_AND_MOUTH]
    vague = valid & (probability > _VAGUE[0]) & (probability < _VAGUE[1])
    found = _Least(
        float(sure.sum() / valid.sum()),
        float(probability[sure].mean()),
        float(sure[_NOSE_AND_MOUTH].sum() / max(place.sum(), 1)),
        float(sure.sum() / max(vague.sum(), 1)),
    )
    least = _KEEP_ACTING if before else _BEGIN_ACTING[trust]
    return all(value >= wanted for value, wanted in zip(found, least, strict=True))

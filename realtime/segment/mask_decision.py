"""Decides whether a face wears a mask: enough mask pixels, of high probability, on nose and mouth."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum, auto

import numpy as np
from numpy.typing import NDArray

from realtime.align.face_regions import NOSE_AND_MOUTH
from realtime.frames import TrackedFace
from realtime.settings import SEGMENT, MaskMeasures


class FaceEvidence(Enum):
    """What besides the mask says that a detection is a face.

    Attributes:
        CONFIRMED: the landmark model confirms it.
        DETECTED: only the detector found it.
        MASKED: the landmark model finds it, and the aligner is sure of it and of its mask. Then vague
            pixels may be mask.
        DOUBTFUL: it is small and not confirmed, or far behind another face, which may hide half of it, or
            much larger than the faces that are confirmed.
    """

    CONFIRMED = auto()
    DETECTED = auto()
    MASKED = auto()
    DOUBTFUL = auto()


_TO_BEGIN = {
    FaceEvidence.CONFIRMED: SEGMENT.begin_confirmed,
    FaceEvidence.DETECTED: SEGMENT.begin_detected,
    FaceEvidence.MASKED: SEGMENT.begin_vague,
    FaceEvidence.DOUBTFUL: SEGMENT.begin_doubtful,
}


def largest_plausible(faces: Iterable[TrackedFace]) -> float:
    """Return the size of a frame's largest face, pixels; of no face 0.

    One that is not confirmed and much larger than those that are does not count: it is hardly a face.
    """
    every = [face.face for face in faces]
    confirmed = max((face.size for face in every if face.confirmed), default=np.inf)
    most = SEGMENT.most_larger * confirmed
    return max((face.size for face in every if face.size <= most), default=0.0)


def evidence_for(
    face: TrackedFace, largest_px: float, frame_bgr: NDArray[np.uint8]
) -> FaceEvidence:
    """Say what besides the mask says that a detection is a face.

    Args:
        face: the detection.
        largest_px: from `largest_plausible`.
        frame_bgr: uint8 [H, W, 3].
    """
    size, confirmed = face.face.size, face.face.confirmed
    plausible = SEGMENT.behind_share * largest_px <= size <= largest_px
    small = size < SEGMENT.small_share * min(frame_bgr.shape[:2])
    if not plausible or (small and not confirmed):
        return FaceEvidence.DOUBTFUL
    return FaceEvidence.CONFIRMED if confirmed else FaceEvidence.DETECTED


def is_worn(
    mask: NDArray[np.bool_],
    probability: NDArray[np.float32],
    valid: NDArray[np.bool_],
    *,
    before: bool = False,
    evidence: FaceEvidence = FaceEvidence.CONFIRMED,
) -> bool:
    """Decide whether a crop shows a worn mask.

    The segmenter gives beards, collars and things that are no face lower probabilities and vaguer outlines
    than masks, and beards and collars lie lower. A person in front who half hides a person behind is easily
    taken for a mask, and so are textures in which the detector finds a small face.

    Args:
        mask: bool [128, 128], from `mask_pixels`.
        probability: float32 [128, 128].
        valid: bool [128, 128], which crop pixels lie inside the picture; only they count.
        before: the face wore a mask in the last frame; then lower values suffice (hysteresis).
        evidence: what else says that it is a face; the less there is, the higher the values must be.
    """
    sure = mask & valid & (probability > SEGMENT.sure_probability)
    if not sure.any():
        return False
    nose_mouth_px = valid[NOSE_AND_MOUTH].sum()
    low, high = SEGMENT.vague_probability
    vague = valid & (probability > low) & (probability < high)
    measured = MaskMeasures(
        float(sure.sum() / valid.sum()),
        float(probability[sure].mean()),
        float(sure[NOSE_AND_MOUTH].sum() / max(nose_mouth_px, 1)),
        float(sure.sum() / max(vague.sum(), 1)),
    )
    return measured.reaches(SEGMENT.go_on if before else _TO_BEGIN[evidence])

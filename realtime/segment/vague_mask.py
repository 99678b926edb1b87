"""A mask that is vague to the segmenter: its pixels count where the other networks are sure of it.

Unusual cloth, such as a large check, camouflage or a perforated respirator, gets low probabilities, and
still in its place.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from realtime.frames import Face
from realtime.segment.mask_cleaning import mask_pixels
from realtime.segment.mask_decision import FaceEvidence, is_worn
from realtime.settings import DETECT, SEGMENT


def find_mask(
    probability: NDArray[np.float32],
    crop_rgb: NDArray[np.uint8],
    valid: NDArray[np.bool_],
    face: Face,
    evidence: FaceEvidence,
) -> tuple[NDArray[np.bool_], NDArray[np.float32]]:
    """Find the mask's pixels in a crop, also those of a mask that is only vague.

    Vague pixels are mask where no worn mask is seen otherwise, the aligner is sure of the face and of its
    mask, the landmark model finds the face, and they lie like a mask.

    Args:
        probability: float32 [128, 128], of being mask, 0..1.
        crop_rgb: uint8 [128, 128, 3].
        valid: bool [128, 128], which crop pixels lie inside the picture.
        face: the face.
        evidence: what besides the mask says that it is one.

    Returns:
        The mask, bool [128, 128], and the probabilities, float32 [128, 128]: as given, or with vague pixels
        raised to where they are sure.
    """
    mask = mask_pixels(probability, crop_rgb)
    is_sure = (
        face.landmarks is not None
        and face.score >= DETECT.sure_face
        and face.mask_score >= DETECT.sure_mask
    )
    if not is_sure or is_worn(mask, probability, valid, evidence=evidence):
        return mask, probability
    low, high = SEGMENT.vague_probability
    raised = np.where(probability > low, np.maximum(probability, np.float32(high)), probability)
    vague = mask_pixels(raised, crop_rgb)
    worn = is_worn(vague, raised, valid, evidence=FaceEvidence.MASKED)
    return (vague, raised) if worn else (mask, probability)

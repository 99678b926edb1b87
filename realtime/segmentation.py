"""Marks the mask's pixels in a canonical crop: our network, run by MediaPipe Image Segmenter."""

from __future__ import annotations

from enum import Enum, auto
from pathlib import Path
from typing import NamedTuple, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from inpaint_model.errors import UserError
from realtime.alignment import CROP_SIZE
from realtime.regions import body_of, hanging_on
from realtime.rim import with_rim

HOLE_MARGIN_PX = 3
_WEIGHTS = Path(__file__).parent.parent / "inpaint_model" / "weights" / "segmenter.tflite"
_MASK_LABEL = 1
_LARGEST_PINHOLE_PX, _LARGEST_GAP_PX = 60, 450  # inside all of a mask, and inside its body
# Where a worn mask lies in the canonical crop, whatever its kind: from the nose to the chin's upper half.
_NOSE_AND_MOUTH = slice(74, 98), slice(46, 82)


class Trust(Enum):
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
    Trust.CONFIRMED: _Least(0.05, 0.75, 0.2, 0.5),
    Trust.FOUND: _Least(0.05, 0.91, 0.2, 2.0),
    Trust.DOUBTFUL: _Least(0.05, 0.93, 0.2, 4.0),
}
_KEEP_ACTING = _Least(0.035, 0.65, 0.0, 0.0)
_VAGUE = 0.1, 0.9
_FAINT, _SMALLEST_MASK, _SMALLEST_PART = 0.2, 0.01, 0.001
_LINE, _LINE_LEVELS = 0.02, 35
_GAP_PX = np.ones((3, 3), np.uint8)  # parts so much apart, twice, hang together
_ROUND_PX = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))


class MaskSegmenter:
    """Finds the pixels of a worn mask.

    Args:
        path: the `.tflite` with metadata; the project's own by default.

    Raises:
        UserError: the model file is missing or MediaPipe refuses it.
    """

    def __init__(self, path: Path = _WEIGHTS) -> None:
        from mediapipe.tasks.python import BaseOptions, vision

        if not path.is_file():
            raise UserError(f"{path}: the mask segmenter's weights are missing; reinstall")
        try:
            self._segmenter = vision.ImageSegmenter.create_from_options(
                vision.ImageSegmenterOptions(
                    base_options=BaseOptions(model_asset_buffer=path.read_bytes()),
                    output_confidence_masks=True,
                    output_category_mask=False,
                )
            )
        except (RuntimeError, ValueError) as error:
            raise UserError(f"{path}: not a segmenter MediaPipe can run ({error})") from None

    def __call__(self, crop_rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return each pixel's probability of being mask.

        Args:
            crop_rgb: uint8 [128, 128, 3], RGB, contiguous.

        Returns:
            float32 [128, 128], 0..1.
        """
        import mediapipe as mp

        picture = mp.Image(image_format=mp.ImageFormat.SRGB, data=crop_rgb)
        masks = self._segmenter.segment(picture).confidence_masks
        view = masks[_MASK_LABEL].numpy_view()
        return np.array(view, dtype=np.float32).reshape(CROP_SIZE, CROP_SIZE)

    def close(self) -> None:
        """Free the MediaPipe graph."""
        self._segmenter.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def mask_pixels(
    probability: NDArray[np.float32], crop_rgb: NDArray[np.uint8] | None = None
) -> NDArray[np.bool_]:
    """Decide on the mask's pixels: sure ones and what hangs on to them, no specks, no pinholes.

    Thin ear loops are marked faintly, so a pixel counts from `_FAINT` on where it hangs on to sure ones,
    and away from the mask's body, on a line that the crop itself shows, from `_LINE` on. Small parts stay
    only beside a mask. What has the mask's colour beside it is taken in (`realtime.rim`).

    Args:
        probability: float32 [128, 128].
        crop_rgb: uint8 [128, 128, 3], what was looked at.

    Returns:
        bool [128, 128].
    """
    sure, faint = probability > 0.5, probability > _FAINT
    if np.count_nonzero(sure) < _SMALLEST_MASK * sure.size:
        return np.zeros(sure.shape, dtype=bool)
    least_px = _SMALLEST_PART * sure.size
    bridged = cv2.dilate(faint.view(np.uint8), _GAP_PX) > 0
    mask = hanging_on(sure, bridged, least_px) & faint
    if crop_rgb is not None:
        away = cv2.dilate(body_of(faint), _ROUND_PX) == 0
        lines = away & (probability > _LINE) & _lines(crop_rgb)
        mask |= hanging_on(sure, faint | lines, least_px)
    mask |= _gaps_in(mask, _LARGEST_PINHOLE_PX)
    # A valve, a print; not a cheek inside a loop, nor what is left beside a mask in the crop's corner.
    mask |= _gaps_in(np.pad(body_of(mask) > 0, 1), _LARGEST_GAP_PX)[1:-1, 1:-1]
    return mask if crop_rgb is None else with_rim(mask, crop_rgb)


def _gaps_in(mask: NDArray[np.bool_], largest_px: int) -> NDArray[np.bool_]:
    """Mark what a mask encloses, bool [128, 128], where it is not larger than that."""
    _, gaps, stats, _ = cv2.connectedComponentsWithStats((~mask).view(np.uint8), connectivity=4)
    small = stats[:, cv2.CC_STAT_AREA] <= largest_px
    small[0] = False
    return small[gaps]


def _lines(crop_rgb: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Mark thin lines that are much brighter or darker than what is beside them, bool [128, 128]."""
    grey = cv2.cvtColor(crop_rgb, cv2.COLOR_RGB2GRAY)
    bright, dark = (
        cv2.morphologyEx(grey, way, _ROUND_PX) for way in (cv2.MORPH_TOPHAT, cv2.MORPH_BLACKHAT)
    )
    return np.asarray(cv2.max(bright, dark) > _LINE_LEVELS)


def is_worn(
    mask: NDArray[np.bool_],
    probability: NDArray[np.float32],
    valid: NDArray[np.bool_],
    *,
    before: bool = False,
    trust: Trust = Trust.CONFIRMED,
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


def hole_of(mask: NDArray[np.bool_], margin_px: int = HOLE_MARGIN_PX) -> NDArray[np.bool_]:
    """Widen the mask by its rim and contact shadow; bool [128, 128] to the same."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * margin_px + 1,) * 2)
    return cv2.dilate(mask.astype(np.uint8), kernel) > 0

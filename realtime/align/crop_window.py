"""Says how a crop must be moved and widened to hold the whole mask, and shows pictures in such crops."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.align.canonical_crop import CROP_SIZE, EYE_LINE_Y

# From so many pixels at its edge on a crop cuts a mask off; the canonical one also an ear loop, which is no
# reason to widen another one further.
_LEAST_TOUCH_PX, _LEAST_LOOP_PX = 6, 2
_SIDE_PX = 3  # marks are less sure beside the edge
_STEP, _NARROWEST = 0.8, 0.6
_SIDE_SHIFT_PX = 10.0
# A crop that holds a mask is moved and narrowed about it, as far as training moves faces.
MOST_ASIDE_PX, MOST_UP_PX = 14.0, 16.0
_FIT_ROOM_PX = 5.0
_FINER, _LEAST_GAIN = 0.03, 1.06

# Where a worn mask's middle lies in the canonical crop. A crop by points that lay beside the face is moved
# there, if it is off by more than a little and by no more than a face's width.
_USUAL_MIDDLE, _MOVED_PX, _LEAST_MASK_PX = np.array([63.5, 80.0]), (8.0, 48.0), 300

_EYES = np.array([(CROP_SIZE - 1) / 2, EYE_LINE_Y])
CANONICAL = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])


def touched_sides(
    mask: NDArray[np.bool_], valid: NDArray[np.bool_], *, loops: bool = False
) -> tuple[bool, bool, bool]:
    """Say at which sides of the crop the mask goes on outside it, though the picture does too.

    Args:
        mask: bool [128, 128], mask pixels.
        valid: bool [128, 128], what of the crop lies inside the picture.
        loops: an ear loop that goes on at a side counts too.

    Returns:
        Left, right and lower side.
    """
    seen = mask & valid
    strip, least = (_SIDE_PX, _LEAST_LOOP_PX) if loops else (1, _LEAST_TOUCH_PX)
    left, right = (
        int(np.count_nonzero(side.any(1))) >= least for side in (seen[:, :strip], seen[:, -strip:])
    )
    return left, right, int(np.count_nonzero(seen[-1])) >= _LEAST_TOUCH_PX


def widened(
    framing: NDArray[np.float64], touched: tuple[bool, bool, bool]
) -> NDArray[np.float64] | None:
    """Show more round the face: smaller about the eyes, moved away from a touched side.

    Args:
        framing: float64 [2, 3], canonical crop pixels to the pixels of the present crop.
        touched: what `touched_sides` said.

    Returns:
        The next framing, or None where the crop is as wide as the generator can use.
    """
    scale = framing[0, 0] * _STEP
    if not any(touched) or scale < _NARROWEST:
        return None
    left, right, _ = touched
    shift = _SIDE_SHIFT_PX * (int(left) - int(right))
    moved = framing[:, :2] @ _EYES + framing[:, 2] - _EYES
    return shown_at(scale, moved + np.array([shift, 0.0]))


def shown_at(scale: float, shift: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what takes canonical crop pixels to those of a crop that shows the face smaller.

    Args:
        scale: 1 is the canonical crop's; smaller about the eyes.
        shift: float64 [2], x and y, pixels by which the eyes move.

    Returns:
        float64 [2, 3].
    """
    return np.column_stack([np.eye(2) * scale, (1 - scale) * _EYES + shift])


def fitted(
    mask: NDArray[np.bool_], valid: NDArray[np.bool_], framing: NDArray[np.float64]
) -> NDArray[np.float64] | None:
    """Find the framing that shows a face largest and still holds its mask.

    Args:
        mask: bool [128, 128], the whole mask, in the present crop.
        valid: bool [128, 128], what of the crop lies inside the picture; only that counts.
        framing: float64 [2, 3], canonical crop pixels to the pixels of the present crop.

    Returns:
        float64 [2, 3], or None where there is none that shows it notably larger.
    """
    ys, xs = np.nonzero(mask & valid)
    if not len(xs):
        return None
    scale_now, last = framing[0, 0], CROP_SIZE - 1 - _FIT_ROOM_PX
    # Offsets from the middle between the eyes, in canonical crop pixels.
    left, right = (np.array([xs.min(), xs.max()]) - framing[0, 2]) / scale_now - _EYES[0]
    below = (ys.max() - framing[1, 2]) / scale_now - _EYES[1]
    for scale in np.arange(1.0, scale_now * _LEAST_GAIN, -_FINER):
        low = max(_FIT_ROOM_PX - _EYES[0] - scale * left, -MOST_ASIDE_PX)
        high = min(last - _EYES[0] - scale * right, MOST_ASIDE_PX)
        up = max(_EYES[1] + scale * below - last, 0.0)
        if low <= high and up <= MOST_UP_PX:
            return shown_at(float(scale), np.array([np.clip(0.0, low, high), -up]))
    return None


def moved_to_place(
    mask: NDArray[np.bool_], valid: NDArray[np.bool_], framing: NDArray[np.float64]
) -> NDArray[np.float64] | None:
    """Find the move that brings a mask to where masks lie in the canonical crop.

    Args:
        mask: bool [128, 128], what may be a mask, in the present crop.
        valid: bool [128, 128], what of the crop lies inside the picture; only that counts.
        framing: float64 [2, 3], canonical crop pixels to the pixels of the present crop.

    Returns:
        float64 [2, 3], canonical crop pixels to those of the moved crop, or None where it is in its
        place, too far from it for the crop to be a face's, or hardly there.
    """
    ys, xs = np.nonzero(mask & valid)
    if len(xs) < _LEAST_MASK_PX * framing[0, 0] ** 2:
        return None
    middle = (np.array([xs.mean(), ys.mean()]) - framing[:, 2]) / framing[0, 0]
    move = _USUAL_MIDDLE - middle
    least, most = _MOVED_PX
    return shown_at(1.0, move) if least < np.hypot(*move) < most else None


def in_crop(place: NDArray, framing: NDArray[np.float64]) -> NDArray:
    """Show a part of the canonical crop as a crop of another framing does.

    Args:
        place: bool or float32 [128, 128]; 0 is taken outside.
        framing: float64 [2, 3], canonical crop pixels to that crop's.

    Returns:
        The same type, [128, 128].
    """
    if framing is CANONICAL:
        return place
    way = cv2.INTER_NEAREST if place.dtype == bool else cv2.INTER_LINEAR
    values = place.view(np.uint8) if place.dtype == bool else place
    return cv2.warpAffine(values, framing, (CROP_SIZE, CROP_SIZE), flags=way).astype(place.dtype)


def to_canonical(
    filled_rgb: NDArray[np.uint8],
    hole: NDArray[np.bool_],
    canonical_rgb: NDArray[np.uint8],
    framing: NDArray[np.float64],
) -> NDArray[np.uint8]:
    """Bring a fill made in a wider crop back into the canonical one.

    Args:
        filled_rgb: uint8 [128, 128, 3], the wider crop, filled.
        hole: bool [128, 128], what was filled there.
        canonical_rgb: uint8 [128, 128, 3], the canonical crop with the mask.
        framing: float64 [2, 3], canonical crop pixels to the wider crop's.

    Returns:
        uint8 [128, 128, 3]; equal to `canonical_rgb` outside the hole.
    """
    size = (CROP_SIZE, CROP_SIZE)
    flags = cv2.WARP_INVERSE_MAP
    fill = cv2.warpAffine(
        filled_rgb, framing, size, flags=flags | cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    inside = cv2.warpAffine(hole.astype(np.uint8), framing, size, flags=flags | cv2.INTER_NEAREST)
    return np.where(inside[..., None] > 0, fill, canonical_rgb).astype(np.uint8, copy=False)

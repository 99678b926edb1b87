"""What lies beside a mask in its own colour belongs to it; skin, eyes and shade do not."""

from __future__ import annotations

import cv2
import numpy as np

from realtime.align.affine import apply
from realtime.align.warp_crop import warp_crop
from realtime.frames import Face
from realtime.segment.mask_growing import grow_mask
from realtime.synthetic import preset_style, render_mask

SKIN, CLOTH = (190, 150, 130), (180, 30, 50)


def picture() -> np.ndarray:
    """Skin with a mask of another colour, and a little noise."""
    image = np.full((128, 128, 3), SKIN, np.uint8)
    image[70:110, 30:96] = CLOTH
    noise = np.random.default_rng(0).normal(0, 3, image.shape)
    return np.clip(image + noise, 0, 255).astype(np.uint8)


def found(top: int) -> np.ndarray:
    mask = np.zeros((128, 128), bool)
    mask[top:110, 30:96] = True
    return mask


def test_grow_mask_missed_edge_is_added():
    mask = grow_mask(found(74), picture())
    assert mask[71:74, 34:92].all()
    assert not mask[:69].any() and not mask[112:].any()


def test_grow_mask_complete_mask_stays():
    mask = found(70)
    assert np.count_nonzero(grow_mask(mask, picture()) & ~mask) < 10


def test_grow_mask_skin_coloured_mask_stays():
    image = np.full((128, 128, 3), SKIN, np.uint8)
    assert np.array_equal(grow_mask(found(74), image), found(74))


def test_grow_mask_shade_and_unconnected_pixels_stay_out():
    image, mask = picture(), found(70)
    image[64:70, 30:96] = (150, 112, 95)
    cv2.rectangle(image, (40, 62), (50, 66), CLOTH, -1)  # four pixels above the mask
    assert np.count_nonzero(grow_mask(mask, image)[:69]) == 0


def test_grow_mask_empty_mask_stays():
    empty = np.zeros((128, 128), bool)
    assert not grow_mask(empty, picture()).any()


def test_grow_mask_edges_of_worn_masks_are_regained(astronaut_rgb, astronaut_face: Face):
    """Of masks that were found two pixels too small on each side."""
    assert astronaut_face.landmarks is not None
    crop, _ = warp_crop(astronaut_rgb, astronaut_face.matrix)
    landmarks = apply(astronaut_face.matrix, astronaut_face.landmarks)
    missed = regained = too_many = 0
    for kind in ("surgical", "cloth", "n95", "kn95"):
        worn = render_mask(crop, landmarks, preset_style(kind))
        true = worn.alpha > 0.5
        small = cv2.erode(true.view(np.uint8), np.ones((5, 5), np.uint8)) > 0
        added = grow_mask(small, worn.image_rgb) & ~small
        missed += np.count_nonzero(true & ~small)
        regained += np.count_nonzero(added & true)
        too_many += np.count_nonzero(added & ~true)
    assert regained > 0.65 * missed and too_many < 0.03 * missed

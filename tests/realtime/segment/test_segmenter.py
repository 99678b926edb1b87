"""Marking the mask: the shipped segmenter on a worn mask, and the decision on its pixels."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from realtime.align.affine import apply
from realtime.align.warp_crop import warp_crop
from realtime.frames import Face
from realtime.segment.mask_cleaning import hole_from_mask, mask_pixels, spare_eyes
from realtime.segment.mask_decision import FaceEvidence, is_worn
from realtime.segment.segmenter import MaskSegmenter
from realtime.synthetic import preset_style, render_mask
from trainer.evaluate.measures import iou


@pytest.mark.parametrize("kind", ["surgical", "cloth", "n95", "kn95"])
def test_segmenter_shipped_finds_a_worn_mask(astronaut_rgb, astronaut_face: Face, kind):
    crop, _ = warp_crop(astronaut_rgb, astronaut_face.matrix)
    assert astronaut_face.landmarks is not None
    landmarks = apply(astronaut_face.matrix, astronaut_face.landmarks)
    worn = render_mask(crop, landmarks, preset_style(kind))
    with MaskSegmenter() as segmenter:
        probability = segmenter(np.ascontiguousarray(worn.image_rgb))
        in_the_sun = segmenter(cv2.convertScaleAbs(worn.image_rgb, alpha=1.4))
        bare = segmenter(crop)
    assert 0 <= probability.min() <= probability.max() <= 1
    for found in (probability, in_the_sun):
        assert iou((found > 0.5)[None], worn.alpha[None] > 0)[0] > 0.85
    assert (probability > 0.1).sum() < 1.15 * (probability > 0.9).sum()  # sure where the mask ends
    assert (bare > 0.5).mean() < 0.01


def test_segmenter_marks_the_same_on_a_mirror_image(astronaut_rgb, astronaut_face: Face):
    crop, _ = warp_crop(astronaut_rgb, astronaut_face.matrix)
    assert astronaut_face.landmarks is not None
    landmarks = apply(astronaut_face.matrix, astronaut_face.landmarks)
    worn = np.ascontiguousarray(render_mask(crop, landmarks, preset_style("cloth")).image_rgb)
    mirrored = np.ascontiguousarray(worn[:, ::-1])
    with MaskSegmenter() as segmenter:
        found = segmenter.in_both_poses(worn)
        assert np.allclose(segmenter.in_both_poses(mirrored)[:, ::-1], found, atol=1e-6)
        poses = segmenter(worn), segmenter(worn, mirrored=True)
        assert np.allclose(poses[1], segmenter(mirrored)[:, ::-1], atol=1e-6)
        assert np.allclose(found, np.mean(poses, axis=0), atol=1e-6)
        assert not np.allclose(poses[0], poses[1], atol=1e-2)


def test_mask_pixels_drops_specks_and_fills_pinholes():
    probability = np.zeros((128, 128), np.float32)
    probability[5:12, 5:12] = 0.9
    assert not mask_pixels(probability).any()
    probability[60:100, 30:90] = 0.9
    probability[75:80, 50:55] = 0.1
    probability[20:22, 20:22] = 0.9
    mask = mask_pixels(probability)
    assert mask[5:12, 5:12].all()
    assert mask[60:100, 30:90].all()
    assert not mask[20:22, 20:22].any()


def test_hole_from_mask_leaves_no_dot_of_the_mask_but_the_cheek_inside_a_loop():
    mask = np.zeros((128, 128), dtype=bool)
    mask[60:110, 30:100] = True
    mask[80:90, 50:60] = mask[65:85, 75:95] = False  # a print, and a cheek
    hole = hole_from_mask(mask, 3)
    assert hole[80:90, 50:60].all()
    assert not hole[70:80, 80:90].any()


def test_hole_from_mask_is_wider_by_the_margin():
    mask = np.zeros((128, 128), bool)
    mask[60:70, 60:70] = True
    hole = hole_from_mask(mask, 3)
    assert hole[57, 65] and hole[65, 72]
    assert not hole[56, 65] and not hole[65, 73]


def test_spare_eyes_keeps_eyes_beside_a_mask_but_not_a_mask_before_them():
    probability = np.zeros((128, 128), np.float32)
    probability[60:] = 0.95
    probability[57:60] = 0.3
    probability[40:60, 80:90] = 0.95
    eyes = np.zeros((128, 128), bool)
    eyes[48:58, 30:50] = eyes[48:58, 70:100] = True
    hole = np.zeros((128, 128), bool)
    hole[45:] = True
    left = spare_eyes(hole, eyes, probability)
    assert not left[47:58, 30:50].any() and left[58:].all()
    assert left[48:58, 78:92].all() and not left[48:58, 70:77].any()
    assert left[45:47].all() and not (left & ~hole).any()
    assert left[50, 52] and left[50, 28] and left[50, 60]


def _marked(rows: slice, confidence: float):
    """A mask of these rows, 60 px wide in the crop's middle, marked with this probability."""
    probability = np.zeros((128, 128), np.float32)
    probability[rows, 34:94] = confidence
    return probability > 0.5, probability


EVERYWHERE = np.ones((128, 128), bool)
ON_THE_MOUTH, ON_THE_COLLAR = slice(70, 105), slice(100, 125)


@pytest.mark.parametrize(
    ("rows", "confidence", "trust", "worn"),
    [
        (ON_THE_MOUTH, 0.95, FaceEvidence.CONFIRMED, True),
        (ON_THE_MOUTH, 0.80, FaceEvidence.CONFIRMED, True),
        (ON_THE_MOUTH, 0.65, FaceEvidence.CONFIRMED, False),
        (ON_THE_COLLAR, 0.95, FaceEvidence.CONFIRMED, False),  # a white beard, a collar
        (slice(97, 122), 0.95, FaceEvidence.CONFIRMED, False),  # that reaches the lower lip
        (ON_THE_MOUTH, 0.95, FaceEvidence.DETECTED, True),
        (ON_THE_MOUTH, 0.72, FaceEvidence.DETECTED, False),  # a wheel
        (ON_THE_MOUTH, 0.95, FaceEvidence.DOUBTFUL, True),
        (ON_THE_MOUTH, 0.90, FaceEvidence.DOUBTFUL, False),  # somebody's shoulder before a face
        (slice(85, 88), 0.95, FaceEvidence.CONFIRMED, False),  # too little
    ],
)
def test_is_worn_needs_sure_pixels_in_their_place(rows, confidence, trust, worn):
    assert is_worn(*_marked(rows, confidence), EVERYWHERE, evidence=trust) == worn


def test_mask_pixels_valve_is_filled_and_cheek_in_loop_is_not():
    probability = np.zeros((128, 128), np.float32)
    probability[60:110, 20:80] = 0.99
    probability[78:92, 44:58] = 0.0  # a dark valve
    probability[70:72, 80:110] = probability[96:98, 80:110] = 0.9
    probability[70:98, 108:110] = 0.9
    mask = mask_pixels(probability)
    assert mask[78:92, 44:58].all()
    assert mask[84, 109] and not mask[75:93, 84:104].any()


def test_mask_pixels_corner_beside_the_mask_stays_open():
    probability = np.zeros((128, 128), np.float32)
    probability[60:, 20:] = 0.99
    probability[110:, 110:] = 0.0  # 18 px square, no larger than a valve may be
    assert not mask_pixels(probability)[112:, 112:].any()


def test_is_worn_before_needs_less():
    mask, probability = _marked(slice(96, 112), 0.68)
    assert not is_worn(mask, probability, EVERYWHERE)
    assert is_worn(mask, probability, EVERYWHERE, before=True)


def test_is_worn_many_vague_pixels_is_false():
    """Discs and levers: a sure middle, and twice as much of which nothing can be said."""
    mask, probability = _marked(slice(70, 110), 0.97)
    clear = probability.copy()
    probability[probability == 0] = 0.2
    assert is_worn(mask, clear, EVERYWHERE)
    assert not is_worn(mask, probability, EVERYWHERE)
    assert is_worn(mask, probability, EVERYWHERE, before=True)


def test_is_worn_counts_only_pixels_in_the_picture():
    mask, probability = _marked(slice(74, 84), 0.95)
    upper = EVERYWHERE.copy()
    upper[84:] = False  # the picture ends at the mouth
    assert not is_worn(mask, probability, EVERYWHERE)
    assert is_worn(mask, probability, upper)
    assert not is_worn(mask & False, probability, upper)


def test_mask_pixels_faint_loop_on_a_visible_line_is_mask():
    probability = np.zeros((128, 128), np.float32)
    probability[70:110, 30:90] = 0.99
    probability[74:76, 90:94], probability[74:76, 94:120] = 0.4, 0.05
    crop = np.full((128, 128, 3), 120, np.uint8)
    without = mask_pixels(probability, crop)
    crop[74:76, 90:120] = 230
    with_loop = mask_pixels(probability, crop)
    assert not without[74:76, 98:118].any()
    assert with_loop[74:76, 98:118].all()
    assert np.array_equal(with_loop[80:], without[80:])


def test_mask_pixels_loop_two_pixels_off_is_connected():
    probability = np.zeros((128, 128), np.float32)
    probability[70:110, 40:90] = 0.99
    probability[80:90, 30:38] = 0.3
    probability[20:30, 30:38] = 0.3
    mask = mask_pixels(probability)
    assert mask[80:90, 30:38].all()
    assert not mask[80:90, 38:40].any()
    assert not mask[20:30, 30:38].any()

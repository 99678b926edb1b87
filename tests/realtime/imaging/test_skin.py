"""Where bare skin is found in a crop, and where nothing is claimed."""

from __future__ import annotations

import cv2
import numpy as np

from realtime.align import warp_crop
from realtime.align.face_regions import SKIN_SEEDS
from realtime.composite.grain_synthesis import bare_skin
from realtime.frames import Face
from realtime.imaging.mask_regions import eroded
from realtime.imaging.skin import has_tone, skin_tone, to_ycc


def skin_like(crop: np.ndarray, known: np.ndarray) -> np.ndarray | None:
    """Pixels of the tone of the places where skin is usual and the photograph is known."""
    tone = skin_tone(to_ycc(crop), [seeds & known for seeds in SKIN_SEEDS])
    return None if tone is None else has_tone(to_ycc(crop), tone)


def test_has_tone_marks_skin_not_hair_suit_or_background(astronaut_rgb, astronaut_face: Face):
    crop, valid = warp_crop.warp_crop(astronaut_rgb, astronaut_face.matrix)
    hole = np.zeros((128, 128), bool)
    hole[72:] = True
    like = skin_like(crop, valid & ~hole)
    assert like is not None
    skin = bare_skin(like, valid & ~hole)
    assert skin.sum() > 300
    assert not skin[hole].any()
    luma = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)
    assert luma[skin].min() > 90  # no hair, no pupils
    assert like[60:70, 50:76].mean() > 0.8  # the nose
    assert like[:14].mean() < 0.5  # hair


def test_skin_tone_fringe_over_the_forehead_is_no_skin():
    crop = np.full((128, 128, 3), (205, 160, 140), np.uint8)
    crop[:44] = (30, 24, 22)
    known = np.ones((128, 128), bool)
    known[70:] = False
    like = skin_like(crop, known)
    assert like is not None
    skin = bare_skin(like, known)
    assert skin[50:64, 50:76].all()
    assert not skin[:44].any()


def test_nothing_is_claimed_where_nothing_is_seen():
    crop = np.zeros((128, 128, 3), np.uint8)
    assert skin_like(crop, np.zeros((128, 128), bool)) is None


def test_shrinking_stops_at_the_crops_edge():
    where = np.zeros((20, 20), bool)
    where[:10] = True
    shrunk = eroded(where, 2)
    assert shrunk[:8].all()
    assert not shrunk[8:].any()

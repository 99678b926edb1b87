"""Crop windows: which sides cut a mask off, moving to a mask, and back to the canonical crop."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from realtime import Unmasker
from realtime.align.affine import apply, compose
from realtime.align.crop_window import CANONICAL, CropWindow, touched_sides
from realtime.frames import Face
from realtime.synthetic import preset_style, render_mask
from tests.realtime.making_faces import with_face

ALL = np.ones((128, 128), bool)


def mask_of(rows: slice, columns: slice) -> np.ndarray:
    mask = np.zeros((128, 128), bool)
    mask[rows, columns] = True
    return mask


def test_touched_sides_loops_if_asked_and_picture_edge_never():
    loop = mask_of(slice(60, 63), slice(90, 128))
    assert touched_sides(loop, ALL) == (False, False, False)
    assert touched_sides(loop, ALL, loops=True) == (False, True, False)
    below = mask_of(slice(70, 128), slice(30, 98))
    cut = ALL.copy()
    cut[110:] = False
    assert touched_sides(below, cut) == (False, False, False)
    assert touched_sides(below, ALL) == (False, False, True)


def test_a_mask_the_crop_cuts_off_is_replaced_whole(astronaut_rgb, astronaut_face: Face):
    """On turned heads the canonical crop can come out too close: the mask leaves it."""
    assert astronaut_face.landmarks is not None
    worn = render_mask(astronaut_rgb, astronaut_face.landmarks, preset_style("surgical"))
    frame = np.ascontiguousarray(worn.image_rgb[:, :, ::-1])
    with Unmasker(mode="image") as unmasker:
        tracked = unmasker.detect_and_track(frame)
        close = tracked.faces[0].matrix * 1.6
        close[:, 2] += np.array([63.5, 46.0]) * (1 - 1.6)
        segmented = unmasker.segment(with_face(tracked, matrix=close))
        result = unmasker.composite(unmasker.inpaint(segmented))
    inside = apply(close, np.argwhere(worn.alpha > 0)[:, ::-1].astype(float))
    assert (inside > 127).any(1).mean() > 0.05  # the crop does cut it off
    (face,) = result.faces
    assert face.inpainted
    assert (result.replaced > 0)[worn.alpha > 0].mean() > 0.9
    # The crops handed out are the ones asked for all the same.
    difference = np.abs(face.crop_before.astype(int) - face.crop_after).max(-1) > 0
    assert difference[-1].any()
    assert not difference[:40].any()


def _mask_round(x: int, y: int) -> np.ndarray:
    mask = np.zeros((128, 128), bool)
    mask[y - 14 : y + 14, x - 20 : x + 20] = True
    return mask


def test_moved_to_mask_beside_its_place_is_centred():
    move = CANONICAL.moved_to_mask(_mask_round(92, 96), ALL)
    assert move is not None
    assert apply(move.matrix, np.array([[91.5, 95.5]])) == pytest.approx(
        np.array([[63.5, 80.0]]), abs=1
    )
    wide = CropWindow(0.8, (4.0, 0.0))
    x, y = apply(wide.matrix, np.array([[92.0, 96.0]]))[0].round().astype(int)
    seen_smaller = wide.moved_to_mask(_mask_round(x, y), ALL)
    assert seen_smaller is not None
    assert np.abs(seen_smaller.matrix - move.matrix).max() < 2


def test_moved_to_mask_in_place_far_or_small_is_none():
    assert CANONICAL.moved_to_mask(_mask_round(66, 84), ALL) is None
    assert CANONICAL.moved_to_mask(_mask_round(106, 112), ALL) is None
    speck = _mask_round(92, 96) & (np.arange(128) < 80)
    assert CANONICAL.moved_to_mask(speck, ALL) is None
    assert CANONICAL.moved_to_mask(np.zeros((128, 128), bool), ALL) is None


def test_in_a_picture_a_crop_beside_the_face_is_moved_onto_it(astronaut_rgb, astronaut_face: Face):
    """The detector's points can lie beside a bowed head: then the mask says where the face is."""
    assert astronaut_face.landmarks is not None
    worn = render_mask(astronaut_rgb, astronaut_face.landmarks, preset_style("surgical"))
    frame = np.ascontiguousarray(worn.image_rgb[:, :, ::-1])
    shares = {}
    for landmarks in (None, astronaut_face.landmarks):
        with Unmasker(mode="image") as unmasker:
            tracked = unmasker.detect_and_track(frame)
            (found,) = tracked.faces
            beside = compose(CropWindow(1.0, (45.0, 0.0)).matrix, found.matrix)
            face = replace(found.face, landmarks=landmarks, confirmed=False)
            aside = with_face(tracked, face=face, matrix=beside, check_due=False)
            result = unmasker.composite(unmasker.inpaint(unmasker.segment(aside)))
        shares[landmarks is None] = (result.replaced > 0)[worn.alpha > 0].mean()
    assert shares[True] > 0.9
    assert shares[False] < 0.1  # where landmarks were found they are believed

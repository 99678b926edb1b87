"""Crop windows: which sides cut a mask off, moving to a mask, and back to the canonical crop."""

from __future__ import annotations

import itertools
from dataclasses import replace

import cv2
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
    shown_small = mask_of(
        slice(89, 103), slice(78, 94)
    )  # 224 px: 350 px as the canonical crop shows it
    assert CANONICAL.moved_to_mask(shown_small, ALL) is None
    assert CropWindow(0.8).moved_to_mask(shown_small, ALL) is not None


def test_crop_window_wider_keeps_the_eyes_in_place():
    assert apply(CropWindow(0.7).matrix, np.array([[63.5, 46.0]])) == pytest.approx(
        np.array([[63.5, 46.0]])
    )


def test_is_nearly_canonical_neither_much_smaller_nor_far_aside():
    """Between such windows a crop would only change to and fro."""
    assert CropWindow(0.97, (4.0, -4.0)).is_nearly_canonical
    for other in (CropWindow(0.8), CropWindow(1.0, (9.0, 9.0)), CropWindow(0.8, (20.0, 0.0))):
        assert not other.is_nearly_canonical


def test_widened_shows_what_was_cut_off():
    (left, right, below) = np.array([[-9.0, 80], [136, 80], [64, 140]])
    for touched, cut in (((True, False, False), left), ((False, True, False), right)):
        window = CANONICAL.widened(touched)
        assert window is not None
        (x, y), (other, _) = apply(window.matrix, np.array([cut, (127 - cut[0], 80)]))
        assert 5 < x < 122 and y < 80
        assert not -3 < other < 130  # the crop goes to the side that is cut off
    window, scales = CANONICAL, [1.0]
    while (wider := window.widened((False, False, True))) is not None:
        window, scales = wider, [*scales, wider.scale]
    assert len(scales) > 2 and min(-np.diff(scales)) > 0.1 and scales[-1] >= 0.5
    assert (apply(window.matrix, below[None])[0] < 110).all()
    assert CANONICAL.widened((False, False, False)) is None


@pytest.mark.parametrize("y", [(50, 118), (60, 136), (70, 160)])
def test_fitted_window_holds_the_mask_as_large_as_can_be(y: tuple[int, int]):
    """Places of the mask in canonical crop pixels; it is seen in a wide window."""
    for x, shift in itertools.product(
        [(10, 118), (-12, 80), (50, 140), (-6, 133), (40, 90)], [0.0, 8.0]
    ):
        wide = CropWindow(0.62, (shift, 0.0))
        corners = np.array([[x[0], y[0]], [x[1], y[1]]], float)
        (x0, y0), (x1, y1) = apply(wide.matrix, corners).round().astype(int)
        found = wide.fitted(mask_of(slice(y0, y1 + 1), slice(x0, x1 + 1)), ALL)
        assert found is not None
        (left, _), (right, bottom) = apply(found.matrix, corners)
        assert left > 3 and right < 124 and bottom < 124
        (aside, up), largest = found.shift, found.scale > 0.999
        assert abs(aside) <= 14 and -16 <= up <= 0
        assert largest or (left < 9 and right > 117) or abs(aside) > 11 or up < -14
        assert found.scale > 0.75


def test_fitted_window_no_larger_than_now_is_none():
    assert CropWindow(0.8).fitted(mask_of(slice(60, 124), slice(4, 125)), ALL) is None
    assert CropWindow(0.8).fitted(mask_of(slice(0, 0), slice(0, 0)), ALL) is None


def test_show_places_parts_of_the_face_as_the_crop_shows_them():
    rows, columns = np.mgrid[0:128, 0:128]
    window = CropWindow(0.8, (6.0, -3.0))
    level = window.show((rows + columns).astype(np.float32))
    upper = window.show(rows < 46)
    assert upper.dtype == bool
    for x, y in ((40, 30), (63, 51), (90, 80)):
        at_x, at_y = apply(cv2.invertAffineTransform(window.matrix), np.array([[x, y]]))[0]
        assert level[y, x] == pytest.approx(at_x + at_y, abs=0.1)
        assert upper[y, x] == (at_y < 46)


def test_in_a_picture_a_crop_beside_the_face_is_moved_onto_it(astronaut_rgb, astronaut_face: Face):
    """The detector's points can lie beside a bowed head: then the mask says where the face is."""
    assert astronaut_face.landmarks is not None
    worn = render_mask(astronaut_rgb, astronaut_face.landmarks, preset_style("surgical"))
    frame = np.ascontiguousarray(worn.image_rgb[:, :, ::-1])
    shares = {}
    with Unmasker(mode="image") as unmasker:
        tracked = unmasker.detect_and_track(frame)
        (found,) = tracked.faces
        beside = compose(CropWindow(1.0, (45.0, 0.0)).matrix, found.matrix)
        for landmarks in (None, astronaut_face.landmarks):
            face = replace(found.face, landmarks=landmarks, confirmed=False)
            aside = with_face(tracked, face=face, matrix=beside, check_due=False)
            result = unmasker.composite(unmasker.inpaint(unmasker.segment(aside)))
            shares[landmarks is None] = (result.replaced > 0)[worn.alpha > 0].mean()
            unmasker.reset()
    assert shares[True] > 0.9
    assert shares[False] < 0.1  # where landmarks were found they are believed

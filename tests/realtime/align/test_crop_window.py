"""The crop holds the whole mask: it is widened where the mask is cut off, and only then."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from realtime import Unmasker
from realtime.align.affine import apply, compose
from realtime.align.crop_window import (
    CANONICAL,
    moved_to_place,
    shown_at,
    to_canonical,
    touched_sides,
)
from realtime.frames import Face
from realtime.segment.crop_fitting import Framing
from realtime.synthetic import preset_style, render_mask

ALL = np.ones((128, 128), bool)


def mask_of(rows: slice, columns: slice) -> np.ndarray:
    mask = np.zeros((128, 128), bool)
    mask[rows, columns] = True
    return mask


def test_a_mask_inside_is_left_alone():
    framing = Framing()
    assert not framing.must_look_again(mask_of(slice(70, 118), slice(30, 98)), ALL, worn=True)
    assert framing.is_canonical


def test_an_ear_loop_counts_where_asked_and_the_pictures_edge_never():
    loop = mask_of(slice(60, 63), slice(90, 128))
    assert touched_sides(loop, ALL) == (False, False, False)
    assert touched_sides(loop, ALL, loops=True) == (False, True, False)
    below = mask_of(slice(70, 128), slice(30, 98))
    cut = ALL.copy()
    cut[110:] = False
    assert touched_sides(below, cut) == (False, False, False)
    assert touched_sides(below, ALL) == (False, False, True)


def test_it_widens_towards_the_mask_but_not_for_ever():
    framing, steps = Framing(), 0
    mask = mask_of(slice(70, 128), slice(60, 128))
    while framing.must_look_again(mask, ALL, worn=True):
        steps += 1
    assert 1 <= steps <= 3
    corner = apply(framing.matrix, np.array([[127.0, 127.0]]))[0]
    assert (corner < 112).all()  # what lay at the lower right corner lies inside now


def test_it_narrows_again_when_the_head_turned_back():
    framing = Framing()
    assert framing.must_look_again(mask_of(slice(70, 128), slice(30, 98)), ALL, worn=True)
    small = mask_of(slice(66, 100), slice(40, 88))
    again = [framing.must_look_again(small, ALL, worn=True) for _ in range(40)]
    assert not any(again[2:])
    assert framing.is_canonical


def _seen_at(framing: Framing, x: tuple[float, float], y: tuple[float, float]) -> np.ndarray:
    """A mask that reaches over these canonical pixels, as the crop in use shows it."""
    (x0, y0), (x1, y1) = apply(framing.matrix, np.array([[x[0], y[0]], [x[1], y[1]]]))
    rows, columns = (slice(max(round(a), 0), round(b) + 1) for a, b in ((y0, y1), (x0, x1)))
    return mask_of(rows, columns)


def test_what_a_shift_brings_inside_is_not_shown_smaller():
    framing, mask = Framing(), ((-6, 84), (60, 136))
    while framing.must_look_again(_seen_at(framing, *mask), ALL, worn=True):
        pass
    assert framing.matrix[0, 0] == 1.0 and not framing.is_canonical
    seen = _seen_at(framing, *mask)
    assert not any(touched_sides(seen, ALL)) and seen.sum() > 0.98 * 90 * 76
    assert not framing.must_look_again(seen, ALL, worn=True)


def test_an_ear_loop_brings_the_crop_aside_and_does_not_make_the_face_smaller():
    framing = Framing()

    def seen() -> np.ndarray:
        return _seen_at(framing, (30, 98), (70, 110)) | _seen_at(framing, (98, 132), (74, 77))

    while framing.must_look_again(seen(), ALL, worn=True):
        pass
    assert framing.matrix[0, 0] == 1.0
    assert not any(touched_sides(seen(), ALL, loops=True))


def test_a_large_mask_is_shown_as_large_as_fits():
    framing, mask = Framing(), ((-4, 131), (60, 140))
    while framing.must_look_again(_seen_at(framing, *mask), ALL, worn=True):
        pass
    assert 0.8 < framing.matrix[0, 0] < 0.9
    assert not any(touched_sides(_seen_at(framing, *mask), ALL))


def test_a_closer_crop_in_which_the_mask_is_lost_is_given_up():
    framing, mask = Framing(), ((-6, 84), (60, 136))
    assert framing.must_look_again(_seen_at(framing, *mask), ALL, worn=True)
    wide = framing.matrix
    assert framing.must_look_again(_seen_at(framing, *mask), ALL, worn=True)
    assert framing.must_look_again(_seen_at(framing, *mask), ALL, worn=True, worn_here=False)
    assert framing.matrix is wide
    assert not framing.must_look_again(_seen_at(framing, *mask), ALL, worn=True)


def test_a_mask_the_crop_cuts_off_is_replaced_whole(astronaut_rgb, astronaut_face: Face):
    """On turned heads the canonical crop can come out too close: the mask leaves it."""
    assert astronaut_face.landmarks is not None
    worn = render_mask(astronaut_rgb, astronaut_face.landmarks, preset_style("surgical"))
    frame = np.ascontiguousarray(worn.image_rgb[:, :, ::-1])
    with Unmasker(still=True) as unmasker:
        seen = unmasker.look(frame)
        (sight,) = seen.sights
        close = sight.matrix * 1.6
        close[:, 2] += np.array([63.5, 46.0]) * (1 - 1.6)
        result = unmasker.finish(replace(seen, sights=[replace(sight, matrix=close)]))
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


def test_a_mask_beside_its_place_is_moved_there():
    move = moved_to_place(_mask_round(92, 96), ALL, CANONICAL)
    assert move is not None
    assert apply(move, np.array([[91.5, 95.5]])) == pytest.approx(np.array([[63.5, 80.0]]), abs=1)
    wide = shown_at(0.8, np.array([4.0, 0.0]))
    x, y = apply(wide, np.array([[92.0, 96.0]]))[0].round().astype(int)
    seen_smaller = moved_to_place(_mask_round(x, y), ALL, wide)
    assert seen_smaller is not None
    assert np.abs(seen_smaller - move).max() < 2


def test_a_mask_in_its_place_or_far_off_or_hardly_seen_moves_nothing():
    assert moved_to_place(_mask_round(66, 84), ALL, CANONICAL) is None
    assert moved_to_place(_mask_round(106, 112), ALL, CANONICAL) is None
    speck = _mask_round(92, 96) & (np.arange(128) < 80)
    assert moved_to_place(speck, ALL, CANONICAL) is None
    assert moved_to_place(np.zeros((128, 128), bool), ALL, CANONICAL) is None


def test_in_a_picture_a_crop_beside_the_face_is_moved_onto_it(astronaut_rgb, astronaut_face: Face):
    """The detector's points can lie beside a bowed head: then the mask says where the face is."""
    assert astronaut_face.landmarks is not None
    worn = render_mask(astronaut_rgb, astronaut_face.landmarks, preset_style("surgical"))
    frame = np.ascontiguousarray(worn.image_rgb[:, :, ::-1])
    shares = {}
    for landmarks in (None, astronaut_face.landmarks):
        with Unmasker(still=True) as unmasker:
            seen = unmasker.look(frame)
            (sight,) = seen.sights
            sight.track.confirmed = False
            beside = compose(shown_at(1.0, np.array([45.0, 0.0])), sight.matrix)
            face = replace(sight.face, landmarks=landmarks)
            aside = replace(sight, face=face, matrix=beside)
            result = unmasker.finish(replace(seen, sights=[aside]))
        shares[landmarks is None] = (result.replaced > 0)[worn.alpha > 0].mean()
    assert shares[True] > 0.9
    assert shares[False] < 0.1  # where landmarks were found they are believed


def test_outside_the_hole_the_canonical_crop_is_kept():
    rng = np.random.default_rng(0)
    crop = rng.integers(0, 255, (128, 128, 3), np.uint8)
    framing = Framing()
    framing.must_look_again(mask_of(slice(70, 128), slice(30, 98)), ALL, worn=True)
    hole = mask_of(slice(60, 100), slice(30, 90))
    after = to_canonical(np.full_like(crop, 200), hole, crop, framing.matrix)
    changed = (after != crop).any(-1)
    assert changed.any()
    assert (after[changed] == 200).all()
    assert framing.matrix is not CANONICAL

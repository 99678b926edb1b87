"""Finishing a fill: done again where anything of it changed, and only there."""

from __future__ import annotations

import cv2
import numpy as np

from realtime.align.warp_crop import warp_crop
from realtime.composite.prepared_fill import Finish
from realtime.frames import Face

MASK = np.zeros((128, 128), dtype=bool)
MASK[70:110, 40:90] = True
HOLE = np.zeros((128, 128), dtype=bool)
HOLE[66:114, 36:94] = True
CROP, FILLED = np.full((128, 128, 3), 90, np.uint8), np.full((128, 128, 3), 160, np.uint8)


def test_a_fill_is_opaque_on_the_mask_and_gone_outside_the_hole() -> None:
    done = Finish()(FILLED, CROP, MASK, HOLE, ~HOLE)
    assert (done.fill[MASK] == 160).all()
    assert (done.opacity[MASK] == 1).all() and (done.opacity[~HOLE] == 0).all()


def test_what_is_shown_again_is_not_done_again() -> None:
    finish = Finish()
    first = finish(FILLED, CROP, MASK, HOLE, ~HOLE)
    assert finish(FILLED, CROP, MASK, HOLE, ~HOLE) is first


def test_another_fill_or_hole_is_done_anew() -> None:
    finish = Finish()
    finish(FILLED, CROP, MASK, HOLE, ~HOLE)
    assert (finish(FILLED // 2, CROP, MASK, HOLE, ~HOLE).fill[MASK] == 80).all()
    done = finish(FILLED // 2, CROP, MASK, MASK, ~MASK)
    assert (done.opacity[HOLE & ~MASK] == 0).all()


def test_grain_is_renewed_with_the_frame_or_the_fill(astronaut_rgb, astronaut_face: Face) -> None:
    crop, valid = warp_crop(astronaut_rgb, astronaut_face.matrix)
    matrix = 0.5 * astronaut_face.matrix  # as if the frame were twice as fine
    frames = [
        cv2.resize(
            np.random.default_rng(n).normal(astronaut_rgb, 4).clip(0, 255).astype(np.uint8),
            (1024, 1024),
        )
        for n in range(2)
    ]
    matrix[:, 2] = astronaut_face.matrix[:, 2]
    finish, known = Finish(), valid & ~HOLE
    done = finish(crop, crop, MASK, HOLE, known)
    first = finish.grain(frames[0], done, matrix)
    assert first is not None
    assert finish.grain(frames[1], done, matrix, renew=False) is first
    renewed = finish.grain(frames[1], done, matrix)
    assert renewed is not None and not np.array_equal(renewed.tile, first.tile)
    other = finish(crop.copy(), crop, MASK, HOLE, known)
    assert finish.grain(frames[1], other, matrix, renew=False) is not renewed

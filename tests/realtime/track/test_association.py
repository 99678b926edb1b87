"""Which face is which: numbers last through a second out of sight, and people do not swap theirs."""

from __future__ import annotations

import numpy as np
import pytest

from realtime.track.association import MotionModel, Place, match

FRAME_S = 1 / 30


def place(x: float, y: float = 200.0, size: float = 100.0) -> Place:
    return Place(np.array([x, y]), size)


def walk(motion: MotionModel, xs: list[float | None]) -> None:
    """Show a face frame by frame; None: out of sight."""
    for x in xs:
        motion.advance(FRAME_S)
        if x is not None:
            motion.update(place(x))


def test_match_pairs_the_nearest_first() -> None:
    motions = [MotionModel(place(0)), MotionModel(place(50))]
    assert match(motions, [place(40), place(-5), place(900)]) == {0: 1, 1: 0}


def test_match_far_or_other_sized_face_is_not_paired() -> None:
    motions = [MotionModel(place(0))]
    assert match(motions, [place(90)]) == {}
    assert match(motions, [place(10, size=300.0)]) == {}
    assert match([], [place(0)]) == {}


def test_motion_model_moving_face_is_predicted_ahead() -> None:
    motion = MotionModel(place(0))
    walk(motion, [8.0 * step for step in range(1, 20)])
    walk(motion, [None] * 10)
    assert motion.predicted.centre[0] == pytest.approx(8.0 * 29, abs=12)
    assert motion.predicted.centre[0] < 8.0 * 29 - 3  # it slows down
    assert motion.unseen_s == pytest.approx(10 * FRAME_S)
    walk(motion, [None] * 20)
    assert 0.6 < (motion.predicted.centre[0] - 8.0 * 19) / (8.0 * 30) < 0.85


def test_match_gate_widens_while_a_face_is_out_of_sight() -> None:
    for unseen, reach in ((1, 65), (15, 135), (30, 210)):
        motion = MotionModel(place(0))
        walk(motion, [None] * unseen)
        assert match([motion], [place(reach - 7)]) == {0: 0}
        assert match([motion], [place(reach + 7)]) == {}
    assert match([MotionModel(place(0))], [place(0, size=45)]) == {0: 0}
    assert match([MotionModel(place(0))], [place(0, size=35)]) == {}
    assert match([MotionModel(place(0, size=300))], [place(150, size=300)]) == {0: 0}


def test_motion_model_swaying_face_a_second_unseen_is_matched() -> None:
    xs = [60 * np.sin(2 * np.pi * 0.35 * frame * FRAME_S) for frame in range(240)]
    for gone in range(60, 180, 13):
        motion = MotionModel(place(xs[0]))
        walk(motion, list(xs[1:gone]))
        walk(motion, [None] * 29)
        motion.advance(FRAME_S)
        assert match([motion], [place(xs[gone + 30])]) == {0: 0}


def test_match_two_passing_faces_keep_their_numbers() -> None:
    left, right = MotionModel(place(0)), MotionModel(place(600))
    for step in range(1, 61):
        places = [place(10.0 * step), place(600 - 10.0 * step)]
        for motion in (left, right):
            motion.advance(FRAME_S)
        nearer = places if abs(places[0].centre[0] - places[1].centre[0]) > 45 else places[:1]
        pairs = match([left, right], nearer)
        assert pairs.get(0) == 0
        assert pairs.get(1, 1) == 1
        for number, found in pairs.items():
            (left, right)[number].update(nearer[found])

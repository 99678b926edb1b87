"""Which faces are followed, looked at, doubted and given up, with a finder that is told what to find."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from numpy.typing import NDArray

from realtime.detect.face_finder import FaceFinder, Refused
from realtime.detect.face_geometry import face_of_alignment, is_same_face
from realtime.detect.search_windows import Window
from realtime.frames import Face, TrackedFace
from realtime.track.tracker import FaceTracker

BLANK = np.full((480, 640, 3), 90, np.uint8)
"""A frame in which optical flow finds nothing, so that each face is looked at."""
TEXTURE = np.random.default_rng(0).integers(0, 255, (60, 80, 3), np.uint8).repeat(8, 0).repeat(8, 1)
"""A frame in which it finds every face where it was."""


def face(
    x: float, y: float = 200.0, size: float = 77.0, *, landmarks: bool = False,
    score: float = 1.0,
) -> Face:  # fmt: skip
    """A face whose eyes' middle is at x, y, pixels."""
    scale = 77 / size
    found = face_of_alignment(np.array([[scale, 0, 63.5 - scale * x], [0, scale, 46 - scale * y]]))
    points = np.zeros((478, 2)) if landmarks else None
    return replace(found, landmarks=points, score=score)


@dataclass
class ToldFinder(FaceFinder):
    """Finds the faces that it is told to find; counts what it is asked."""

    faces: Sequence[Face] = ()
    confirming: bool = False
    is_one: bool = True
    masked: float = 0.0
    asked: list[Face] = field(default_factory=list)
    examined: int = 0
    searched_all: int = 0

    def find_all(self, image_bgr: NDArray[np.uint8]) -> list[Face]:
        self.searched_all += 1
        size = image_bgr.shape[1], image_bgr.shape[0]
        return [
            face for face in self.faces if (face.centre > 0).all() and (face.centre < size).all()
        ]

    def search(
        self,
        image_bgr: NDArray[np.uint8],
        windows: Iterable[Window],
        known: Sequence[Face],
        refused: Refused,
    ) -> Face | None:
        new = (f for f in self.faces if not any(is_same_face(f, k) for k in known))
        return next((f for f in new if not refused.holds(f)), None)

    def find_again(self, image_bgr: NDArray[np.uint8], face: Face) -> Face | None:
        self.asked.append(face)
        near = (f for f in self.faces if np.hypot(*(f.centre - face.centre)) < 25)
        found = next(near, None)
        if found is None:
            return None
        return replace(found, confirmed=face.confirmed, mask_score=face.mask_score)

    def confirms(self, image_bgr: NDArray[np.uint8], face: Face) -> bool:
        self.examined += 1
        return self.confirming

    def is_face(self, image_bgr: NDArray[np.uint8], face: Face) -> bool:
        self.examined += 1
        return self.is_one

    def mask_score(self, image_bgr: NDArray[np.uint8], face: Face) -> float:
        return self.masked

    def close(self) -> None: ...


@pytest.fixture
def finder() -> ToldFinder:
    return ToldFinder()


def follow(
    tracker: FaceTracker, finder: ToldFinder, faces: Sequence[Face], frames: int = 1,
    picture: NDArray[np.uint8] = BLANK,
) -> list[TrackedFace]:  # fmt: skip
    finder.faces = faces
    shown: list[TrackedFace] = []
    for _ in range(frames):
        shown = tracker(picture)
    return shown


def numbers(shown: Sequence[TrackedFace]) -> list[int]:
    return sorted(one.track_id for one in shown)


def test_tracker_full_leaves_out_all_but_a_much_larger_face(finder) -> None:
    tracker = FaceTracker(finder, 2)
    two = [face(100, size=100, landmarks=True), face(300, size=90, landmarks=True)]
    assert numbers(follow(tracker, finder, two, 3)) == [0, 1]
    third = face(500, size=120, landmarks=True)
    assert numbers(follow(tracker, finder, [*two, third])) == [0, 1]
    assert tracker.left_out == 1
    follow(tracker, finder, two, 12)
    assert tracker.left_out == 0
    third = face(500, size=150, landmarks=True)
    assert numbers(follow(tracker, finder, [*two, third])) == [0, 2]


@pytest.mark.parametrize(("size", "landmarks", "waits"), [(150, False, True), (150, True, False),
                                                           (60, False, False)])  # fmt: skip
def test_tracker_large_face_without_landmarks_waits_until_it_is_found_again(
    finder, size: float, landmarks: bool, waits: bool
) -> None:
    tracker = FaceTracker(finder, 2)
    one = [face(300, size=size, landmarks=landmarks, score=0.9)]
    assert numbers(follow(tracker, finder, one, 6)) == ([] if waits else [0])
    assert numbers(follow(tracker, finder, one)) == [0]  # two looks, three frames apart


@pytest.mark.parametrize("later", [None, 0.89])
def test_tracker_large_face_that_a_look_does_not_find_again_is_none(finder, later) -> None:
    tracker = FaceTracker(finder, 2)
    doubtful = [] if later is None else [face(300, size=150, score=later)]
    assert not follow(tracker, finder, [face(300, size=150)], 4)  # found again once
    assert not follow(tracker, finder, doubtful, 3)
    assert not follow(tracker, finder, [face(300, size=150)], 3)


def test_tracker_large_face_without_landmarks_does_not_outlast_its_scene(finder) -> None:
    tracker = FaceTracker(finder, 2)
    assert not follow(tracker, finder, [face(300, size=150)], 5)
    assert not follow(tracker, finder, [], picture=255 - BLANK)
    assert not follow(tracker, finder, [face(300, size=150)], 4, picture=255 - BLANK)


def test_tracker_of_unrelated_pictures_shows_large_faces_at_once(finder) -> None:
    tracker = FaceTracker(finder, 2, unrelated=True)
    assert numbers(follow(tracker, finder, [face(300, size=150)])) == [0]


@pytest.mark.parametrize(("hits", "hidden", "returns"), [(1, 1, False), (2, 6, False), (3, 6, True),
                                                         (9, 30, True), (9, 45, False)])  # fmt: skip
def test_tracker_face_seen_often_enough_keeps_its_number(finder, hits, hidden, returns) -> None:
    tracker = FaceTracker(finder, 2)
    follow(tracker, finder, [face(200)], hits)
    shown = follow(tracker, finder, [])
    assert len(shown) == (hits > 1) and not any(one.found for one in shown)
    assert len(follow(tracker, finder, [], hidden)) == 0 or hidden < 6
    (back,) = follow(tracker, finder, [face(205)])
    assert (back.track_id == 0) == returns and back.restarted


def test_tracker_short_miss_shows_the_face_and_starts_nothing_anew(finder) -> None:
    tracker = FaceTracker(finder, 2)
    follow(tracker, finder, [face(200)], 5)
    (held,) = follow(tracker, finder, [], 3)
    assert held.track_id == 0 and not held.found and not held.restarted
    (back,) = follow(tracker, finder, [face(202)])
    assert back.track_id == 0 and back.found and not back.restarted


def test_tracker_looks_where_a_moving_face_should_be(finder) -> None:
    tracker = FaceTracker(finder, 2)
    for step in range(12):
        follow(tracker, finder, [face(60 + 12 * step)])
    last = 60 + 12 * 11
    follow(tracker, finder, [], 2)
    assert [f.centre[0] for f in finder.asked[-2:]] == pytest.approx([last + 12, last + 24], abs=8)
    assert {round(f.centre[1]) for f in finder.asked} == {200}


@pytest.mark.parametrize(("x", "y"), [(1, 0), (-1, 0), (0, 1), (0, -1)])
def test_tracker_face_that_leaves_the_frame_is_out_of_sight(finder, x: int, y: int) -> None:
    tracker = FaceTracker(finder, 2)
    edge = 320 if x else 240
    for beyond in (-40, -20, -5, 10, 30):
        gone = face(320 + x * (edge + beyond), 240 + y * (edge + beyond))
        shown = follow(tracker, finder, [gone])
        finder.faces = []
        assert any(one.found for one in shown) == (beyond < 23), beyond


def test_tracker_doubtful_face_is_given_up_after_two_checks(finder) -> None:
    tracker = FaceTracker(finder, 2)
    finder.is_one = False
    assert numbers(follow(tracker, finder, [face(200)], 12)) == [0]
    assert finder.examined == 1  # now and then, not in each frame
    follow(tracker, finder, [face(200)], 6)
    assert finder.examined == 2
    finder.is_one = True
    (other,) = follow(tracker, finder, [face(200)])
    assert other.track_id == 1
    assert numbers(follow(tracker, finder, [face(200)], 60)) == [1]


def test_tracker_doubt_about_a_face_is_forgotten_once_it_is_one(finder) -> None:
    tracker = FaceTracker(finder, 2)
    for is_one in (False, True, False, True):
        finder.is_one = is_one
        assert numbers(follow(tracker, finder, [face(200)], 16)) == [0]


def test_tracker_face_is_examined_until_it_is_confirmed(finder) -> None:
    tracker = FaceTracker(finder, 2)
    finder.confirming = True
    (one,) = follow(tracker, finder, [face(200, landmarks=True)])
    assert not one.face.confirmed
    (one,) = follow(tracker, finder, [face(200, landmarks=True)], 3)
    assert one.face.confirmed and finder.examined == 1
    follow(tracker, finder, [face(200, landmarks=True)], 40)
    assert finder.examined == 1
    follow(tracker, finder, [face(200, landmarks=True), face(400)], 40)
    assert [f.face.confirmed for f in tracker(BLANK)] == [True, False]


def test_tracker_confirmed_face_is_asked_for_a_mask_now_and_then(finder) -> None:
    tracker = FaceTracker(finder, 2)
    bare, masked = 0.1, 1.0
    here = [replace(face(200, landmarks=True), confirmed=True)]
    scores = []
    for number in range(40):
        finder.masked = masked if number >= 18 else bare
        (one,) = follow(tracker, finder, here)
        scores.append(one.face.mask_score)
    assert scores == [0.0] + [bare] * 30 + [masked] * 9


def test_tracker_checks_are_due_at_first_and_now_and_then(finder) -> None:
    tracker = FaceTracker(finder, 2)
    due = [follow(tracker, finder, [face(200)])[0].check_due for _ in range(47)]
    assert due[0] and [n for n, one in enumerate(due) if one] == [0, 15, 30, 45]
    assert not follow(tracker, finder, [])[0].check_due


def test_tracker_every_face_lost_at_once_searches_the_whole_frame(finder) -> None:
    tracker = FaceTracker(finder, 2)
    follow(tracker, finder, [face(200), face(400)], 5)
    assert finder.searched_all == 1  # the first frame
    follow(tracker, finder, [face(200)], 2)
    assert finder.searched_all == 1
    follow(tracker, finder, [], 6)
    assert finder.searched_all == 2


def test_tracker_two_numbers_on_one_face_become_one(finder) -> None:
    tracker = FaceTracker(finder, 3)
    follow(tracker, finder, [face(200)], 5)
    follow(tracker, finder, [face(200), face(300)], 2)
    for x in range(290, 200, -15):
        follow(tracker, finder, [face(200), face(x)])
    assert numbers(follow(tracker, finder, [face(200)])) == [0]


def test_tracker_face_hidden_by_another_one_keeps_its_number(finder) -> None:
    tracker = FaceTracker(finder, 3)
    shown = follow(tracker, finder, [face(200), face(330)], 5)
    for x in (310, 290, 270, 250, 230, 230, 230, 230, 230, 230):  # she stops before him
        follow(tracker, finder, [face(x)])
    for x in (245, 265, 285):
        shown = follow(tracker, finder, [face(x), face(200)])
    assert {one.track_id: one.face.centre[0] for one in shown} == pytest.approx({0: 200, 1: 285})


def test_tracker_looks_at_a_followed_face_a_few_times_a_second(finder) -> None:
    tracker = FaceTracker(finder, 20)
    follow(tracker, finder, [face(200)], 31, TEXTURE)
    assert 8 <= len(finder.asked) <= 16
    thorough, finder.asked = FaceTracker(finder, 20, detect_every_n=False), []
    follow(thorough, finder, [face(200)], 31, TEXTURE)
    assert len(finder.asked) == 30


def test_tracker_many_faces_share_the_looks(finder) -> None:
    tracker = FaceTracker(finder, 20)
    crowd = [face(50 + 60 * column, 60 + 90 * row, 40) for column in range(9) for row in range(2)]
    assert len(follow(tracker, finder, crowd, 3, TEXTURE)) == 18
    looks = []
    for _ in range(10):
        before = len(finder.asked)
        follow(tracker, finder, crowd, 1, TEXTURE)
        looks.append(len(finder.asked) - before)
    assert max(looks) <= 4
    late = {tuple(f.centre.round(-1)) for f in finder.asked}
    assert len(late) >= 18  # everyone has had a turn


def test_tracker_face_the_networks_do_not_find_is_followed_a_second(finder) -> None:
    tracker = FaceTracker(finder, 2)
    follow(tracker, finder, [face(200)], 4, TEXTURE)
    (one,) = follow(tracker, finder, [], 20, TEXTURE)
    assert one.found
    assert not any(one.found for one in follow(tracker, finder, [], 14, TEXTURE))

"""What is shown to the user, and the plain picture that is recorded and sent."""

from __future__ import annotations

import numpy as np
import pytest

from realtime.live.choices import KEY_HELP, Key
from realtime.live.view import View, letterboxed
from tests.realtime.live.making_previews import (
    FILL_BGR,
    LEFT_BGR,
    RIGHT_BGR,
    make_preview,
)

FULL_VIEW = View(mirror=True, side_by_side=True, boxes=True, badge=False)
NO_BADGE = View(badge=False)
CENTRE = 240, 160  # row and column inside the filled square


def test_picture_is_plain_whatever_the_window_shows() -> None:
    preview = make_preview(FULL_VIEW)
    np.testing.assert_array_equal(preview.picture_bgr, preview.processed.result.frame)


def test_as_shown_has_boxes_and_sides_but_no_mirror() -> None:
    shown = make_preview(FULL_VIEW).as_shown()
    assert shown.shape == (480, 1280, 3)
    assert shown[400, 10].tolist() == shown[400, 650].tolist() == list(LEFT_BGR)
    assert shown[400, 630].tolist() == shown[400, 1270].tolist() == list(RIGHT_BGR)
    assert shown[CENTRE].tolist() == list(LEFT_BGR)
    assert shown[CENTRE[0], 640 + CENTRE[1]].tolist() == list(FILL_BGR)
    plain = make_preview(View(side_by_side=True, badge=False)).as_shown()
    assert (plain != shown)[100:380, 640:].any()  # the boxes


def test_draw_mirror_turns_picture_and_boxes() -> None:
    drawn, mirrored = (np.zeros((480, 640, 3), np.uint8) for _ in range(2))
    make_preview(NO_BADGE).draw(drawn, 13, mirror=False)
    make_preview(NO_BADGE).draw(mirrored, 13, mirror=True)
    np.testing.assert_array_equal(mirrored, drawn[:, ::-1])
    boxed = np.zeros_like(drawn)
    make_preview(View(boxes=True, badge=False)).draw(boxed, 13, mirror=True)
    changed = np.flatnonzero((boxed != mirrored).any(2)[200:300].any(0))
    assert changed.min() == pytest.approx(640 - 3 * 640 // 8, abs=3)
    assert changed.max() == pytest.approx(640 - 640 // 8, abs=3)


def test_draw_in_another_shape_keeps_the_ratio() -> None:
    area = np.full((600, 1000, 3), 99, np.uint8)
    make_preview(NO_BADGE).draw(area, 13, mirror=False)
    assert not area[:, :99].any()
    assert not area[:, 901:].any()
    assert (area[:, 101:498] == LEFT_BGR).all(2).mean() > 0.7
    assert area[300, 890].tolist() == list(RIGHT_BGR)


@pytest.mark.parametrize(
    ("view", "filled", "badge"),
    [
        (View(), True, True),
        (View(strength=0.5), True, True),
        (View(), False, False),
        (View(unmasked=False), True, False),
        (View(badge=False), True, False),
    ],
)
def test_badge_is_where_a_synthetic_face_is_shown(view: View, filled: bool, badge: bool) -> None:
    preview = make_preview(view, filled=filled)
    corner = slice(440, 480), slice(0, 100)
    for image in (preview.picture_bgr, preview.as_shown()):
        assert (image[corner] != LEFT_BGR).any() == badge
        assert (image[:440] == preview.processed.captured.image_bgr[:440]).all() == (
            not filled or not view.unmasked
        )


def test_strength_is_the_opacity_of_the_result() -> None:
    picture = make_preview(View(strength=0.5, badge=False)).picture_bgr
    expected = (np.array(LEFT_BGR) + FILL_BGR) / 2
    assert picture[CENTRE].tolist() == pytest.approx(expected, abs=1)
    assert picture[10, 10].tolist() == list(LEFT_BGR)


def test_view_after_strength_keys_stays_in_range() -> None:
    view, told = View().after(Key.STRONGER)
    assert (view.strength, told) == (1, "strength 100%")
    for _ in range(3):
        view, told = view.after(Key.WEAKER)
    assert (view.strength, told) == (pytest.approx(0.7), "strength 70%")
    for _ in range(20):
        view, told = view.after(Key.WEAKER)
    assert (view.strength, told) == (pytest.approx(0.1), "strength 10%")


@pytest.mark.parametrize("key", [Key.UNMASKING, Key.MIRROR, Key.SIDE_BY_SIDE, Key.BOXES, Key.BAR])
def test_view_after_the_same_key_twice_is_as_before(key: Key) -> None:
    once, _ = View().after(key)
    assert once != View()
    assert once.after(key)[0] == View()


def test_key_help_names_every_key() -> None:
    assert set(KEY_HELP) == set(Key)


def test_letterboxed_fills_the_rest_with_black() -> None:
    wide = np.full((100, 300, 3), 200, np.uint8)
    fitted = letterboxed(wide, (640, 480))
    assert fitted.shape == (480, 640, 3)
    rows = np.flatnonzero(fitted.any((1, 2)))
    assert (rows.min(), rows.max()) == (133, 345)
    assert (fitted[133:346] == 200).all()

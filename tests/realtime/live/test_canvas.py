"""The window's content: picture, status bar, sign of a recording, messages and help."""

from __future__ import annotations

import time

import numpy as np
import pytest
from numpy.typing import NDArray

from realtime.imaging.text import render_label
from realtime.live.canvas import bar_height, draw_canvas
from realtime.live.toasts import Toasts
from realtime.live.view import Preview, Status, View
from tests.realtime.live.making_previews import make_preview, processed_frame

SIZES = [(640, 480), (1280, 720), (360, 640)]
FIGURES = ("30 of 30 fps", "39 ms", "0 dropped", "fast · openvino")


def drawn(size: tuple[int, int], preview: Preview) -> NDArray[np.uint8]:
    """Draw a window of a picture of this size and the bar below it."""
    canvas = np.full((size[1] + bar_height(size, preview.view), size[0], 3), 77, np.uint8)
    draw_canvas(canvas, preview)
    return canvas


@pytest.mark.parametrize("size", SIZES)
def test_bar_is_below_the_picture_and_cut_nowhere(size: tuple[int, int]) -> None:
    frame = processed_frame(*size)
    canvas = drawn(size, Preview(frame, View(badge=False), Status(FIGURES)))
    np.testing.assert_array_equal(canvas[: size[1]], frame.result.frame)
    bar = canvas[size[1] :].astype(int)
    inked = np.abs(bar - bar[0, 0]).max(2) > 40
    assert inked.any()
    for border in (inked[:3], inked[-3:], inked[:, :4], inked[:, -4:]):
        assert not border.any()


def test_bar_without_room_leaves_out_the_last_figures() -> None:
    def right_half(figures: tuple[str, ...]) -> NDArray[np.uint8]:
        return drawn((360, 640), make_preview(View(), Status(figures)))[640:]

    many = (*FIGURES, "a figure for which there is certainly no room in this window")
    np.testing.assert_array_equal(right_half(many), right_half(many[:-1]))
    assert (right_half(FIGURES[:1]) != right_half(FIGURES[:2])).any()


@pytest.mark.parametrize("view", [View(), View(bar=False), View(bar=False, side_by_side=True)])
@pytest.mark.parametrize("size", SIZES)
def test_recording_is_always_seen(size: tuple[int, int], view: View) -> None:
    without, with_sign = (
        drawn(size, Preview(processed_frame(*size), view, Status(recording=sign)))
        for sign in ("", "REC 0:12")
    )
    rows, columns = np.nonzero((without != with_sign).any(2))
    assert rows.max() < 50
    assert columns.min() > size[0] - 140
    assert columns.max() < size[0] - 3
    assert with_sign[rows.min() + 4, columns.min() + 3].tolist() == [40, 40, 210]


@pytest.mark.parametrize("size", SIZES)
def test_messages_are_in_the_picture_and_cut_nowhere(size: tuple[int, int]) -> None:
    lines = ("0: Webcam: gives no frames; waiting for it to come back", "saved: " + "folder/" * 40)
    without, with_messages = (
        drawn(size, Preview(processed_frame(*size), View(), Status(messages=messages)))
        for messages in ((), lines)
    )
    rows, columns = np.nonzero((without != with_messages).any(2))
    assert size[1] // 2 < rows.min() < rows.max() < size[1] - 20
    assert 3 < columns.min() < columns.max() < size[0] - 3


@pytest.mark.parametrize("size", SIZES)
def test_help_fits_the_window(size: tuple[int, int]) -> None:
    without, with_help = (
        drawn(size, Preview(processed_frame(*size), View(help=on), Status()))
        for on in (False, True)
    )
    rows, columns = np.nonzero((without != with_help).any(2))
    assert 3 < rows.min() < rows.max() < size[1] - 3
    assert 3 < columns.min() < columns.max() < size[0] - 3


@pytest.mark.parametrize("size", [(1, 7), (20, 30), (150, 90), (2000, 40)])
def test_draw_canvas_odd_window_sizes_do_not_fail(size: tuple[int, int]) -> None:
    status = Status(FIGURES, "REC 1:00", ("a message",))
    preview = make_preview(View(side_by_side=True, help=True, boxes=True), status)
    magenta = 255, 0, 255
    canvas = np.full((size[1], size[0], 3), magenta, np.uint8)
    draw_canvas(canvas, preview)
    assert not (canvas == magenta).all(2).any()


def test_draw_canvas_same_text_is_not_rendered_again() -> None:
    status = Status(FIGURES, "REC 0:12", ("a message",))
    preview = make_preview(View(side_by_side=True, help=True), status)
    first = drawn((640, 480), preview)
    rendered = render_label.cache_info().misses
    np.testing.assert_array_equal(drawn((640, 480), preview), first)
    assert render_label.cache_info().misses == rendered


def test_toasts_show_the_newest_for_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    now_s, told = 100.0, []
    monkeypatch.setattr(time, "monotonic", lambda: now_s)
    toasts = Toasts(told.append)
    for line in ("one", "two", "three", "four"):
        toasts(line)
    toasts.answer("strength 90%")
    toasts.answer("strength 80%")
    assert toasts.current() == ("two", "three", "four", "strength 80%")
    now_s = 103.0
    toasts("five")
    now_s = 105.0
    assert toasts.current() == ("five",)
    assert told == ["one", "two", "three", "four", "five"]

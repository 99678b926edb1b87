"""Text in the font of Pillow: it fits where it should, and is rendered once."""

from __future__ import annotations

import numpy as np
import pytest

from realtime.imaging.text import (
    LabelStyle,
    paste,
    printable,
    render_label,
    shortened,
    text_width,
    wrapped,
)


def test_render_label_grows_with_the_font() -> None:
    small, large = (render_label((("30 fps",),), LabelStyle(size)) for size in (13, 26))
    assert large.size[0] == pytest.approx(2 * small.size[0], abs=4)
    assert large.size[1] == pytest.approx(2 * small.size[1], abs=2)


def test_render_label_columns_are_aligned() -> None:
    rows = (("+", "more"), ("-", "less"))
    label = render_label(rows, LabelStyle(20, opacity=0.0, padding=0.0))
    inked = label.colour_bgr.max(2) > 128
    second_column = 2 * 20 - 8  # further right than a sign and less than the sign and a gap
    for line in np.array_split(inked, 2):
        assert line[:, :14].any()
        assert not line[:, 14 : second_column - 8].any()
        assert line[:, second_column - 8 :].any()


def test_render_label_twice_is_rendered_once() -> None:
    style = LabelStyle(13)
    assert render_label((("39 ms",),), style) is render_label((("39 ms",),), style)


def test_paste_blends_text_and_background() -> None:
    label = render_label((("REC",),), LabelStyle(20, fill_bgr=(0, 0, 200), opacity=0.5))
    image = np.full((60, 100, 3), 100, np.uint8)
    paste(image, label, 10, 10)
    assert image.max() >= 250  # the letters
    assert image[10 + label.size[1] // 2, 12].tolist() == pytest.approx([50, 50, 150], abs=2)
    assert (image[:10] == 100).all()
    assert (image[10 + label.size[1] :] == 100).all()


@pytest.mark.parametrize("at", [(-15, -5), (50, 25), (-500, 0), (0, 500)])
def test_paste_outside_is_cut_off(at: tuple[int, int]) -> None:
    label = render_label((("synthetic",),), LabelStyle(20))
    large = np.full((1200, 1200, 3), 90, np.uint8)
    paste(large, label, at[0] + 550, at[1] + 550)
    image = np.full((30, 60, 3), 90, np.uint8)
    paste(image, label, *at)
    np.testing.assert_array_equal(image, large[550:580, 550:610])


def test_shortened_keeps_both_ends_within_the_width() -> None:
    path = "/home/somebody/pictures/of/the/year/unmask-20260101-120000.png"
    text = shortened(path, 13, 200)
    assert text_width(text, 13) <= 200
    assert text.startswith("/home")
    assert text.endswith("0000.png")
    assert shortened("short", 13, 200) == "short"


@pytest.mark.parametrize("width", [40, 120, 330])
def test_wrapped_lines_fit_the_width(width: int) -> None:
    text = "0: Webcam: gives no frames; is it unplugged?; waiting for it to come back"
    lines = wrapped(text, 13, width)
    assert all(text_width(line, 13) <= width for line in lines)
    if width == 330:
        assert " ".join(lines) == text


def test_printable_letters_the_font_lacks_are_replaced() -> None:
    assert printable("Caméra Müller …\t中") == "Camera Muller …??"

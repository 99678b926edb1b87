"""Text in the font of Pillow: it fits where it should, and is rendered once."""

from __future__ import annotations

import numpy as np
import pytest

from realtime.imaging.text import (
    LabelStyle,
    Rows,
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


@pytest.mark.parametrize("rows", [(("Hx",),), (("Hx", "Hx"), ("HHHx", "Hx"), ("Hx", "HHHx"))])
def test_render_label_text_lies_in_the_middle_of_its_rectangle(rows: Rows) -> None:
    style = LabelStyle(20, fill_bgr=(0, 0, 200), opacity=0.6, padding=0.5)
    label = render_label(rows, style)
    width, height = label.size
    ink = label.colour_bgr[..., 0] > 128
    ys, xs = np.nonzero(ink)
    left, right, top, bottom = xs.min(), width - 1 - xs.max(), ys.min(), height - 1 - ys.max()
    assert 9 <= left <= 13 and 8 <= right <= 15  # the padding
    assert abs(top - bottom) <= 3 and min(top, bottom) >= 5
    assert height == 26 * len(rows) + 10  # lines of 1.3 font sizes
    lines = np.any(ink, axis=1)[5 : height - 5].reshape(len(rows), 26)
    assert (lines == lines[0]).mean() > 0.8  # each line lies alike
    assert label.transparency[0, 0].min() > 240  # the corner is round
    assert label.transparency[height // 2, 3].tolist() == pytest.approx([102] * 3, abs=1)
    assert label.colour_bgr[height // 2, 3].tolist() == pytest.approx([0, 0, 120], abs=1)
    strongest = label.colour_bgr.reshape(-1, 3)[label.transparency.min(2).argmin()]
    assert strongest.min() > 230 and label.transparency.min() < 10


def test_render_label_columns_have_room_between_them() -> None:
    style = LabelStyle(20, padding=0.0)
    one, two = (render_label(((*["HH"] * count,),), style).size[0] for count in (1, 2))
    assert two == pytest.approx(2 * one + 20, abs=1)
    three = render_label((("HH", "HH", "HH"),), style).size[0]
    assert three - two == pytest.approx(two - one, abs=1)


def test_paste_beside_the_image_changes_nothing() -> None:
    label = render_label((("off",),), LabelStyle(20))
    width, height = label.size
    image = np.full((40, 60, 3), 90, np.uint8)
    for x, y in ((60, 0), (0, 40), (-width, 0), (0, -height), (60, 40)):
        paste(image, label, x, y)
    assert (image == 90).all()
    paste(image, label, 59, 39)
    assert (image[39, 59] != 90).any() or label.transparency[0, 0].min() > 250


@pytest.mark.parametrize("width", [60, 110, 200, 300])
def test_shortened_uses_the_room_for_both_ends(width: int) -> None:
    path = "/home/somebody/pictures/of/the/year/unmask-20260101-120000.png"
    text = shortened(path, 13, width)
    start, end = text.split("…")
    assert width - 25 < text_width(text, 13) <= width
    assert path.startswith(start) and path.endswith(end) and 0 <= len(end) - len(start) <= 1
    assert shortened(path, 13, 5) == "…"

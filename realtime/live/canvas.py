"""Lays out the window: the picture, the status bar below it, and what is said for a moment."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from realtime.imaging.text import (
    Colour,
    Label,
    LabelStyle,
    paste,
    printable,
    render_label,
    text_width,
    wrapped,
)
from realtime.live.choices import KEY_HELP, Key
from realtime.live.view import Preview, View

_TEXT_SHARE, _MIN_TEXT_PX, _MAX_TEXT_PX = (
    1 / 64,
    13,
    28,
)  # font size as a share of the window's width
_BAR_HEIGHT = 2.0  # a factor of the font's size
_MAX_BAR_SHARE = 1 / 4  # of the window's height; a lower window has no bar
_BAR_BGR, _FIGURES_BGR, _HINT_BGR = (32, 32, 32), (225, 225, 225), (150, 150, 150)
_NOTICE_BGR, _REC_BGR = (60, 190, 255), (40, 40, 210)
_HELP_HINT = f"{Key.HELP} help"
_MAX_MESSAGE_SHARE = 0.9  # width of a message as a share of the window's

Segment = tuple[str, Colour]
"""A piece of the status bar: its text and colour."""


def bar_height(size: tuple[int, int], view: View) -> int:
    """Return the height of the status bar in a window of this width and height; 0: it has none."""
    height = round(_text_px(size[0]) * _BAR_HEIGHT)
    return height if view.bar and height <= size[1] * _MAX_BAR_SHARE else 0


def _text_px(width: int) -> int:
    return min(max(round(width * _TEXT_SHARE), _MIN_TEXT_PX), _MAX_TEXT_PX)


def draw_canvas(canvas_bgr: NDArray[np.uint8], preview: Preview) -> None:
    """Draw the whole content of a window.

    Args:
        canvas_bgr: uint8 [H, W, 3], BGR, of the window's size; all of it is changed.
        preview: what is shown.
    """
    height, width = canvas_bgr.shape[:2]
    text_px = _text_px(width)
    bar_px = bar_height((width, height), preview.view)
    area_bgr = canvas_bgr[: height - bar_px]
    preview.draw(area_bgr, text_px, mirror=preview.view.mirror)
    margin = text_px // 2
    if preview.status.recording:
        style = LabelStyle(text_px, fill_bgr=_REC_BGR, opacity=1.0)
        sign = render_label(((preview.status.recording,),), style)
        paste(area_bgr, sign, width - sign.size[0] - margin, margin)
    if preview.view.help:
        rows = tuple((key.value, text) for key, text in KEY_HELP.items())
        style = LabelStyle(text_px, opacity=0.85, padding=1.0)
        _paste_centred(area_bgr, render_label(rows, style), None)
    _draw_messages(area_bgr, preview.status.messages, text_px)
    if bar_px:
        segments = (*_notices(preview.view), *((f, _FIGURES_BGR) for f in preview.status.figures))
        bar = _render_bar(segments, (width, bar_px), text_px)
        canvas_bgr[height - bar_px :] = bar


def _notices(view: View) -> list[Segment]:
    """Return what the user should not forget."""
    if not view.unmasked:
        return [("unmasking off", _NOTICE_BGR)]
    return [(f"strength {view.strength:.0%}", _NOTICE_BGR)] if view.strength < 1 else []


def _paste_centred(area_bgr: NDArray[np.uint8], label: Label, bottom: int | None) -> None:
    """Draw a label in the middle of an area, or with its lower edge at `bottom`."""
    height, width = area_bgr.shape[:2]
    top = (height - label.size[1]) // 2 if bottom is None else bottom - label.size[1]
    paste(area_bgr, label, (width - label.size[0]) // 2, max(top, 0))


def _draw_messages(area_bgr: NDArray[np.uint8], messages: tuple[str, ...], text_px: int) -> None:
    """Draw the messages one above the other, the newest lowest, above the line of the badge."""
    bottom = area_bgr.shape[0] - round(text_px * 2.5)
    for message in reversed(messages):
        label = _message_label(message, text_px, round(area_bgr.shape[1] * _MAX_MESSAGE_SHARE))
        _paste_centred(area_bgr, label, bottom)
        bottom -= label.size[1] + text_px // 3


@lru_cache(maxsize=16)
def _message_label(message: str, text_px: int, width: int) -> Label:
    lines = wrapped(message, text_px, width - text_px) or [""]
    return render_label(tuple((line,) for line in lines), LabelStyle(text_px, opacity=0.7))


@lru_cache(maxsize=4)
def _render_bar(
    segments: tuple[Segment, ...], size: tuple[int, int], text_px: int
) -> NDArray[np.uint8]:
    """Return the status bar, uint8 [h, w, 3], BGR; segments for which there is no room are left out."""
    width, height = size
    bar = np.full((height, width, 3), _BAR_BGR, np.uint8)
    gap = text_px
    hint_x = width - text_width(_HELP_HINT, text_px) - gap // 2
    _write(bar, (_HELP_HINT, _HINT_BGR), hint_x, text_px)
    x = gap // 2
    for text, colour in segments:
        text_wide = text_width(printable(text), text_px)
        if x + text_wide + gap > hint_x:
            break
        _write(bar, (text, colour), x, text_px)
        x += text_wide + gap
    return bar


def _write(bar: NDArray[np.uint8], segment: Segment, x: int, text_px: int) -> None:
    text, colour = segment
    style = LabelStyle(text_px, colour, opacity=0.0, padding=0.0)
    label = render_label(((printable(text),),), style)
    paste(bar, label, x, (bar.shape[0] - label.size[1]) // 2)

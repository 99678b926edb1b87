"""Draws text with the TrueType font of Pillow: a label is rendered once and then pasted from a cache."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Colour = tuple[int, int, int]
"""Blue, green and red, levels 0..255."""
Rows = tuple[tuple[str, ...], ...]
"""Lines of text, each of which has one cell a column."""

WHITE_BGR: Colour = (255, 255, 255)
_ELLIPSIS = "…"
_IN_FONT = frozenset(_ELLIPSIS + "·")  # the font has these characters beside ASCII
_LINE_HEIGHT = 1.3  # distance of two lines, a factor of the font's size
_COLUMN_GAP = 1.0  # space between two columns, a factor of the font's size
_OVERSAMPLING = 4  # the rounded corners are drawn larger by this factor, so that they are smooth


@dataclass(frozen=True)
class LabelStyle:
    """How a label looks.

    Attributes:
        size_px: the font's size, pixels.
        text_bgr: colour of the text.
        fill_bgr: colour of the rounded rectangle behind it.
        opacity: of that rectangle, 0..1.
        padding: between the text and the rectangle's border, a factor of the font's size.
    """

    size_px: int
    text_bgr: Colour = WHITE_BGR
    fill_bgr: Colour = (0, 0, 0)
    opacity: float = 0.6
    padding: float = 0.4


@dataclass(frozen=True, eq=False)
class Label:
    """A rendered label.

    Attributes:
        colour_bgr: uint8 [h, w, 3], BGR, multiplied by its opacity.
        transparency: uint8 [h, w, 3]; 255 where the picture behind shows whole.
    """

    colour_bgr: NDArray[np.uint8]
    transparency: NDArray[np.uint8]

    @property
    def size(self) -> tuple[int, int]:
        """Width and height, pixels."""
        return self.colour_bgr.shape[1], self.colour_bgr.shape[0]


@lru_cache(maxsize=32)
def _font(size_px: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size_px)


def printable(text: str) -> str:
    """Return a text in characters that the font has: without accents, and "?" for other scripts."""
    plain = "".join(
        letter if letter in _IN_FONT else unicodedata.normalize("NFKD", letter) for letter in text
    )
    kept = (letter for letter in plain if not unicodedata.combining(letter))
    return "".join(k if k in _IN_FONT or (k.isascii() and k.isprintable()) else "?" for k in kept)


def text_width(text: str, size_px: int) -> int:
    """Return the width of one line of printable text, pixels."""
    return int(np.ceil(_font(size_px).getlength(text)))


def shortened(text: str, size_px: int, width: int) -> str:
    """Return a text that is at most so many pixels wide; its middle is left out where it is longer."""
    text = printable(text)
    if text_width(text, size_px) <= width:
        return text
    for kept in range(len(text) - 1, 1, -1):
        shorter = text[: kept // 2] + _ELLIPSIS + text[len(text) - (kept - kept // 2) :]
        if text_width(shorter, size_px) <= width:
            return shorter
    return _ELLIPSIS


def wrapped(text: str, size_px: int, width: int) -> list[str]:
    """Return the lines of a text between words; a word that is too wide loses its middle."""
    lines: list[str] = []
    for word in printable(text).split():
        if lines and text_width(f"{lines[-1]} {word}", size_px) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(shortened(word, size_px, width))
    return lines


@lru_cache(maxsize=256)
def render_label(rows: Rows, style: LabelStyle) -> Label:
    """Render lines of text on a rounded rectangle.

    Args:
        rows: printable text; the columns are aligned at their left.
        style: how it looks.
    """
    line = round(style.size_px * _LINE_HEIGHT)
    padding = round(style.size_px * style.padding)
    gap = round(style.size_px * _COLUMN_GAP)
    columns = [
        max(text_width(cell, style.size_px) for cell in column)
        for column in zip(*rows, strict=True)
    ]
    width = sum(columns) + gap * (len(columns) - 1) + 2 * padding
    height = line * len(rows) + 2 * (padding // 2)
    text = Image.new("L", (width, height))
    draw = ImageDraw.Draw(text)
    for number, row in enumerate(rows):
        x = padding
        for cell, column in zip(row, columns, strict=True):
            at = (x, padding // 2 + (number + 0.5) * line)
            draw.text(at, cell, fill=255, font=_font(style.size_px), anchor="lm")
            x += column + gap
    fill = _rounded_rectangle(width, height, line // 4) * style.opacity
    ink = np.asarray(text, np.float32)[..., None] / 255
    colour = ink * np.array(style.text_bgr) + (1 - ink) * fill * np.array(style.fill_bgr)
    transparency = np.repeat((1 - ink) * (1 - fill) * 255, 3, axis=2)
    return Label(np.rint(colour).astype(np.uint8), np.rint(transparency).astype(np.uint8))


def _rounded_rectangle(width: int, height: int, radius: int) -> NDArray[np.float32]:
    """Return the share of each pixel that lies inside, float32 [height, width, 1]."""
    factor = _OVERSAMPLING
    large = Image.new("L", (width * factor, height * factor))
    box = (0, 0, width * factor - 1, height * factor - 1)
    ImageDraw.Draw(large).rounded_rectangle(box, radius * factor, fill=255)
    small = large.resize((width, height), Image.Resampling.BOX)
    return np.asarray(small, np.float32)[..., None] * np.float32(1 / 255)


def paste(image_bgr: NDArray[np.uint8], label: Label, x: int, y: int) -> None:
    """Draw a label into an image with its top left corner at x, y; what lies outside is cut off.

    Args:
        image_bgr: uint8 [H, W, 3], BGR; it is changed.
        label: what is drawn.
        x, y: pixels.
    """
    height, width = image_bgr.shape[:2]
    left, top = max(x, 0), max(y, 0)
    right, bottom = min(x + label.size[0], width), min(y + label.size[1], height)
    if left >= right or top >= bottom:
        return
    inside = slice(top - y, bottom - y), slice(left - x, right - x)
    region = image_bgr[top:bottom, left:right]
    dimmed = cv2.multiply(region, label.transparency[inside], scale=1 / 255)
    region[:] = cv2.add(dimmed, label.colour_bgr[inside])

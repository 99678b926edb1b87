"""Puts a face of a given width and roll into a larger picture without people."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.finding.faces import TestFace
from benchmarks.finding.matching import Eyes
from benchmarks.photographs.empty import load_picture
from realtime.align.affine import apply

_BACKGROUNDS = ("brick", "coffee", "grass", "gravel", "rocket", "stereo_motorcycle")
_BLUR_SHARE = 0.02  # sigma of the blurred backgrounds, of the frame's height
_REACH = 1.25  # half the side of what is pasted, of the face's width
_RAMP = 0.3  # width of its soft border, of the face's width
Frame = NDArray[np.uint8]


def background(number: int, size: tuple[int, int]) -> Frame:
    """A picture without people that fills a frame, uint8 [H, W, 3] BGR; every second one is blurred.

    Args:
        number: which picture.
        size: width and height of the frame, pixels.
    """
    pictures = [one for name in _BACKGROUNDS for one in load_picture(name)]
    picture = pictures[number // 2 % len(pictures)]
    width, height = size
    scale = max(width / picture.shape[1], height / picture.shape[0])
    resized = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    cut = np.ascontiguousarray(resized[:height, :width])
    if number % 2 == 0:
        cut = cv2.GaussianBlur(cut, (0, 0), _BLUR_SHARE * height)
    return np.asarray(cv2.resize(cut, size), dtype=np.uint8)


def placement(
    face: TestFace, middle: NDArray[np.float64], width_px: float, roll_deg: float = 0.0
) -> NDArray[np.float64]:
    """The similarity from a face's photograph to a frame, float64 [2, 3].

    Args:
        face: the face.
        middle: where the middle of its landmarks goes, float64 [2], pixels of the frame.
        width_px: its width in the frame.
        roll_deg: it is turned by so much, clockwise as seen.
    """
    scale, angle = width_px / face.width, np.deg2rad(roll_deg)
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    linear = np.array([[cos, -sin], [sin, cos]])
    return np.column_stack([linear, middle - linear @ face.middle])


def paste(frame: Frame, face: TestFace, matrix: NDArray[np.float64], *, masked: bool) -> Eyes:
    """Draw a face and its surroundings into a frame, in place, with a soft border.

    Args:
        frame: uint8 [H, W, 3], BGR.
        face: the face.
        matrix: from its photograph to the frame, as `placement` gives it.
        masked: with its mask.

    Returns:
        The true eyes in the frame.
    """
    picture = face.picture(masked=masked)
    scale = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    reach = int(np.ceil(_REACH * face.width * scale * np.sqrt(2))) + 1
    x, y = apply(matrix, face.middle[None])[0].astype(int)
    left, top = max(x - reach, 0), max(y - reach, 0)
    region = frame[top : y + reach, left : x + reach]
    to_region = matrix - np.array([[0, 0, left], [0, 0, top]])
    opacity = _opacity(face, picture.shape)
    if scale < 1:  # area averages, as a camera's pixels are
        size = [max(1, round(edge * scale)) for edge in picture.shape[1::-1]]
        ratio = np.array([size[0] / picture.shape[1], size[1] / picture.shape[0]])
        picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
        opacity = cv2.resize(opacity, size, interpolation=cv2.INTER_AREA)
        linear = to_region[:, :2] / ratio
        to_region = np.column_stack([linear, to_region[:, 2] + linear @ ((1 - ratio) / 2)])
    size = region.shape[1::-1]
    drawn = cv2.warpAffine(picture, to_region, size, flags=cv2.INTER_CUBIC).astype(np.float32)
    share = cv2.warpAffine(opacity, to_region, size)[..., None]
    region[:] = np.rint(region + (drawn - region) * share).clip(0, 255).astype(np.uint8)
    return apply(matrix, face.eyes)


def _opacity(face: TestFace, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """How opaque the pixels of the photograph are pasted, float32 [H, W], 0..1."""
    ramps = []
    for centre, length in zip(face.middle, shape[1::-1], strict=True):
        reach = _REACH * face.width
        low, high = max(centre - reach, 0), min(centre + reach, length - 1)
        at = np.arange(length)
        ramps.append(np.clip(np.minimum(at - low, high - at) / (_RAMP * face.width), 0, 1))
    return np.outer(ramps[1], ramps[0]).astype(np.float32)


def random_middle(
    rng: np.random.Generator, size: tuple[int, int], width_px: float
) -> NDArray[np.float64]:
    """Draw where a face goes so that all of it and its hair lie in the frame, float64 [2]."""
    room = [min(width_px, edge / 2) for edge in size]
    return np.array([rng.uniform(r, edge - r) for r, edge in zip(room, size, strict=True)])


def turned(picture: Frame, roll_deg: float) -> Frame:
    """Turn a whole picture clockwise as seen; the frame grows, and its corners repeat the border."""
    if roll_deg % 90 == 0:
        return np.ascontiguousarray(np.rot90(picture, -int(roll_deg) // 90))
    height, width = picture.shape[:2]
    angle = np.deg2rad(roll_deg)
    cos, sin = np.cos(angle), np.sin(angle)
    wide = int(np.ceil(abs(width * cos) + abs(height * sin)))
    high = int(np.ceil(abs(width * sin) + abs(height * cos)))
    linear = np.array([[cos, -sin], [sin, cos]])
    shift = np.array([wide - 1, high - 1]) / 2 - linear @ (np.array([width - 1, height - 1]) / 2)
    matrix = np.column_stack([linear, shift])
    flags, border = cv2.INTER_CUBIC, cv2.BORDER_REPLICATE
    drawn = cv2.warpAffine(picture, matrix, (wide, high), flags=flags, borderMode=border)
    return np.asarray(drawn, dtype=np.uint8)


def still(frame: Frame, count: int) -> Iterator[tuple[Frame, float]]:
    """Yield a frame so many times, with the timestamps of a stream of 30 frames/s, seconds."""
    for number in range(count):
        yield frame, number / 30
